import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, NoStore
from momento_lambda.caching.single_flight import SingleFlight
from momento_lambda.caching.steps import Pause, Plan
from momento_lambda.errors import ClientStateError, DeadlineExceededError

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side

MANY = 100
PATIENT = 30.0


def for_ever() -> None:
    """Wait as long as it takes."""


class Gate:
    """Opens when as many callers as should have asked the cache, so that those who missed are there together."""

    def __init__(self, faults: "Faults", callers: int) -> None:
        self._callers = callers
        self._lock = threading.Lock()
        self._answered = 0
        self._open = threading.Event()
        self._open_in_loop = asyncio.Event()
        faults.after = self._note

    def _note(self, name: str) -> None:
        with self._lock:
            self._answered += name == "get"
            if self._answered == self._callers:
                self._open.set()
                self._open_in_loop.set()

    def wait(self) -> None:
        """Wait in a thread."""
        assert self._open.wait(PATIENT)

    async def wait_in_loop(self) -> None:
        """Wait in a task; those that asked are waiting for the load by then, since nothing lies between the two."""
        await self._open_in_loop.wait()


def test_a_hundred_threads_are_one_load(faults: "Faults", make_cache: "Make") -> None:
    """A hundred threads that miss one key at once call its loader once, and all get what it returned."""
    cache, gate = make_cache(), Gate(faults, MANY)
    loads: list[int] = []

    @cache.cached
    def value() -> int:
        gate.wait()
        loads.append(1)
        return 7

    with ThreadPoolExecutor(MANY) as pool, cache.observe() as seen:
        answers = list(pool.map(lambda _: value(), range(MANY)))
    assert [7] * MANY == answers
    assert [1] == loads
    assert 1 == faults.asked.count("set")
    # Whoever asked the cache before the load was over and came after it looks once more, and hits.
    assert MANY - 1 == seen.kinds.count("shared") + seen.kinds.count("hit")


async def test_a_hundred_tasks_are_one_load(faults: "Faults", make_cache: "Make") -> None:
    """A hundred tasks that miss one key at once call its loader once, and all get what it returned."""
    cache, gate = make_cache(), Gate(faults, MANY)
    loads: list[int] = []

    @cache.cached
    async def value() -> int:
        await gate.wait_in_loop()
        loads.append(1)
        return 7

    assert [7] * MANY == await asyncio.gather(*(value() for _ in range(MANY)))
    assert [1] == loads
    assert 1 == faults.asked.count("set")


def test_threads_that_share_a_load_share_no_object(faults: "Faults", make_cache: "Make") -> None:
    """Each of those who share a load gets an object of its own, as on a hit."""
    cache, gate = make_cache(), Gate(faults, 20)

    @cache.cached
    def value() -> list[int]:
        gate.wait()
        return [1]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: value(), range(20)))
    assert [[1]] * 20 == answers
    assert 20 == len(set(map(id, answers)))


@pytest.mark.parametrize(("storable", "objects"), [(True, 20), (False, 1)], ids=["stored", "not stored"])
async def test_tasks_that_share_a_load_share_no_object(
    faults: "Faults", make_cache: "Make", *, storable: bool, objects: int
) -> None:
    """For tasks it is the same; only what is not stored, and so has no bytes, is one object for all."""
    gate = Gate(faults, 20)

    @make_cache().cached
    async def value() -> list[int]:
        await gate.wait_in_loop()
        return [1] if storable else NoStore([1])  # type: ignore[return-value]  # the one or the other

    answers = await asyncio.gather(*(value() for _ in range(20)))
    assert [[1]] * 20 == answers
    assert objects == len(set(map(id, answers)))


async def test_keys_do_not_wait_for_each_other(cache: Cache) -> None:
    """Only callers of the same key share a load."""
    together = asyncio.Barrier(3)

    @cache.cached
    async def value(number: int) -> int:
        await together.wait()
        return number

    assert [1, 2, 3] == list(await asyncio.gather(value(1), value(2), value(3)))


