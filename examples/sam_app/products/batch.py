"""GET /products?ids=a,b,c: many products at once."""

from typing import Any

import shop
from answers import answer

_MOST = 500


@shop.cache.handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Answer with each product by its id, and with null for those that do not exist."""
    asked = (event.get("queryStringParameters") or {}).get("ids", "")
    product_ids = [product_id for product_id in asked.split(",") if product_id]
    if not 0 < len(product_ids) <= _MOST:
        return answer(400, {"message": f"ask for up to {_MOST} products, as in ?ids=mug,lamp"})
    products = shop.products(product_ids)
    return answer(200, {"products": products}, x_cache_hits=str(shop.cache.stats.hits))
