from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import BYTES, Breaker, Cache, Cacheable, Hit, Miss, NoStore, SimpleCacheClient
from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import (
    CacheNotFoundError,
    InvalidArgumentError,
    LimitExceededError,
    MomentoError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.caching.conftest import Calls, Faults, Make, Side, Wall

NOT_INVALIDATED = "a key could not be invalidated and is served until its TTL is over: chosen"


async def test_get_put_and_invalidate(cache: Cache, side: "Side", calls: "Calls") -> None:
    """What is put is got, and found by reads; what is invalidated is gone, and loaded anew."""
    assert None is await side.call(cache, "get", "key")
    assert "default" == await side.call(cache, "get", "key", "default")
    assert await side.call(cache, "put", "key", 7)
    assert 7 == await side.call(cache, "get", "key", "default")
    assert 7 == await side.get_or_load(cache, "key", calls.loader(8))
    assert await side.call(cache, "invalidate", "key")
    assert await side.call(cache, "invalidate", "key")
    assert 8 == await side.get_or_load(cache, "key", calls.loader(8))
    assert 1 == len(calls)


async def test_none_is_not_the_default(cache: Cache, side: "Side") -> None:
    """A None that is there is None; the default is for what is missing."""
    assert await side.call(cache, "put", "key", None)
    assert None is await side.call(cache, "get", "key", "default")


@pytest.mark.parametrize(
    ("value", "ttl", "seconds"),
    [
        (7, None, 300),
        (7, "1m", 60),
        (30, lambda value: value - 10, 20),
        (None, None, 30),
        (Cacheable(7, ttl=5), "1m", 5),
    ],
    ids=range(5),
)
async def test_put_lives_as_a_load_would(
    cache: Cache, side: "Side", *, client: SimpleCacheClient, cache_name: str, value: Any, ttl: Any, seconds: float
) -> None:
    """The TTL rules of a value that is put are those of a value that is loaded."""
    assert await side.call(cache, "put", "key", value, ttl=ttl)
    left = client.item_get_ttl(cache_name, "key")
    assert left is not None
    assert seconds == left.total_seconds()


@pytest.mark.parametrize("value", [NoStore(7), object(), Cacheable(7, ttl=0)], ids=range(3))
async def test_put_says_what_was_not_stored(faults: "Faults", make_cache: "Make", side: "Side", value: Any) -> None:
    """A value that is not to be stored, or cannot be, is no error and not stored: the answer says so."""
    assert False is await side.call(make_cache(), "put", "key", value)
    assert [] == faults.asked


async def test_put_fails_open(faults: "Faults", make_cache: "Make", side: "Side", log: Any) -> None:
    """Where the cache cannot be written, `put` says False, and it is logged."""
    faults.on_write = UnavailableError("chosen")
    assert False is await side.call(make_cache(), "put", "key", 7)
    assert ["WARNING"] == [level for level, _ in log()]


async def test_get_fails_open(faults: "Faults", make_cache: "Make", side: "Side", log: Any) -> None:
    """Where the cache cannot be read, `get` says the default, and it is logged."""
    faults.on_read = UnavailableError("chosen")
    assert "default" == await side.call(make_cache(), "get", "key", "default")
    assert ["WARNING"] == [level for level, _ in log()]


async def test_a_failed_invalidation_is_an_error_each_time(
    faults: "Faults", make_cache: "Make", side: "Side", log: Any
) -> None:
    """An invalidation that did not reach the cache says False and is logged as an error, every time: data is wrong."""
    cache = make_cache()
    faults.on_write = UnavailableError("chosen")
    with cache.observe() as seen:
        assert [False] * 3 == [await side.call(cache, "invalidate", "key") for _ in range(3)]
    errors = [message for level, message in log() if level == "ERROR"]
    assert 3 == len(errors)
    assert errors[0] == f"cache {cache.name!r}: {NOT_INVALIDATED}"
    # The third was not tried, the breaker being open, and is no less wrong.
    assert ["delete", "delete"] == faults.asked
    assert 3 == seen.kinds.count("invalidate")


async def test_a_strict_invalidation_raises(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """A strict invalidation that did not reach the cache raises the error."""
    error = faults.on_write = UnavailableError("chosen")
    with pytest.raises(UnavailableError) as caught:
        await side.call(make_cache(), "invalidate", "key", strict=True)
    assert error is caught.value


async def test_write_through(cache: Cache, side: "Side", calls: "Calls") -> None:
    """The value is written first, then stored; the caller gets what the writer returned, and readers the value."""
    seen: list[Any] = []

    def write(value: Any) -> str:
        seen.extend((value, cache.get("key")))
        return "written"

    await side.call(cache, "put", "key", "old")
    assert "written" == await side.write_through(cache, "key", "new", write)
    assert ["new", "old"] == seen
    assert "new" == await side.get_or_load(cache, "key", calls.loader("never"))
    assert [] == calls


async def test_a_writer_that_raises_changes_nothing(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """Where the writer raises, its exception is the caller's, and what the cache holds stays."""
    cache, error = make_cache(), ValueError("refused")
    await side.call(cache, "put", "key", "old")
    faults.asked.clear()

    def write(_: Any) -> None:
        raise error

    with pytest.raises(ValueError, match="refused") as caught:
        await side.write_through(cache, "key", "new", write)
    assert error is caught.value
    assert [] == faults.asked
    assert "old" == await side.call(cache, "get", "key")


@pytest.mark.parametrize("value", [object(), NoStore(7)], ids=["cannot be", "is not to be"])
async def test_write_through_of_what_is_not_stored(
    faults: "Faults", make_cache: "Make", side: "Side", client: SimpleCacheClient, value: Any
) -> None:
    """Where the new value is not stored, the old one is removed: it would be wrong."""
    cache = make_cache()
    await side.call(cache, "put", "key", "old")
    assert 1 == await side.write_through(cache, "key", value, lambda _: 1)
    assert ["set", "delete"] == faults.asked
    assert Miss() == client.get(cache.name or "", "key")


async def test_write_through_where_the_cache_fails(
    faults: "Faults", make_cache: "Make", side: "Side", log: Any
) -> None:
    """Where neither storing nor removing works, the caller gets what the writer returned, and it is an error."""
    cache = make_cache()
    faults.on_write = UnavailableError("chosen")
    assert 1 == await side.write_through(cache, "key", "new", lambda _: 1)
    assert ["set", "delete"] == faults.asked
    assert ["WARNING", "ERROR"] == [level for level, _ in log()]


async def test_write_through_outdates_loads(cache: Cache, side: "Side") -> None:
    """A load that began before a value was written through is not stored over it."""

    def load() -> str:
        cache.write_through("key", "new", lambda _: None)
        return "old"

    assert "old" == await side.get_or_load(cache, "key", load)
    assert "new" == await side.call(cache, "get", "key")


@pytest.mark.parametrize("kind", [UnavailableError, CacheNotFoundError, InvalidArgumentError])
async def test_errors_may_be_raised(
    faults: "Faults", make_cache: "Make", side: "Side", *, kind: type[MomentoError], calls: "Calls"
) -> None:
    """With on_cache_error="raise" a cache that cannot be read is the caller's error, and nothing is loaded."""
    cache = make_cache(on_cache_error="raise", breaker=Breaker(failures=9))
    error = faults.on_read = kind("chosen")

    def load() -> int:
        calls.append(1)
        return 7

    function = side.cached(cache, load)
    attempts: list[Callable[[], Any]] = [
        lambda: side.get_or_load(cache, "key", load),
        lambda: side.get_or_load_many(cache, ["a"], calls.loader({}), key="{}"),
        lambda: side.call(cache, "get", "key"),
        lambda: side.value(function.peek()),
    ]
    for attempt in attempts:
        with pytest.raises(kind) as caught:
            await attempt()
        assert error is caught.value
    assert [] == calls


async def test_writes_may_raise(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """With on_cache_error="raise" a failing `put` raises; a value that was loaded reaches its caller all the same."""
    cache = make_cache(on_cache_error="raise")
    error = faults.on_write = UnavailableError("chosen")
    with pytest.raises(UnavailableError) as caught:
        await side.call(cache, "put", "key", 7)
    assert error is caught.value
    assert 7 == await side.get_or_load(cache, "key", lambda: 7)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(object(), InvalidArgumentError), ({1: 2}, InvalidArgumentError), ("x" * MAX_ITEM_BYTES, LimitExceededError)],
    ids=["type", "key", "size"],
)
async def test_what_cannot_be_stored_may_raise(
    faults: "Faults", make_cache: "Make", side: "Side", *, value: object, kind: type[MomentoError]
) -> None:
    """With on_cache_error="raise" `put` raises for a value that cannot be stored; a loaded one reaches its caller."""
    cache, lenient = (make_cache(on_cache_error=what, compress_over=None) for what in ("raise", "load"))
    with pytest.raises(kind):
        await side.call(cache, "put", "key", value)
    assert await side.call(lenient, "put", "key", value) is False
    assert value is await side.get_or_load(cache, "key", lambda: value)
    assert {"a": value} == await side.get_or_load_many(cache, ["a"], lambda _: {"a": value}, key="{}")
    assert ["get", "get"] == faults.asked


async def test_what_is_not_to_be_stored_raises_nothing(make_cache: "Make", side: "Side") -> None:
    """With on_cache_error="raise" a value that asks not to be stored is no trouble."""
    assert await side.call(make_cache(on_cache_error="raise"), "put", "key", NoStore(7)) is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 2}, "the version is of type int: give text"),
        ({"namespace": 2}, "the namespace is of type int: give text"),
        ({"credentials": "token"}, "credentials is of type str: give a function that returns the token"),
        ({"on_cache_error": "ignore"}, "on_cache_error is 'ignore': give 'load' or 'raise'"),
        ({"compress_over": -1}, "compress_over is -1"),
        ({"compress_over": "8k"}, "compress_over is '8k': give bytes"),
        ({"serializer": "json"}, "serializer is of type str: give JSON, BYTES, TEXT"),
        ({"early_refresh": 0}, "early_refresh is 0"),
        ({"early_refresh": True}, "early_refresh is True"),
        ({"early_refresh": "soon"}, "early_refresh is 'soon'"),
        ({"early_refresh": float("nan")}, "early_refresh is nan"),
        ({"jitter": -0.1}, "jitter is -0.1"),
        ({"jitter": 1}, "jitter is 1"),
        ({"stale": -1}, "stale is -1"),
        ({"negative_ttl": 0}, "TTL 0 is not above 0"),
        ({"max_ttl": 0}, "TTL 0 is not above 0"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(options: Any, message: str) -> None:
    """An option that cannot be meant is an error where it stands."""
    with pytest.raises(InvalidArgumentError, match=message):
        Cache("users-cache", **options)


async def test_raw_values_are_bare(
    make_cache: "Make", side: "Side", *, client: SimpleCacheClient, wall: "Wall", calls: "Calls"
) -> None:
    """Without a header other languages read what we store, and we what they do; its end is left to the cache."""
    cache = make_cache(jitter=0, raw=True, stale="1m", now_ms=wall)
    name = cache.name or ""
    assert {"a": 1} == await side.get_or_load(cache, "key", calls.loader({"a": 1}))
    assert Hit(b'{"a":1}') == client.get(name, "key")
    client.set(name, "key", '{"b": 2}')
    assert {"b": 2} == await side.get_or_load(cache, "key", calls.loader(None))
    left = client.item_get_ttl(name, "key")
    assert left is not None
    assert left.total_seconds() <= 60
    client.set(name, "key", "no JSON")
    assert 3 == await side.get_or_load(cache, "key", calls.loader(3))
    wall.advance("5m")
    # No stale values: they would need a time of their own.
    assert 4 == await side.get_or_load(cache, "key", calls.loader(4))
    assert 3 == len(calls)


async def test_raw_remembers_no_absence(faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls") -> None:
    """Without a header an absence would be read as a value, so none is stored; a None that lives as any value is."""
    cache = make_cache(raw=True)
    for _ in range(2):
        assert None is await side.get_or_load(cache, "key", calls.loader(None))
    assert {} == await side.get_or_load_many(cache, ["a"], lambda _: {}, key="{}")
    assert ["get", "get", "get"] == faults.asked
    plain = make_cache(raw=True, negative_ttl=None)
    for _ in range(2):
        assert None is await side.get_or_load(plain, "key", calls.loader(None))
    assert 3 == len(calls)


async def test_one_function_may_be_raw(make_cache: "Make", side: "Side", client: SimpleCacheClient) -> None:
    """Bytes of one function are stored as they are, in a cache whose other values have a header."""
    cache = make_cache()

    def picture() -> bytes:
        return b"\x89PNG"

    function = side.cached(cache, picture, key="picture", serializer=BYTES, raw=True)
    await side.value(function())
    assert Hit(b"\x89PNG") == client.get(cache.name or "", "picture")
    assert (b"\x89PNG", "cache") == ((await side.value(function.result())).value, "cache")


async def test_negative_values_live_shorter(make_cache: "Make", side: "Side", wall: "Wall", calls: "Calls") -> None:
    """None lives by `negative_ttl` and says so; nothing stale of it is ever served: what exists now must be seen."""
    cache = make_cache(jitter=0, negative_ttl="30s", stale="1h", now_ms=wall)
    load = calls.loader(None)

    def value() -> Any:
        return load()

    function = side.cached(cache, value)
    sources = []
    for passed in ("0s", "0s", "29999ms", "1ms"):
        wall.advance(passed)
        sources.append((await side.value(function.result())).source)
    assert ["loader", "negative", "negative", "loader"] == sources


async def test_decode_loaded(make_cache: "Make", side: "Side", calls: "Calls") -> None:
    """With `decode_loaded` a caller gets on a miss what a hit would give, another object that is equal."""
    value = {"a": [1]}
    for decode in (False, True):
        cache = make_cache(decode_loaded=decode, namespace=str(decode))
        found = await side.get_or_load(cache, "key", calls.loader(value))
        many = await side.get_or_load_many(cache, ["a"], calls.loader({"a": value}), key="{}")
        assert (value, value) == (found, many["a"])
        assert (decode, decode) == (found is not value, many["a"] is not value)


async def test_write_through_may_raise(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """With on_cache_error="raise" a value that could neither be stored nor removed is the caller's error."""
    error = faults.on_write = UnavailableError("chosen")
    written: list[Any] = []
    with pytest.raises(UnavailableError) as caught:
        await side.write_through(make_cache(on_cache_error="raise"), "key", "new", written.append)
    assert error is caught.value
    assert ["new"] == written
