"""GET /products/{id}: one product, from the cache where it is there."""

from typing import Any

import shop
from answers import answer


@shop.cache.handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Answer with the product and, in a header, with where it came from."""
    found = shop.product.result(event["pathParameters"]["id"])
    if found.value is None:
        return answer(404, {"message": "there is no such product"}, x_cache=found.source)
    return answer(200, found.value, x_cache=found.source)