def test_the_leader_raises_in_threads(faults: "Faults", make_cache: "Make") -> None:
    """What the one load raises reaches all who wait for it, the very same exception, and the next call loads again."""
    cache, gate, error = make_cache(), Gate(faults, 20), ValueError("down")
    loads: list[int] = []

    @cache.cached
    def value() -> int:
        gate.wait()
        loads.append(1)
        raise error

    def caught(_: int) -> Exception | None:
        try:
            value()
        except ValueError as raised:
            return raised
        return None

    with ThreadPoolExecutor(20) as pool, cache.observe() as seen:
        raised = list(pool.map(caught, range(20)))
    assert [True] * 20 == [each is error for each in raised]
    # Whoever came after the load was over, loaded for itself.
    assert 20 == len(loads) + seen.kinds.count("shared")
    before = len(loads)
    assert error is caught(0)
    assert before + 1 == len(loads)


async def test_the_leader_raises_in_tasks(faults: "Faults", make_cache: "Make") -> None:
    """What the one load raises reaches all tasks that wait for it, the very same exception, once."""
    gate, error = Gate(faults, 20), ValueError("down")
    loads: list[int] = []

    @make_cache().cached
    async def value() -> int:
        await gate.wait_in_loop()
        loads.append(1)
        raise error

    raised = await asyncio.gather(*(value() for _ in range(20)), return_exceptions=True)
    assert [True] * 20 == [each is error for each in raised]
    assert [1] == loads


async def test_a_cancelled_leader_hands_over(faults: "Faults", make_cache: "Make") -> None:
    """Where the task that loads is cancelled, one of those that wait loads instead, and nobody else is cancelled."""
    gate, proceed = Gate(faults, 5), asyncio.Event()
    leaders: list[asyncio.Task[Any] | None] = []

    @make_cache().cached
    async def value() -> int:
        leaders.append(asyncio.current_task())
        await proceed.wait()
        return 7

    tasks = [asyncio.create_task(value()) for _ in range(5)]
    await gate.wait_in_loop()
    [leader] = leaders
    assert leader is not None
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    proceed.set()
    rest = [task for task in tasks if task is not leader]
    assert [7] * 4 == await asyncio.gather(*rest)
    assert 2 == len(leaders)


async def test_waiters_are_shielded_from_each_other() -> None:
    """A waiter that is cancelled cancels neither the leader nor the other waiters; a leader that is, hands over."""
    flights = SingleFlight()
    proceed = asyncio.Event()
    led: list[str] = []

    def lead(name: str) -> Callable[[], Awaitable[str]]:
        async def load() -> str:
            led.append(name)
            await proceed.wait()
            return name

        return load

    tasks = [asyncio.create_task(flights.share_async("key", lead(name))) for name in "abcd"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.sleep(0)
    tasks[0].cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert ["a", "c"] == led
    proceed.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [True, True, False, False] == [isinstance(each, asyncio.CancelledError) for each in outcomes]
    assert [("c", True), ("c", False)] == outcomes[2:]


def test_an_interrupted_leader_hands_over() -> None:
    """Where the thread that loads is interrupted, it alone is; one of those that wait loads instead."""
    flights = SingleFlight()
    waiting, proceed = threading.Event(), threading.Event()

    def interrupted() -> str:
        waiting.set()
        assert proceed.wait(PATIENT)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.share, "key", interrupted, for_ever)
        assert waiting.wait(PATIENT)
        second = pool.submit(flights.share, "key", lambda: "well", for_ever)
        proceed.set()
        with pytest.raises(KeyboardInterrupt):
            first.result()
        assert ("well", True) == second.result()


def test_a_waiter_without_time_loads_for_itself() -> None:
    """Where the leader takes longer than a waiter's invocation has, the waiter does not wait for ever: it loads."""
    flights = SingleFlight()
    leading, proceed = threading.Event(), threading.Event()

    def slow() -> str:
        leading.set()
        assert proceed.wait(PATIENT)
        return "slow"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.share, "key", slow, for_ever)
        assert leading.wait(PATIENT)
        assert ("own", True) == flights.share("key", lambda: "own", lambda: 0.0)
        assert flights.under_way("key")
        proceed.set()
        assert ("slow", True) == first.result()


