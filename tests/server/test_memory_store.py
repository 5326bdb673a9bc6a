import asyncio
import itertools
import tracemalloc
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from momento_lambda.errors import LimitExceededError
from momento_lambda.responses import TtlUpdate
from momento_lambda.server import ManualClock
from momento_lambda.server.item_table import ITEM_OVERHEAD_BYTES
from momento_lambda.server.memory_keyspace import MemoryKeyspace
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.store import Condition, Item, TtlChange

Result = TypeVar("Result")

DAY_MS = 86_400_000


def at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what a coroutine does, which must not give way in its middle: that is what makes it atomic."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise AssertionError("it gave way")


def item(key: bytes = b"key", value: bytes = b"value", ttl_ms: int = 60_000) -> Item:
    """Return an item."""
    return Item(key, value, ttl_ms)


def size(*items: Item) -> int:
    """Return what items take."""
    return sum(len(item.key) + len(item.value) + ITEM_OVERHEAD_BYTES for item in items)


def opened(store: MemoryStore, name: str = "cache") -> MemoryKeyspace:
    """Return the items of a cache, made if there is none."""
    at_once(store.create_cache(name))
    items = at_once(store.open(name))
    assert items is not None
    return items


@pytest.fixture
def store(clock: ManualClock) -> MemoryStore:
    """A store without a ceiling."""
    return MemoryStore(clock=clock)


class TestReclaiming:
    def test_what_is_due_is_let_go(self, store: MemoryStore, clock: ManualClock) -> None:
        """Expired items are reclaimed when their second is past, in bounded steps, and others stay."""
        items = opened(store)
        for number in range(10):
            at_once(items.set(item(b"%d" % number, ttl_ms=1_000)))
        at_once(items.set(item(ttl_ms=3_000)))
        clock.advance("999ms")
        assert not items.reclaim(100)
        assert 11 == len(items)
        clock.advance("1001ms")
        assert items.reclaim(4)
        assert 7 == len(items)
        assert not items.reclaim(100)
        assert (1, size(item())) == (len(items), store.used_bytes)

    def test_nothing_accumulates(self, store: MemoryStore, clock: ManualClock) -> None:
        """However often an item is overwritten, in whatever way, one item is kept, and it goes in one step."""
        items = opened(store)
        for number in range(2_000):
            at_once(items.set(item(ttl_ms=1_000 + number * 40_000)))
            at_once(items.update_ttl(b"key", DAY_MS - number * 40_000, TtlChange.OVERWRITE))
            at_once(items.set_many([item(), item()]))
            at_once(items.set_if(item(ttl_ms=DAY_MS), Condition.PRESENT, b""))
        assert (1, size(item())) == (len(items), store.used_bytes)
        clock.advance("2d")
        while items.reclaim(1_000):
            pass
        assert (0, 0) == (len(items), store.used_bytes)

    def test_an_expired_item_is_overwritten_in_place(self, store: MemoryStore, clock: ManualClock) -> None:
        """An item that expired and was not reclaimed yet does not take its successor along."""
        items = opened(store)
        at_once(items.set(item(ttl_ms=1)))
        clock.advance("1ms")
        assert at_once(items.set_if(item(value=b"new"), Condition.ABSENT, b""))
        clock.advance("10s")
        assert not items.reclaim(100)
        assert b"new" == at_once(items.get(b"key"))

    def test_deleting_an_expired_item_takes_it_from_memory(self, store: MemoryStore, clock: ManualClock) -> None:
        """Deleting lets go of an item whether or not it has expired."""
        items = opened(store)
        at_once(items.set(item(ttl_ms=1)))
        clock.advance("1ms")
        at_once(items.delete(b"key"))
        assert (0, 0) == (len(items), store.used_bytes)

    def test_a_clock_that_leaps_is_caught_up_with(self, store: MemoryStore, clock: ManualClock) -> None:
        """After years without a call, reclaiming takes no longer than after a day."""
        items = opened(store)
        at_once(items.set(item(ttl_ms=DAY_MS)))
        clock.advance(timedelta(days=30 * 365))
        assert not items.reclaim(1)
        at_once(items.set(item(ttl_ms=1_000)))
        clock.advance(timedelta(days=30 * 365))
        assert not items.reclaim(1)
        assert 0 == len(items)

    async def test_an_idle_store_reclaims_too(self, clock: ManualClock) -> None:
        """What has expired is let go while nobody calls."""
        store = MemoryStore(clock=clock, sweep_seconds=0)
        items = opened(store)
        await items.set_many([item(b"%d" % number) for number in range(3_000)])
        clock.advance("2m")
        await store.start()
        async with asyncio.timeout(20):
            while store.used_bytes:  # noqa: ASYNC110  # what is waited for tells nobody
                await asyncio.sleep(0)
        await store.close()
        assert 0 == len(items)

    async def test_closing_twice_is_closing_once(self, store: MemoryStore) -> None:
        """A store can be closed that was never started, or is closed."""
        await store.close()
        await store.start()
        await store.close()
        await store.close()


