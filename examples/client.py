"""The client by itself: what a key holds, many keys at once, and conditions.

    $ python examples/client.py
    tea: a miss
    tea: 3.20 for another 100 s
    coffee and milk were set together; tea, coffee, sugar: 3.20, 2.90, a miss
    tea is set if absent: NotStored()
    visits: 1, then 2
    tea was deleted: a miss

Every method is in docs/client.md.
"""

import os

from momento_lambda import CredentialProvider, Hit, Miss, SimpleCacheClient

CACHE = os.environ["MOMENTO_CACHE_NAME"]


def shown(answer: Hit | Miss) -> str:
    """Return what a read found; there is no third case, and a type checker knows it."""
    match answer:
        case Hit():
            return answer.value_string
        case Miss():
            return "a miss"


def main() -> None:
    """Read and write a few keys, and leave none behind."""
    with SimpleCacheClient(CredentialProvider.from_environment(), default_ttl="10m") as client:
        print("tea:", shown(client.get(CACHE, "tea")))

        client.set(CACHE, "tea", "3.20", 100)  # the fourth argument overrides the default TTL, in seconds
        left = client.item_get_ttl(CACHE, "tea")
        assert left is not None
        print(f"tea: {shown(client.get(CACHE, 'tea'))} for another {left.total_seconds():.0f} s")

        client.set_multi(CACHE, {"coffee": "2.90", "milk": b"1.10"}, ttls={"milk": 5})
        found = client.get_multi(CACHE, ["tea", "coffee", "sugar"])  # one round trip, in the order asked
        print("coffee and milk were set together; tea, coffee, sugar:", ", ".join(map(shown, found)))

        print("tea is set if absent:", client.set_if_absent(CACHE, "tea", "9.99"))
        print(f"visits: {client.increment(CACHE, 'visits')}, then {client.increment(CACHE, 'visits')}")

        for key in ("tea", "coffee", "milk", "visits"):
            client.delete(CACHE, key)
        print("tea was deleted:", shown(client.get(CACHE, "tea")))


if __name__ == "__main__":
    main()