async def test_recursion_is_an_error(cache: Cache, side: "Side") -> None:
    """A loader that asks for the key that it is loading gets an error instead of waiting for itself."""
    if side.coroutines:

        @cache.cached
        async def later(number: int) -> int:
            return await later(number)

        with pytest.raises(ClientStateError, match="the very key it is loading"):
            await later(1)
    else:

        @cache.cached
        def plain(number: int) -> int:
            return plain(number)

        with pytest.raises(ClientStateError, match="the very key it is loading"):
            plain(1)


async def test_recursion_through_tasks_is_an_error(cache: Cache) -> None:
    """Tasks that a loader starts and waits for are inside its load too."""

    @cache.cached
    async def value(number: int) -> int:
        return await asyncio.create_task(value(number))

    with pytest.raises(ClientStateError, match="the very key it is loading"):
        await value(1)


async def test_what_outlives_a_load_is_not_inside_it(make_cache: "Make", side: "Side") -> None:
    """A context that was copied inside a load is free of it once the load is over: tasks started there may ask."""
    cache = make_cache(negative_ttl=None)
    copied: list[contextvars.Context] = []

    def load() -> int:
        copied.append(contextvars.copy_context())
        return len(copied)

    function = side.cached(cache, load)
    assert 1 == await side.value(function())
    await side.value(function.invalidate())
    if side.coroutines:
        assert 2 == await asyncio.create_task(function(), context=copied[0])
    else:
        assert 2 == copied[0].run(function)


def test_each_loop_loads_for_itself(faults: "Faults", make_cache: "Make") -> None:
    """Loops do not wait for each other: two that miss one key at once are two loads, and both get a value."""
    cache, together = make_cache(), threading.Barrier(2)
    loads: list[int] = []

    @cache.cached
    async def value() -> int:
        await asyncio.to_thread(together.wait, PATIENT)
        loads.append(1)
        return 7

    with ThreadPoolExecutor(2) as pool:
        assert [7, 7] == list(pool.map(lambda _: asyncio.run(value()), range(2)))
    assert [1, 1] == loads
    assert 2 == faults.asked.count("set")


async def test_whoever_comes_after_the_landing_looks_again(
    faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls"
) -> None:
    """A caller that missed before another's load landed, and came too late to share it, hits instead of loading."""
    cache = make_cache()
    other: list[str] = []

    def load_meanwhile(name: str) -> None:
        # The answer to the first is on its way when another loads the very key.
        if name == "get" and not other:
            other.append(name)
            cache.get_or_load("key", calls.loader("theirs"))

    faults.after = load_meanwhile
    assert "theirs" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert 1 == len(calls)


async def test_a_later_read_does_not_share_what_was_invalidated(make_cache: "Make", faults: "Faults") -> None:
    """Whoever reads after an invalidation gets a load that began after it, also while an older one is under way."""
    cache, gate = make_cache(), Gate(faults, 2)
    release = asyncio.Event()
    source = ["old", "new"]

    @cache.cached(key="value")
    async def value() -> str:
        found = source[0]
        if found == "old":
            await release.wait()
        return found

    older = asyncio.create_task(value())
    sharing = asyncio.create_task(value())
    await gate.wait_in_loop()
    source.pop(0)
    await cache.aio.invalidate("value")
    assert "new" == await value()
    release.set()
    assert ["old", "old"] == [await older, await sharing]
    assert "new" == await value()


def test_a_later_thread_does_not_share_what_was_invalidated(make_cache: "Make") -> None:
    """For threads it is the same; what the older load returned is not stored."""
    cache = make_cache()
    leading, release = threading.Event(), threading.Event()
    source = ["old", "new"]

    @cache.cached(key="value")
    def value() -> str:
        found = source[0]
        if found == "old":
            leading.set()
            assert release.wait(PATIENT)
        return found

    with ThreadPoolExecutor(1) as pool:
        older = pool.submit(value)
        assert leading.wait(PATIENT)
        source.pop(0)
        cache.invalidate("value")
        assert "new" == value()
        release.set()
        assert "old" == older.result()
    assert ("new", "cache") == (value.result().value, value.result().source)


