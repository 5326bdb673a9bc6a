"""Changes of the table, by whomever: the cache is told of each."""

from typing import Any

from boto3.dynamodb.types import TypeDeserializer

import shop
from shop import Product

_deserialize = TypeDeserializer().deserialize


@shop.cache.handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Bring the cache up to date with one change after the other."""
    for record in event["Records"]:
        if not _told(record["dynamodb"]):
            # A product's changes come in order, so Lambda is to begin with this one again.
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def _told(change: dict[str, Any]) -> bool:
    """Tell the cache of a change, and return whether it heard."""
    product_id = change["Keys"]["id"]["S"]
    product = _product(change.get("NewImage"))
    # A hot product will be asked for at once; any other is loaded when somebody does.
    refreshed = bool(product and product.get("hot")) and shop.product.put(product, product_id)
    return refreshed or shop.product.invalidate(product_id)


def _product(image: dict[str, Any] | None) -> Product | None:
    """Return the product in a record of the stream; None where it was deleted."""
    return None if image is None else {name: _deserialize(value) for name, value in image.items()}
