import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from momento_lambda import Cache
from momento_lambda.caching.single_flight import SingleFlight
from momento_lambda.caching.steps import Pause, Plan
from tests.caching.conftest import PATIENT


def for_ever() -> None:
    """Wait as long as it takes."""


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