async def test_an_older_load_that_lands_leaves_the_newer_alone() -> None:
    """Where a load was forgotten and another leads, callers share the newer one, also after the older has landed."""
    flights = SingleFlight()
    proceed = {name: asyncio.Event() for name in ("older", "newer")}

    def lead(name: str) -> Callable[[], Awaitable[str]]:
        async def load() -> str:
            await proceed[name].wait()
            return name

        return load

    older = asyncio.create_task(flights.share_async("key", lead("older")))
    await asyncio.sleep(0)
    flights.forget("key")
    newer = asyncio.create_task(flights.share_async("key", lead("newer")))
    await asyncio.sleep(0)
    proceed["older"].set()
    assert ("older", True) == await older
    third = asyncio.create_task(flights.share_async("key", lead("older")))
    await asyncio.sleep(0)
    proceed["newer"].set()
    assert [("newer", True), ("newer", False)] == list(await asyncio.gather(newer, third))


async def test_a_refresh_does_not_share_an_older_load(make_cache: "Make", faults: "Faults") -> None:
    """A refresh is a load of its own while an older one is under way, of which nothing is stored then."""
    gate, release = Gate(faults, 1), asyncio.Event()
    source = ["old"]

    @make_cache().cached
    async def value() -> str:
        found = source[0]
        if found == "old":
            await release.wait()
        return found

    older = asyncio.create_task(value())
    await gate.wait_in_loop()
    source[0] = "new"
    assert "new" == await value.refresh()
    release.set()
    assert "old" == await older
    assert "new" == await value()


async def test_a_cache_that_fails_is_one_load_too(faults: "Faults", make_cache: "Make", calls: "Calls") -> None:
    """Where the cache does not answer, a hundred tasks still call the loader once."""
    gate = Gate(faults, MANY)
    faults.on_read = DeadlineExceededError("chosen")

    @make_cache().cached
    async def value() -> int:
        await gate.wait_in_loop()
        calls.append(1)
        return 7

    assert [7] * MANY == await asyncio.gather(*(value() for _ in range(MANY)))
    assert [1] == calls
    assert "set" not in faults.asked


def test_many_landings_are_remembered_only_in_part() -> None:
    """Whether a load landed long ago is forgotten on the safe side: it may have."""
    flights = SingleFlight()
    landings = flights.landings
    flights.share("other", int, for_ever)
    assert (False, True) == (flights.landed_since("key", landings), flights.landed_since("other", landings))
    assert not flights.landed_since("other", flights.landings)
    for number in range(1024):
        flights.share(f"key-{number}", int, for_ever)
    assert flights.landed_since("never", landings)
    assert not flights.landed_since("never", flights.landings)


async def test_a_cache_that_fails_when_looked_at_again(
    faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls"
) -> None:
    """Where the second look fails, the loader answers, once, and nothing is stored."""
    cache = make_cache()
    other: list[str] = []

    def load_meanwhile(name: str) -> None:
        if name == "get" and not other:
            other.append(name)
            cache.get_or_load("key", calls.loader("theirs"))
            faults.on_read = DeadlineExceededError("chosen")

    faults.after = load_meanwhile
    assert "own" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert 2 == len(calls)
    assert ["get", "get", "set", "get"] == faults.asked


async def test_a_pause_lets_others_run(cache: Cache) -> None:
    """While a coroutine's plan pauses, the loop goes on."""
    order: list[str] = []

    def plan() -> Plan:
        order.append("before")
        yield Pause(0)
        order.append("after")
        return 7

    async def other() -> None:
        order.append("other")

    task = asyncio.create_task(other())
    assert 7 == await cache._workings.runner.run_async(plan(), other)  # noqa: SLF001  # a plan of the test's own
    await task
    assert ["before", "other", "after"] == order
