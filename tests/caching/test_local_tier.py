import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda import Cache, LocalTier, SimpleCacheClient
from momento_lambda.caching.envelope import Entry, Envelope
from momento_lambda.caching.local_tier import ENTRY_OVERHEAD_BYTES
from momento_lambda.caching.serializers import BYTES
from momento_lambda.errors import InvalidArgumentError, UnavailableError

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side, Wall

DUE_MS = 60_000
PACKING = Envelope(BYTES)


def keep(tier: LocalTier, key: str, size: int, now_ms: int = 0, **options: Any) -> None:
    """Keep an entry of some bytes that is due after a minute."""
    entry = Entry(b"", 0, options.pop("due_ms", DUE_MS), 2 * DUE_MS)
    tier.put(key, bytes(size), entry, PACKING, now_ms=now_ms, **options)


def held(tier: LocalTier, *keys: str, now_ms: int = 1) -> str:
    """Return the keys that may be served, and look at none."""
    return "".join(key for key in keys if tier.get(key, now_ms) is not None)


def test_the_bound_is_exact() -> None:
    """Entries fit to the last byte, keys and an estimate of the bookkeeping included; one byte more does not."""
    one = 1 + 100 + ENTRY_OVERHEAD_BYTES
    tier = LocalTier(2 * one)
    keep(tier, "a", 100)
    keep(tier, "b", 100)
    assert (2, 2 * one) == (len(tier), tier.used_bytes)
    keep(tier, "b", 101)
    assert ("b", one + 1) == (held(tier, "a", "b"), tier.used_bytes)


def test_what_is_too_large_is_not_kept() -> None:
    """What alone is over the bound is not kept, drives nothing else out, and what it would replace is gone."""
    tier = LocalTier(2 * (101 + ENTRY_OVERHEAD_BYTES))
    keep(tier, "a", 100)
    keep(tier, "b", 100)
    keep(tier, "b", 1_000)
    assert "a" == held(tier, "a", "b")
    assert 101 + ENTRY_OVERHEAD_BYTES == tier.used_bytes


def test_the_least_recently_used_goes_first() -> None:
    """Reading keeps an entry, as storing does."""
    tier = LocalTier(3 * (101 + ENTRY_OVERHEAD_BYTES))
    for key in "abc":
        keep(tier, key, 100)
    assert "a" == held(tier, "a")
    keep(tier, "d", 100)
    assert ["", "a", "c", "d"] == [held(tier, key) for key in "bacd"]
    keep(tier, "e", 100)
    assert "cde" == held(tier, "a", "c", "d", "e")


SIZES = st.integers(0, 900)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcd"), SIZES),
        st.tuples(st.just("get"), st.sampled_from("abcd"), st.just(0)),
        st.tuples(st.just("discard"), st.sampled_from("abcd"), st.just(0)),
        st.tuples(st.just("clear"), st.just(""), st.just(0)),
    ),
    max_size=30,
)


@given(OPERATIONS)
def test_it_agrees_with_a_model(operations: list[tuple[str, str, int]]) -> None:
    """Whatever is done in a row, it holds what a list of the recently used would, and never more than the bound."""
    bound = 2_000
    tier, model = LocalTier(bound), OrderedDict[str, int]()
    for name, key, size in operations:
        if name == "put":
            keep(tier, key, size)
            model.pop(key, None)
            taken = 1 + size + ENTRY_OVERHEAD_BYTES
            if taken <= bound:
                model[key] = taken
            while sum(model.values()) > bound:
                model.popitem(last=False)
        elif name == "get":
            assert (key in model) == (tier.get(key, 0) is not None)
            if key in model:
                model.move_to_end(key)
        elif name == "discard":
            tier.discard(key)
            model.pop(key, None)
        else:
            tier.clear()
            model.clear()
        assert (sum(model.values()), len(model)) == (tier.used_bytes, len(tier))
    assert "".join(sorted(model)) == held(tier, *"abcd")


