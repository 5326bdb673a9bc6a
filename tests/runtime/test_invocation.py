import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from momento_lambda.runtime.invocation import Invocation, current_invocation, time_left

PATIENT = 30.0
SEEN: contextvars.ContextVar[str] = contextvars.ContextVar("SEEN", default="nothing")


class Seconds:
    """A clock in seconds that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_the_time_that_is_left() -> None:
    """It is what was given less a reserve, becomes less as time passes, and is never under 0."""
    seconds = Seconds()
    invocation = Invocation(3.0, clock=seconds)
    left = []
    for passed in (0.0, 1.0, 1.9, 0.05, 60.0):
        seconds.now += passed
        left.append(invocation.time_left())
    assert left == pytest.approx([2.95, 1.95, 0.05, 0.0, 0.0], abs=1e-9)
    assert None is Invocation().time_left()


def test_it_is_current_while_it_lasts() -> None:
    """Inside its block an invocation is the current one, and the one around it again after; outside there is none."""
    assert (None, None) == (current_invocation(), time_left())
    with Invocation(60) as outer:
        assert outer is current_invocation()
        with Invocation() as inner:
            assert (inner, None) == (current_invocation(), time_left())
        assert outer is current_invocation()
        assert outer.time_left() == pytest.approx(time_left(), abs=5)
    assert None is current_invocation()


def test_what_is_left_for_the_end() -> None:
    """It is done when the block ends, in its own thread and in order, while the invocation is still the current one."""
    done: list[object] = []

    def note(number: int) -> None:
        done.append((number, current_invocation(), threading.get_ident()))

    with Invocation() as invocation:
        for number in range(2):
            invocation.at_end(partial(note, number))
        assert [] == done
    assert [(number, invocation, threading.get_ident()) for number in range(2)] == done


def test_beside_the_handler() -> None:
    """What an invocation started is not in its own thread, and its handler is."""
    found: list[bool] = []
    with Invocation(PATIENT) as invocation:
        invocation.start(lambda: found.append(invocation.in_own_thread()))
        invocation.join()
        assert [False, True] == [*found, invocation.in_own_thread()]


class Asked:
    """A clock that notes how often it was asked: once when an invocation begins, then by each round of joining."""

    def __init__(self, times: int, then: Callable[[], object]) -> None:
        self._times = times
        self._then = then

    def __call__(self) -> float:
        """Return a time that stands still."""
        self._times -= 1
        if self._times == 0:
            self._then()
        return 0.0


def test_threads_are_joined() -> None:
    """`join` returns when all that was started is over, what that started in turn included."""
    events: list[str] = []
    joined = threading.Event()
    # Asked at the beginning, for each of two threads, and then for the one that one of them started.
    invocation = Invocation(60, clock=Asked(4, joined.set))
    proceed = threading.Event()

    def nested() -> None:
        assert joined.wait(PATIENT)
        events.append("nested")

    def work() -> None:
        assert proceed.wait(PATIENT)
        invocation.start(nested)
        events.append("work")

    invocation.start(work)
    invocation.start(proceed.set)
    invocation.join()
    assert ["work", "nested"] == events
    invocation.join()


def test_threads_see_the_context() -> None:
    """What runs beside a handler sees its context variables, and changes none of them."""
    seen: list[str] = []

    def work() -> None:
        seen.append(SEEN.get())
        SEEN.set("changed")

    invocation = Invocation()
    token = SEEN.set("request")
    invocation.start(work)
    invocation.join()
    assert (["request"], "request") == (seen, SEEN.get())
    SEEN.reset(token)


def test_a_thread_that_takes_longer_is_not_waited_for() -> None:
    """A thread that is not over when the time is, holds up neither the handler nor the end of the process."""
    proceed = threading.Event()
    seconds = Seconds()
    invocation = Invocation(1.0, clock=seconds)
    invocation.start(lambda: proceed.wait(PATIENT))
    seconds.now += 1
    invocation.join()
    [late] = [thread for thread in threading.enumerate() if thread.name == "momento-lambda-refresh"]
    assert late.daemon
    proceed.set()
    late.join(PATIENT)


async def test_tasks_are_joined() -> None:
    """`join_async` returns when all that was started is over, what that started in turn included."""
    events: list[str] = []
    joined = asyncio.Event()
    # Asked at the beginning, for the first task, and then for the one that it started.
    invocation = Invocation(60, clock=Asked(3, joined.set))

    async def nested() -> None:
        await joined.wait()
        events.append("nested")

    async def work() -> None:
        invocation.start_async(nested)
        events.append("work")

    invocation.start_async(work)
    await invocation.join_async()
    assert ["work", "nested"] == events
    await invocation.join_async()


async def test_late_tasks_are_cancelled() -> None:
    """Tasks that are not over when the time is are cancelled, and have ended when `join_async` returns."""
    seconds = Seconds()
    invocation = Invocation(1.0, clock=seconds)
    events: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            events.append("ended")

    invocation.start_async(work)
    await asyncio.sleep(0)
    seconds.now += 1
    await invocation.join_async()
    assert ["ended"] == events


async def test_a_task_that_fails_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """An exception in a task breaks neither the handler nor the other tasks, and is logged."""
    invocation = Invocation()
    events: list[str] = []

    async def fail() -> None:
        raise KeyError("down")

    async def work() -> None:
        events.append("work")

    invocation.start_async(fail)
    invocation.start_async(work)
    with caplog.at_level(logging.ERROR, "asyncio"):
        await invocation.join_async()
    assert ["work"] == events
    [record] = caplog.records
    assert ("ERROR", True) == (record.levelname, "work beside a handler failed" in record.getMessage())
    assert record.exc_info is not None
    assert KeyError is record.exc_info[0]


def test_a_thread_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in a thread breaks neither the handler nor the joining, and reaches the hook for such."""
    said: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: said.append(arguments.exc_type))

    def fail() -> None:
        raise KeyError("down")

    invocation = Invocation()
    invocation.start(fail)
    invocation.join()
    assert [KeyError] == said


def test_which_loop_is_joined() -> None:
    """Only the loop that said so is one whose tasks are waited for."""
    invocation = Invocation()

    async def joins(*, first: bool) -> bool:
        if first:
            invocation.join_this_loop()
        return invocation.joins_this_loop()

    with asyncio.Runner() as one, asyncio.Runner() as two:
        assert not two.run(joins(first=False))
        assert one.run(joins(first=True))
        assert not two.run(joins(first=False))
        assert one.run(joins(first=False))