class TestFootprint:
    @pytest.mark.parametrize(
        "seconds", [range(1, 61), range(1, 86_400), range(3_600, 3_601)], ids=["min", "day", "hour"]
    )
    def test_an_item_takes_little_beyond_itself(self, store: MemoryStore, seconds: range) -> None:
        """Whatever their times to live, an item takes at most 250 bytes beyond its key and value, as the store says."""
        count = 50_000
        items = opened(store)
        tracemalloc.start()
        for number in range(count):
            at_once(items.set(item(b"key:%012d" % number, b"v" * 100, 1_000 * seconds[number * 7_919 % len(seconds)])))
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        beyond = taken / count - len(b"key:") - 12 - 100
        assert beyond <= 250
        assert 0.6 * ITEM_OVERHEAD_BYTES <= beyond <= 1.4 * ITEM_OVERHEAD_BYTES

    def test_turnover_takes_nothing(self, store: MemoryStore, clock: ManualClock) -> None:
        """However often all items are replaced, given other times to live and expire, they take what they took."""
        count = 5_000
        items = opened(store)

        def replace(turnover: int) -> int:
            for number in range(count):
                key, ttl_ms = b"key:%012d" % number, 60_000 + (turnover * count + number) * 7_919_000 % DAY_MS
                at_once(items.set(item(key, b"v" * 100, ttl_ms)))
                at_once(items.update_ttl(key, ttl_ms // 2, TtlChange.OVERWRITE))
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        first = replace(0)
        taken = [replace(turnover) for turnover in range(1, 6)]
        clock.advance("2d")
        while items.reclaim(1_000):
            pass
        empty, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert max(taken) <= 1.2 * first
        assert empty <= 0.1 * first

    async def test_expiry_gives_way(self, clock: ManualClock) -> None:
        """While the store reclaims very many items, whoever waits for the loop gets many turns."""
        store = MemoryStore(clock=clock, sweep_seconds=0)
        items = opened(store)
        await items.set_many([item(b"%d" % number) for number in range(100_000)])
        clock.advance("2d")
        await store.start()
        left = []
        async with asyncio.timeout(60):
            while store.used_bytes:
                await asyncio.sleep(0)
                left.append(len(items))
        await store.close()
        # The steps of a machine that is slow are shorter, those of none longer than what a millisecond is enough for.
        most = max(before - after for before, after in itertools.pairwise(left))
        assert most < 100_000 / 10


class TestReleasing:
    def test_a_deleted_cache_is_released_at_once(self, store: MemoryStore) -> None:
        """Its items take no memory from then on, and another cache's stay."""
        at_once(opened(store, "other").set(item()))
        items = opened(store)
        at_once(items.set_many([item(b"%d" % number) for number in range(100)]))
        assert at_once(store.delete_cache("cache"))
        assert (0, size(item())) == (len(items), store.used_bytes)
        assert not at_once(store.delete_cache("cache"))

    def test_a_flushed_cache_is_released_at_once(self, store: MemoryStore, clock: ManualClock) -> None:
        """Its items take no memory, their deadlines mean nothing any more, and it can be filled again."""
        items = opened(store)
        at_once(items.set(item(ttl_ms=1_000)))
        assert at_once(store.flush_cache("cache"))
        assert (0, 0) == (len(items), store.used_bytes)
        at_once(items.set(item()))
        clock.advance("10s")
        items.reclaim(100)
        assert b"value" == at_once(items.get(b"key"))
        assert not at_once(store.flush_cache("none such"))

    async def test_what_was_flushed_is_taken_apart_later(self) -> None:
        """Flushing a cache of many items lets go of none of them itself; the store does so bit by bit."""
        store = MemoryStore(sweep_seconds=0)
        items = opened(store)
        tracemalloc.start()
        await items.set_many([item(b"%d" % number) for number in range(20_000)])
        full, _ = tracemalloc.get_traced_memory()
        await store.flush_cache("cache")
        flushed, _ = tracemalloc.get_traced_memory()
        await store.start()
        async with asyncio.timeout(60):
            while tracemalloc.get_traced_memory()[0] > full / 10:  # noqa: ASYNC110  # what is waited for tells nobody
                await asyncio.sleep(0)
        tracemalloc.stop()
        await store.close()
        assert full / 2 < flushed


class TestCeiling:
    def test_a_full_store_refuses(self, clock: ManualClock) -> None:
        """A write over the ceiling is refused in words that say so, and changes nothing."""
        store = MemoryStore(clock=clock, max_bytes=size(item()))
        items = opened(store)
        at_once(items.set(item()))
        with pytest.raises(LimitExceededError, match=rf"full: .* {size(item())} of at most {size(item())} bytes"):
            at_once(items.set(item(b"other")))
        with pytest.raises(LimitExceededError):
            at_once(items.set(item(value=b"longer")))
        with pytest.raises(LimitExceededError):
            at_once(items.increment(b"number", 1, 1_000))
        assert [b"value", None, None] == at_once(items.get_many([b"key", b"other", b"number"]))

    def test_what_fits_in_place_is_stored(self, clock: ManualClock) -> None:
        """An item may be overwritten by one no larger, and a new time to live takes nothing."""
        store = MemoryStore(clock=clock, max_bytes=size(item()))
        items = opened(store)
        at_once(items.set(item()))
        at_once(items.set(item(value=b"VALUE")))
        at_once(items.set(item(value=b"1")))
        assert 2 == at_once(items.increment(b"key", 1, 1_000))
        assert TtlUpdate.SET is at_once(items.update_ttl(b"key", 1, TtlChange.OVERWRITE))

    def test_a_batch_is_stored_whole_or_not(self, clock: ManualClock) -> None:
        """A batch that does not fit stores nothing; of several items with one key, only the last counts."""
        store = MemoryStore(clock=clock, max_bytes=size(item(), item()))
        items = opened(store)
        with pytest.raises(LimitExceededError):
            at_once(items.set_many([item(b"one"), item(b"two"), item(b"six")]))
        assert 0 == len(items)
        at_once(items.set_many([item(value=b"much longer"), item(b"two"), item()]))
        assert [b"value", b"value"] == at_once(items.get_many([b"key", b"two"]))

    def test_what_has_expired_makes_room(self, clock: ManualClock) -> None:
        """Before a write is refused, expired items of every cache are reclaimed."""
        store = MemoryStore(clock=clock, max_bytes=size(item()))
        at_once(opened(store, "other").set(item(ttl_ms=1)))
        clock.advance("2s")
        at_once(opened(store).set(item()))
        assert size(item()) == store.used_bytes

    def test_no_more_is_reclaimed_than_a_write_needs(self, clock: ManualClock) -> None:
        """A write into a store that is full of expired items does not wait until all of them are gone."""
        expired = [item(b"%03d" % number, ttl_ms=1) for number in range(500)]
        store = MemoryStore(clock=clock, max_bytes=size(*expired))
        items = opened(store)
        at_once(items.set_many(expired))
        clock.advance("2s")
        at_once(items.set(item()))
        assert 250 < len(items) < 500

    def test_what_was_deleted_makes_room(self, clock: ManualClock) -> None:
        """Memory is counted again as soon as an item or its cache is gone."""
        store = MemoryStore(clock=clock, max_bytes=size(item()))
        items = opened(store)
        for _ in range(3):
            at_once(items.set(item()))
            at_once(items.delete(b"key"))
            at_once(items.set(item(b"two")))
            at_once(store.flush_cache("cache"))
            at_once(opened(store, "other").set(item()))
            at_once(store.delete_cache("other"))


class TestTimesWithinAMillisecond:
    @pytest.mark.parametrize(("passed_ns", "left_ms"), [(0, 5), (1, 4), (999_999, 4), (1_000_000, 4), (4_999_999, 1)])
    def test_what_is_left_is_whole_milliseconds(self, passed_ns: int, left_ms: int) -> None:
        """It is less than was given as soon as any time has passed, and 1 as long as the item is there."""
        now = 0
        items = opened(MemoryStore(clock=lambda: now))
        at_once(items.set(item(ttl_ms=5)))
        now = passed_ns
        assert left_ms == at_once(items.remaining_ttl_ms(b"key"))
