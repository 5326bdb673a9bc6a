"""PUT and DELETE /products/{id}: the table is written, and the cache follows before the caller is answered."""

import base64
import json
from decimal import Decimal
from typing import Any

import shop
from answers import answer
from shop import Product


@shop.cache.handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Store a product, or delete it."""
    product_id = event["pathParameters"]["id"]
    if event["requestContext"]["http"]["method"] == "DELETE":
        shop.table.delete_item(Key={"id": product_id})
        shop.product.invalidate(product_id)
        return answer(204)
    product = _product(product_id, event)
    if product is None:
        return answer(400, {"message": "the body of a product is a JSON object"})
    shop.product.write_through(product, _save, product_id)
    return answer(200, product)


def _save(product: Product) -> None:
    shop.table.put_item(Item=product)


def _product(product_id: str, event: dict[str, Any]) -> Product | None:
    """Return the product that the body says, its numbers as DynamoDB has them; None where it says none."""
    body = event.get("body") or ""
    try:
        text = base64.b64decode(body) if event.get("isBase64Encoded") else body
        fields = json.loads(text, parse_int=Decimal, parse_float=Decimal)
    except ValueError:
        return None
    return fields | {"id": product_id} if isinstance(fields, dict) else None
