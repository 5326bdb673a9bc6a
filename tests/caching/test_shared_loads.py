import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, NoStore
from momento_lambda.errors import ClientStateError, DeadlineExceededError
from tests.caching.conftest import PATIENT
from tests.caching.gate import Gate

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side

MANY = 100


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
