"""Changes of the table, by whomever: the cache is told of each."""

from typing import Any

from boto3.dynamodb.types import TypeDeserializer

import shop

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
    product = change.get("NewImage", {})
    # A hot product will be asked for at once; any other is loaded when somebody does.
    if product.get("hot", {}).get("BOOL"):
        return shop.product.put({name: _deserialize(value) for name, value in product.items()}, product_id)
    return shop.product.invalidate(product_id)
