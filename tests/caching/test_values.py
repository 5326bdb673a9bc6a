from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from momento_lambda import Cache, Cacheable, Hit, NoStore, SimpleCacheClient
from momento_lambda.configuration import MAX_ITEM_BYTES

if TYPE_CHECKING:
    from momento_lambda.server import ManualClock
    from tests.caching.conftest import Calls, Faults, Make, Side

EMPTY: list[object] = [None, False, 0, 0.0, "", b"", [], {}, (), set(), Decimal(0)]


@pytest.mark.parametrize("value", EMPTY, ids=repr)
async def test_every_value_hits(cache: Cache, side: "Side", calls: "Calls", value: object) -> None:
    """None and everything else that is false is stored, found on the second call, and comes back as it was."""
    key = f"value-{EMPTY.index(value)}"
    loader = calls.loader(value)
    found = [await side.get_or_load(cache, key, loader) for _ in range(2)]
    assert [(value, type(value))] * 2 == [(each, type(each)) for each in found]
    assert 1 == len(calls)


@pytest.mark.parametrize(
    ("returned", "options", "seconds"),
    [
        (1, {}, 300),
        (1, {"ttl": "10m"}, 600),
        (1, {"ttl": 1.5}, 1.5),
        (1, {"ttl": timedelta(hours=2)}, 7200),
        (30, {"ttl": lambda value: value - 10}, 20),
        (Cacheable(1, ttl="1m"), {"ttl": "10m"}, 60),
        (Cacheable(1), {"ttl": "10m"}, 600),
        (Cacheable(1, ttl="3d"), {}, 86_400),
        (Cacheable(1, ttl=0.01), {}, 1),
    ],
    ids=range(9),
)
async def test_the_server_forgets_in_time(
    cache: Cache, side: "Side", *, clock: "ManualClock", returned: Any, options: Any, seconds: float
) -> None:
    """Each value lives on the server exactly as long as its own TTL says."""

    def load() -> Any:
        return returned

    function = side.cached(cache, load, **options)
    await side.value(function())
    clock.advance(timedelta(seconds=seconds) - timedelta(milliseconds=1))
    assert "cache" == (await side.value(function.result())).source
    clock.advance("1ms")
    assert "loader" == (await side.value(function.result())).source


@pytest.mark.parametrize(
    ("returned", "options"),
    [
        (NoStore(1), {}),
        (NoStore(1), {"ttl": "10m"}),
        (Cacheable(1, ttl=0), {}),
        (Cacheable(1, ttl=-5), {}),
        (1, {"ttl": lambda value: value - 1}),
        (1, {"ttl": lambda value: value["no such"]}),
    ],
    ids=range(6),
)
async def test_what_is_not_to_be_stored_is_not(
    faults: "Faults", make_cache: "Make", side: "Side", returned: Any, options: Any
) -> None:
    """The caller gets the value, out of its wrapper, and nothing is written."""

    def load() -> Any:
        return returned

    assert 1 == await side.value(side.cached(make_cache(), load, **options)())
    assert ["get"] == faults.asked


async def test_a_none_that_is_not_to_be_stored(cache: Cache, side: "Side", calls: "Calls") -> None:
    """`NoStore(None)` is a None that nobody remembers: the next call loads again."""
    assert [None, None] == [await side.get_or_load(cache, "key", calls.loader(NoStore(None))) for _ in range(2)]
    assert 2 == len(calls)


class Unserializable(NamedTuple):
    secret: str


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Unserializable("hidden"), "a value of type Unserializable cannot be stored as JSON"),
        ({1: "hidden"}, "a dict with a key of type int cannot be stored as JSON"),
        ("x" * MAX_ITEM_BYTES, f"with its key it is over {MAX_ITEM_BYTES} bytes"),
    ],
    ids=["type", "key", "size"],
)
async def test_what_cannot_be_stored_is_returned(
    faults: "Faults", make_cache: "Make", side: "Side", *, log: Any, value: object, reason: str
) -> None:
    """A value that no cache can hold reaches the caller; that it is not stored is said once."""
    cache = make_cache(compress_over=None)
    answers = [await side.get_or_load(cache, key, lambda: value) for key in ("one", "two")]
    assert all(answer is value for answer in answers)
    assert ["get", "get"] == faults.asked
    [(level, message)] = log()
    assert "WARNING" == level
    assert f"a value was returned and not stored: {reason}" in message
    assert "hidden" not in message


async def test_sizes_do_not_make_new_remarks(make_cache: "Make", side: "Side", calls: "Calls", log: Any) -> None:
    """That values are too large is said once, whatever their sizes."""
    cache = make_cache(compress_over=None)
    for size in range(3):
        await side.get_or_load(cache, "large", calls.loader("x" * (MAX_ITEM_BYTES + size)))
    assert 1 == len(log())


@pytest.mark.parametrize(("more", "loads"), [(0, 1), (1, 2)], ids=["at the limit", "over it"])
async def test_the_largest_item(make_cache: "Make", side: "Side", calls: "Calls", more: int, loads: int) -> None:
    """An item at the limit, with its key and what is stored beside it, is stored and found; one byte more is not."""
    cache = make_cache(compress_over=None)
    beside = len("key") + len('""') + 41
    value = "x" * (MAX_ITEM_BYTES - beside + more)
    loader = calls.loader(value)
    found = [await side.get_or_load(cache, "key", loader) == value for _ in range(2)]
    assert [True, True] == found
    assert loads == len(calls)


@pytest.mark.parametrize("stored", [b"", b"foreign", b"ml\x01j", "text", b"ml\x01j" + bytes(40)], ids=range(5))
async def test_unreadable_bytes_are_a_miss(
    cache: Cache, side: "Side", *, client: SimpleCacheClient, cache_name: str, log: Any, stored: bytes
) -> None:
    """What cannot be read is loaded and overwritten, and said once."""
    client.set(cache_name, "key", stored)
    client.set(cache_name, "other", stored)
    answers = [await side.get_or_load(cache, key, lambda: 7) for key in ("key", "key", "other")]
    assert [7, 7, 7] == answers
    assert client.get(cache_name, "key") != Hit(stored if isinstance(stored, bytes) else stored.encode())
    assert [("WARNING", f"cache {cache_name!r}: a stored value could not be read, and was loaded anew")] == log()


async def test_what_the_caller_changes_is_his_own(cache: Cache, side: "Side") -> None:
    """Changing a returned object changes neither the cached one nor what later callers get."""

    def load() -> list[int]:
        return [1]

    function = side.cached(cache, load)
    for _ in range(3):
        answer = await side.value(function())
        assert [1] == answer
        answer.append(2)
