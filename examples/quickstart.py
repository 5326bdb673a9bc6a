"""A slow function with a cache beside it: the first call loads, the next ones do not.

    $ python examples/quickstart.py
    an event                     112.5 ms   miss, load, store
    the same event again           1.4 ms   hit
    after an invalidation        102.2 ms   miss, load, store

All above `main` is a function as it is deployed, with the handler `quickstart.lambda_handler`.
"""

import time
from typing import Any

from momento_lambda import Cache

# At the top: on Lambda it starts connecting while the rest of the module is imported.
cache = Cache.from_env(default_ttl="5m")


@cache.cached(key="weather:{city}")
def weather(city: str) -> dict[str, Any]:
    """Ask a slow service."""
    time.sleep(0.1)
    return {"city": city, "sky": "clear"}


@cache.handler
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Answer an event."""
    return weather(event["city"])


def invoke(what: str) -> None:
    """Call the handler as Lambda would, and print what the cache did meanwhile."""
    began = time.perf_counter()
    with cache.observe() as seen:
        lambda_handler({"city": "Oslo"}, None)
    print(f"{what:<25}{(time.perf_counter() - began) * 1000:9.1f} ms   {', '.join(seen.kinds)}")


def main() -> None:
    """Invoke the function three times."""
    weather.invalidate("Oslo")  # an earlier run may have left it
    invoke("an event")
    invoke("the same event again")
    weather.invalidate("Oslo")
    invoke("after an invalidation")


if __name__ == "__main__":
    main()
