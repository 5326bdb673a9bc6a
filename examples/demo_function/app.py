"""Products by id, one or many, with a cache beside the slow catalogue.

Events: {"id": "mug"} or {"ids": ["mug", "lamp"]}. Answers say which products came from the cache.
"""

from typing import Any

from momento_lambda import Cache, Cacheable

import catalog

# At the top: on Lambda the connection is made while the rest of the module is imported.
cache = Cache.from_env(default_ttl="5m")

KEY = "product:{}"


def kept(product: dict[str, Any] | None) -> Cacheable[dict[str, Any] | None]:
    """Keep the price of a flash sale for a second, and everything else for as long as the cache's default says."""
    return Cacheable(product, ttl="1s" if product and product["flash_sale"] else None)


@cache.cached(key="product:{product_id}")
def product(product_id: str) -> Cacheable[dict[str, Any] | None]:
    """Return one product, from the cache where it is there."""
    return kept(catalog.load(product_id))


def products(product_ids: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Return many products with one read of the cache, and the ids that had to be loaded."""
    loaded: list[str] = []

    def load_missing(missing: list[str]) -> dict[str, Any]:
        loaded.extend(missing)
        return {product_id: kept(found) for product_id, found in catalog.load_many(missing).items()}

    return cache.get_or_load_many(product_ids, load_missing, key=KEY), loaded


@cache.handler
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda passes it
    """Answer an event with products and where they came from."""
    if "ids" in event:
        found, loaded = products(event["ids"])
        return {"products": found, "loaded": loaded}
    result = product.result(event["id"])
    return {"products": {event["id"]: result.value}, "loaded": [event["id"]] if result.source == "loader" else []}
