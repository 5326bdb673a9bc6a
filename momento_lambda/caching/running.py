"""Plans carried out: their steps with the remote cache and a loader, for threads and for coroutines."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, final

from momento_lambda.caching.remote import Remote
from momento_lambda.caching.single_flight import SingleFlight
from momento_lambda.caching.steps import Ask, Beside, Load, Once, Pause, Plan, Raised
from momento_lambda.runtime.invocation import Invocation, current_invocation, time_left

T = TypeVar("T")

# A refresh is started only where the invocation has this many times as long left as the loader took last time.
_TIMES_THE_COST = 2


@final
class Runner:
    """Carries out the plans of one cache.

    Args:
        remote: The remote cache.
        flights: The loads of this process.
        sleep: Waits some seconds, for threads; coroutines wait in their loop.
    """

    __slots__ = ("_flights", "_remote", "_sleep")

    def __init__(self, remote: Remote, flights: SingleFlight, sleep: Callable[[float], None] = time.sleep) -> None:
        self._remote = remote
        self._flights = flights
        self._sleep = sleep

    def run(self, plan: Plan, load: Callable[..., Any]) -> Any:
        """Carry out a plan with the client for threads, and return its outcome or raise it."""
        outcome = self._run(plan, load)
        if isinstance(outcome, Raised):
            raise outcome.error
        return outcome

    async def run_async(self, plan: Plan, load: Callable[..., Awaitable[Any]]) -> Any:
        """Carry out a plan with the client of the running event loop, and return its outcome or raise it."""
        outcome = await self._run_async(plan, load)
        if isinstance(outcome, Raised):
            raise outcome.error
        return outcome

    def _run(self, plan: Plan, load: Callable[..., Any]) -> Any:
        outcome: Any = None
        try:
            while True:
                step = plan.send(outcome)
                match step:
                    # First, because a hit asks for nothing else.
                    case Ask():
                        outcome = self._remote.ask(step)
                    case Load():
                        outcome = _attempt(load, step.arguments)
                    case Once():
                        outcome = self._flights.share(step.key, lambda: self._run(step.plan(), load), time_left)  # noqa: B023  # called before the next step
                    case Beside():
                        outcome = self._start(step, load)
                    case Pause():
                        outcome = None
                        self._sleep(step.seconds)
        except StopIteration as end:
            return end.value
        finally:
            # Whatever interrupted a step, the plan lets go of what it holds now, not when its traceback is forgotten.
            plan.close()

    async def _run_async(self, plan: Plan, load: Callable[..., Awaitable[Any]]) -> Any:
        outcome: Any = None
        try:
            while True:
                step = plan.send(outcome)
                match step:
                    # First, because a hit asks for nothing else.
                    case Ask():
                        outcome = await self._remote.ask_async(step)
                    case Load():
                        outcome = await _attempt_async(load, step.arguments)
                    case Once():
                        outcome = await self._flights.share_async(step.key, lambda: self._run_async(step.plan(), load))  # noqa: B023  # called before the next step
                    case Beside():
                        outcome = self._start_async(step, load)
                    case Pause():
                        outcome = None
                        await _sleep_async(step.seconds)
        except StopIteration as end:
            return end.value
        finally:
            # As above.
            plan.close()

    def _start(self, step: Beside, load: Callable[..., Any]) -> bool | None:
        invocation = current_invocation()
        if invocation is None:
            return None
        if self._flights.under_way(step.key) or not _time_for(step, invocation):
            return False
        invocation.start(
            lambda: self._flights.share(step.key, lambda: self._run(step.plan(), load), invocation.time_left)
        )
        return True

    def _start_async(self, step: Beside, load: Callable[..., Awaitable[Any]]) -> bool | None:
        invocation = current_invocation()
        if invocation is None or not invocation.joins_this_loop():
            return None
        if self._flights.under_way_here(step.key) or not _time_for(step, invocation):
            return False
        invocation.start_async(lambda: self._flights.share_async(step.key, lambda: self._run_async(step.plan(), load)))
        return True


def _attempt(load: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    try:
        return load(*arguments)
    except Exception as error:  # noqa: BLE001  # a loader may raise anything; the plan decides who gets it
        return Raised(error)


async def _attempt_async(load: Callable[..., Awaitable[Any]], arguments: tuple[Any, ...]) -> Any:
    try:
        return await load(*arguments)
    except Exception as error:  # noqa: BLE001  # a loader may raise anything; the plan decides who gets it
        return Raised(error)


async def _sleep_async(seconds: float) -> None:
    import asyncio  # noqa: PLC0415  # a running loop has imported it; plain functions never pay for it

    await asyncio.sleep(seconds)


def _time_for(step: Beside, invocation: Invocation) -> bool:
    left = invocation.time_left()
    return left is None or left >= step.seconds * _TIMES_THE_COST
