"""A coroutine as the handler, with two reads at the same time. Lambda calls it like any other.

    $ python examples/async_handler.py
    neither is cached            162.3 ms   2 load, 2 miss, 2 store
    both are cached                1.9 ms   2 hit
    an order was placed          102.4 ms   1 hit, 1 invalidate, 1 load, 1 miss, 1 store

Each loader takes 100 ms, and the first event waits for the connection too, which on Lambda is made while the module is
imported. One event loop serves every invocation, so it stays open between them.
"""

import asyncio
import time
import uuid
from collections import Counter
from typing import Any

from momento_lambda import Cache

cache = Cache.from_env(default_ttl="5m")

ORDERS = ["tea", "milk"]


@cache.cached(key="user:{user_id}")
async def get_user(user_id: str) -> dict[str, Any]:
    """Ask a slow service."""
    await asyncio.sleep(0.1)
    return {"id": user_id, "name": "Ada"}


@cache.cached(key="orders:{user_id}", ttl="1m")
async def get_orders(user_id: str) -> list[str]:  # noqa: ARG001  # there is one user
    """Ask another one."""
    await asyncio.sleep(0.1)
    return ORDERS


@cache.handler
async def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Answer an event with a user and their orders, after placing one where the event has one."""
    user_id = event["user_id"]
    if "order" in event:
        ORDERS.append(event["order"])
        await get_orders.invalidate(user_id)
    user, orders = await asyncio.gather(get_user(user_id), get_orders(user_id))
    return {"user": user, "orders": orders}


def invoke(what: str, event: dict[str, Any]) -> None:
    """Call the handler as Lambda would, and print what the cache did meanwhile."""
    began = time.perf_counter()
    with cache.observe() as seen:
        lambda_handler(event, None)
    # Counted, since of two reads at the same time either may be the first.
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(seen.kinds).items()))
    print(f"{what:<25}{(time.perf_counter() - began) * 1000:9.1f} ms   {kinds}")


def main() -> None:
    """Invoke the function three times, for a user whom no earlier run has left in the cache."""
    user_id = uuid.uuid4().hex
    invoke("neither is cached", {"user_id": user_id})
    invoke("both are cached", {"user_id": user_id})
    invoke("an order was placed", {"user_id": user_id, "order": "salt"})


if __name__ == "__main__":
    main()
