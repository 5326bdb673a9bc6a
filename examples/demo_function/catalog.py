"""Where products come from. It is slow, as a report over several tables or another team's service is."""

import time
from typing import Any

_SECONDS_PER_LOOKUP = 0.15
_PRODUCTS: dict[str, dict[str, Any]] = {
    "kettle": {"name": "Kettle", "price": 3900, "flash_sale": False},
    "lamp": {"name": "Desk lamp", "price": 2500, "flash_sale": True},
    "mug": {"name": "Mug", "price": 900, "flash_sale": False},
    "teapot": {"name": "Teapot", "price": 4200, "flash_sale": False},
}


def load(product_id: str) -> dict[str, Any] | None:
    """Return a product, or None where there is none of that id."""
    time.sleep(_SECONDS_PER_LOOKUP)
    return _PRODUCTS.get(product_id)


def load_many(product_ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return those of the products that exist, by id: one slow look-up for all of them."""
    time.sleep(_SECONDS_PER_LOOKUP)
    return {product_id: _PRODUCTS[product_id] for product_id in product_ids if product_id in _PRODUCTS}