def test_threads_may_share_it() -> None:
    """Threads that keep, read and drop the same few entries disturb neither each other nor the count of bytes."""
    bound = 3 * (1 + 100 + ENTRY_OVERHEAD_BYTES)
    tier, together = LocalTier(bound), threading.Barrier(4)

    def use(number: int) -> None:
        together.wait()
        for step in range(10_000):
            key = "abcdef"[(step * 7 + number) % 6]
            keep(tier, key, 100)
            tier.get("abcdef"[step % 6], 0)
            if step % 5 == 0:
                tier.discard(key)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(use, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert len(tier) * (bound // 3) == tier.used_bytes <= bound


@pytest.mark.parametrize(
    ("ttl", "own_ms", "due_ms", "until_ms"),
    [("10s", None, DUE_MS, 10_000), ("10s", 3_000, DUE_MS, 3_000), ("10s", 20_000, DUE_MS, 20_000), ("2m", None, 5, 5)],
    ids=["the tier's", "shorter", "longer", "the entry's"],
)
def test_an_entry_is_served_until(ttl: str, own_ms: int | None, due_ms: int, until_ms: int) -> None:
    """An entry is served until the TTL of its function or of the tier is over, and never past its own."""
    tier = LocalTier(ttl=ttl)
    keep(tier, "a", 1, ttl_ms=own_ms, due_ms=due_ms)
    assert ["a", ""] == [held(tier, "a", now_ms=now_ms) for now_ms in (until_ms - 1, until_ms)]
    assert tier.last_known("a") is not None


@pytest.mark.parametrize("options", [{"max_bytes": 0}, {"max_bytes": -1}, {"ttl": 0}, {"ttl": "-1s"}], ids=str)
def test_a_tier_that_cannot_be(options: Any) -> None:
    """A tier without bytes or time is an error where it stands."""
    with pytest.raises(InvalidArgumentError):
        LocalTier(**options)


async def test_a_hit_here_asks_nobody(
    faults: "Faults", make_cache: "Make", side: "Side", *, wall: "Wall", calls: "Calls"
) -> None:
    """What was loaded or read is served from this process until the tier's TTL is over; then the cache is asked."""
    cache = make_cache(jitter=0, local_tier=LocalTier(ttl="10s"), now_ms=wall)
    load = calls.loader([1])

    def value() -> Any:
        return load()

    function = side.cached(cache, value)
    sources = []
    for passed in ("0s", "0s", "9999ms", "1ms", "0s"):
        wall.advance(passed)
        sources.append((await side.value(function.result())).source)
    assert ["loader", "local", "local", "cache", "local"] == sources
    assert (1, ["get", "set", "get"]) == (len(calls), faults.asked)


async def test_never_beyond_its_own_time(make_cache: "Make", side: "Side", *, wall: "Wall", calls: "Calls") -> None:
    """However long the tier keeps entries, none is served past its own TTL, which began when it was loaded."""
    cache, other = (make_cache(jitter=0, local_tier=LocalTier(ttl="1h"), now_ms=wall) for _ in range(2))
    await side.get_or_load(other, "key", calls.loader(1), ttl="30s")
    wall.advance("20s")
    assert 1 == await side.get_or_load(cache, "key", calls.loader(2), ttl="30s")
    wall.advance("10s")
    assert 3 == await side.get_or_load(cache, "key", calls.loader(3), ttl="30s")


async def test_a_function_has_a_time_of_its_own(make_cache: "Make", side: "Side", wall: "Wall") -> None:
    """`local_ttl` bounds how long this process serves one function's values."""
    cache = make_cache(jitter=0, local_tier=LocalTier(ttl="10s"), now_ms=wall)

    def value() -> int:
        return 1

    function = side.cached(cache, value, local_ttl="2s")
    sources = []
    for passed in ("0s", "1999ms", "1ms"):
        wall.advance(passed)
        sources.append((await side.value(function.result())).source)
    assert ["loader", "local", "cache"] == sources
    with pytest.raises(InvalidArgumentError, match="local_ttl is 0"):
        cache.cached(local_ttl=0)(value)


async def test_last_known_where_the_cache_fails(
    faults: "Faults", make_cache: "Make", side: "Side", *, wall: "Wall", calls: "Calls"
) -> None:
    """Where the cache does not answer, what this process knew last is served, while it may be; then the loader is."""
    cache = make_cache(jitter=0, stale="1m", local_tier=LocalTier(ttl="10s"), now_ms=wall)

    def value() -> int:
        calls.append(1)
        return len(calls)

    function = side.cached(cache, value)
    await side.value(function())
    error = faults.on_read = UnavailableError("chosen")
    results = []
    for passed in ("10s", "4m50s", "59999ms", "1ms"):
        wall.advance(passed)
        results.append(await side.value(function.result()))
    assert [(1, "stale")] * 3 + [(2, "loader")] == [(each.value, each.source) for each in results]
    assert error is results[0].cache_error


@pytest.mark.parametrize("how", ["invalidate", "put"])
async def test_changes_reach_it(make_cache: "Make", side: "Side", calls: "Calls", how: str) -> None:
    """What is invalidated is gone here at once, and what is put replaces it."""
    cache = make_cache(local_tier=LocalTier())
    await side.get_or_load(cache, "key", calls.loader(1))
    if how == "put":
        assert await side.call(cache, "put", "key", 2)
    else:
        assert await side.call(cache, "invalidate", "key")
    assert 2 == await side.get_or_load(cache, "key", calls.loader(2))
    assert (2 if how == "invalidate" else 1) == len(calls)


async def test_an_invalidation_that_fails_still_drops_it(
    faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls"
) -> None:
    """Where the cache cannot be reached, this process at least forgets."""
    tier = LocalTier()
    cache = make_cache(local_tier=tier)
    await side.get_or_load(cache, "key", calls.loader(1))
    faults.on_write = UnavailableError("chosen")
    assert not await side.call(cache, "invalidate", "key")
    assert 0 == len(tier)


VALUES: list[Any] = [[1], {"a": [1]}, {1}, "text", b"bytes", None, 0, (1, [2])]


@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_what_a_caller_changes_is_his_own(make_cache: "Make", side: "Side", value: Any) -> None:
    """An object from this process's own tier is the caller's, equal to what was loaded and to be changed at will."""
    cache = make_cache(local_tier=LocalTier())
    expected = repr(value)

    def load() -> Any:
        return value

    function = side.cached(cache, load)
    seen = []
    for _ in range(4):
        found = await side.value(function())
        seen.append(repr(found))
        if isinstance(found, list):
            found.append(2)
        elif isinstance(found, dict):
            found["a"].append(2)
        elif isinstance(found, set):
            found.add(2)
        elif isinstance(found, tuple):
            found[1].append(3)
    assert [expected] * 4 == seen


async def test_batches_use_it(
    faults: "Faults", make_cache: "Make", side: "Side", *, wall: "Wall", calls: "Calls"
) -> None:
    """A batch asks the cache only for what this process does not hold, and serves the last known where that fails."""
    cache = make_cache(jitter=0, local_tier=LocalTier(ttl="10s"), now_ms=wall)

    def load(ids: list[str]) -> dict[str, str]:
        calls.append(ids)
        return {id_: id_.upper() for id_ in ids}

    async def many(*ids: str) -> Any:
        return await side.get_or_load_many(cache, ids, load, key="{}")

    assert {"a": "A", "b": "B"} == await many("a", "b")
    assert {"a": "A", "b": "B"} == await many("a", "b")
    assert {"c": "C", "a": "A"} == await many("c", "a")
    assert ["get_multi", "set_multi", "get", "set"] == faults.asked
    wall.advance("10s")
    faults.on_read = UnavailableError("chosen")
    with cache.observe() as seen:
        assert {"a": "A", "b": "B", "c": "C"} == await many("a", "b", "c")
        assert {"a": "A", "d": "D"} == await many("a", "d")
    assert [["a", "b"], ["c"], ["d"]] == calls
    assert 4 == sum(event.items for event in seen.events if event.kind == "stale_hit")


async def test_absences_in_it_are_none_to_a_single_read(
    make_cache: "Make", side: "Side", client: SimpleCacheClient, cache_name: str, calls: "Calls"
) -> None:
    """What a batch remembers as left out is no value to a single read of the same key, here as in the cache."""
    cache = make_cache(local_tier=LocalTier())
    assert {} == await side.get_or_load_many(cache, ["a"], lambda _: {}, key="{}")
    assert (True,) == client.keys_exist(cache_name, ["a"])
    assert "default" == await side.call(cache, "get", "a", "default")
    assert 7 == await side.get_or_load(cache, "a", calls.loader(7))
    assert {"a": 7} == await side.get_or_load_many(cache, ["a"], lambda _: {}, key="{}")


async def test_functions_of_one_key_read_it_their_way(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """What one function kept here another reads as its own type says, or not at all."""
    cache = make_cache(local_tier=LocalTier())

    def text() -> str:
        return "7"

    def also_text() -> str:
        return "8"

    def number() -> int:
        return 7

    first, second, other = (side.cached(cache, each, key="key") for each in (text, also_text, number))
    results = [await side.value(each.result()) for each in (first, second, other)]
    assert [("7", "loader"), ("7", "local"), (7, "loader")] == [(each.value, each.source) for each in results]
    assert ["get", "set", "get", "set"] == faults.asked


def test_a_tier_serves_one_cache(make_cache: "Make") -> None:
    """Two caches would take each other's values from one tier, so the second is refused; the same one is not."""
    tier = LocalTier()
    make_cache(local_tier=tier)
    make_cache(local_tier=tier, namespace="apart")
    with pytest.raises(InvalidArgumentError, match="give 'products' one of its own"):
        Cache("products", local_tier=tier)


async def test_what_is_invalidated_while_it_is_read_is_not_kept(
    faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls"
) -> None:
    """A value that was read before its key was invalidated reaches its caller, and is not kept here."""
    tier = LocalTier()
    cache, other = make_cache(local_tier=tier), make_cache()
    for key in ("one", "two"):
        other.put(key, "old")

    def invalidate(name: str) -> None:
        if name.startswith("get"):
            cache.invalidate("one")

    faults.after = invalidate
    assert "old" == await side.get_or_load(cache, "one", calls.loader("new"))
    assert {"two": "old"} == await side.get_or_load_many(cache, ["two"], calls.loader({}), key="{}")
    assert (0, []) == (len(tier), calls)
    faults.after = lambda _: None
    assert "new" == await side.get_or_load(cache, "one", calls.loader("new"))
