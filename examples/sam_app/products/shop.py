"""The products: where they are kept, and for how long the cache may keep each of them.

Whoever reads a product and whoever changes one come here, so all of them mean the same key.
"""

import os
from typing import Any, TypeAlias

import boto3

from momento_lambda import Cache

Product: TypeAlias = dict[str, Any]

# First: on Lambda it connects in the background, while the rest of this module is at work.
cache = Cache.from_env()

dynamodb = boto3.resource("dynamodb")
table = dynamodb.Table(os.environ["TABLE_NAME"])

_KEYS_A_REQUEST = 100


def lifetime(found: Product | None) -> str:
    """Return how long the cache may keep what was found, or that nothing was."""
    if found is None:
        return "30s"  # it may be created any moment
    return "10s" if found.get("hot") else "1h"


@cache.cached(key="product:{product_id}", ttl=lifetime)
def product(product_id: str) -> Product | None:
    """Return a product, or None, which is remembered too."""
    found: Product | None = table.get_item(Key={"id": product_id}).get("Item")
    return found


def products(product_ids: list[str]) -> dict[str, Product | None]:
    """Return many products, with one read of the cache and, for all that it does not hold, one of the table."""
    found = cache.get_or_load_many(product_ids, _load, key="product:{}", ttl=lambda _, found: lifetime(found))
    return {product_id: found.get(product_id) for product_id in product_ids}


def _load(product_ids: list[str]) -> dict[str, Product]:
    waiting = [{"id": product_id} for product_id in product_ids]
    found: dict[str, Product] = {}
    while waiting:
        request, waiting = waiting[:_KEYS_A_REQUEST], waiting[_KEYS_A_REQUEST:]
        answer = dynamodb.batch_get_item(RequestItems={table.name: {"Keys": request}})
        found |= {item["id"]: item for item in answer["Responses"][table.name]}
        # An answer holds one product at least, and may put off others.
        waiting += answer["UnprocessedKeys"].get(table.name, {}).get("Keys", [])
    return found
