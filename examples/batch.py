"""Many ids at once: one read of the cache, and one load of those that it does not hold.

    $ python examples/batch.py
    asked for               loaded                      found   took
    tea, milk, coffee       tea, milk, coffee           3       104.9 ms
    tea, milk, coffee       -                           3         1.1 ms
    tea, salt, gold         salt, gold                  2       103.2 ms
    tea, salt, gold         -                           2         1.0 ms

There is no gold. That it is absent is remembered as well, so nobody looks for it twice.
"""

import time

from momento_lambda import Cache

cache = Cache.from_env(default_ttl="5m")

PRICES = {"coffee": 290, "milk": 110, "salt": 40, "tea": 320}


def load_prices(items: list[str]) -> dict[str, int]:
    """Look many prices up in one query; what does not exist is left out."""
    time.sleep(0.1)
    return {item: PRICES[item] for item in items if item in PRICES}


def ask_for(*items: str) -> None:
    """Get the prices of some items, and print which of them had to be loaded."""
    loaded: list[str] = []

    def load(missing: list[str]) -> dict[str, int]:
        loaded.extend(missing)
        return load_prices(missing)

    began = time.perf_counter()
    prices = cache.get_or_load_many(items, load, key="price:{}", ttl="10m")
    took = (time.perf_counter() - began) * 1000
    print(f"{', '.join(items):<24}{', '.join(loaded) or '-':<28}{len(prices):<6}{took:7.1f} ms")


def main() -> None:
    """Ask four times."""
    for item in ("coffee", "gold", "milk", "salt", "tea"):
        cache.invalidate(f"price:{item}")  # an earlier run may have left it
    print(f"{'asked for':<24}{'loaded':<28}{'found':<8}took")
    ask_for("tea", "milk", "coffee")
    ask_for("tea", "milk", "coffee")
    ask_for("tea", "salt", "gold")
    ask_for("tea", "salt", "gold")


if __name__ == "__main__":
    main()
