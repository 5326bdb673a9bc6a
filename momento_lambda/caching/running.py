"""Plans carried out: their steps with a client and a loader, for threads and for coroutines."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast, final

from momento_lambda.caching.single_flight import SingleFlight
from momento_lambda.caching.steps import Beside, Claim, Get, Load, Once, Pause, Plan, Raised, Remove, Store
from momento_lambda.errors import InvalidArgumentError, MomentoError
from momento_lambda.runtime.clients import ClientSource
from momento_lambda.runtime.invocation import Invocation, current_invocation, time_left

T = TypeVar("T")

CACHE_NAME_VARIABLE = "MOMENTO_CACHE_NAME"

# A refresh is started only where the invocation has this many times as long left as the loader took last time.
_TIMES_THE_COST = 2


@final
class Runner:
    """Carries out the plans of one cache.

    Only what the client raises counts as trouble with the cache; what the loader raises is the caller's.

    Args:
        clients: Where the client comes from.
        cache_name: The cache; None when the environment should have named it and did not.
        flights: The loads of this process.
        sleep: Waits some seconds, for threads; coroutines wait in their loop.
    """

    __slots__ = ("_cache_name", "_clients", "_flights", "_sleep")

    def __init__(
        self,
        clients: ClientSource,
        cache_name: str | None,
        flights: SingleFlight,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clients = clients
        self._cache_name = cache_name
        self._flights = flights
        self._sleep = sleep

    def run(self, plan: Plan, load: Callable[..., Any]) -> Any:
        """Carry out a plan with the client for threads, and return its outcome or raise it."""
        return _unwrap(self._run(plan, load))

    async def run_async(self, plan: Plan, load: Callable[..., Awaitable[Any]]) -> Any:
        """Carry out a plan with the client of the running event loop, and return its outcome or raise it."""
        return _unwrap(await self._run_async(plan, load))

    def _run(self, plan: Plan, load: Callable[..., Any]) -> Any:
        outcome: Any = None
        try:
            while True:
                step = plan.send(outcome)
                match step:
                    # First, because a hit asks for nothing else.
                    case Get() | Store() | Claim() | Remove():
                        outcome = self._ask(step)
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
                    case Get() | Store() | Claim() | Remove():
                        outcome = await self._ask_async(step)
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

    def _ask(self, step: Get | Store | Claim | Remove) -> Any:
        try:
            answer = _call(step, self._name(), self._clients.for_threads())
        except MomentoError as error:
            return error
        return (answer,) if isinstance(step, Get) and len(step.keys) == 1 else answer

    async def _ask_async(self, step: Get | Store | Claim | Remove) -> Any:
        try:
            answer = await _call(step, self._name(), await self._clients.for_loop())
        except MomentoError as error:
            return error
        return (answer,) if isinstance(step, Get) and len(step.keys) == 1 else answer

    def _name(self) -> str:
        if self._cache_name is None:
            raise InvalidArgumentError(f"no cache is named: set {CACHE_NAME_VARIABLE}, or pass a name to Cache()")
        return self._cache_name


def _call(step: Get | Store | Claim | Remove, name: str, client: Any) -> Any:
    """Call the client for a step; of the one kind of client it answers, of the other it returns what to await."""
    match step:
        case Get(keys=keys):
            return client.get(name, keys[0]) if len(keys) == 1 else client.get_multi(name, keys)
        case Store(items=items, ttls=ttls) if len(items) == 1:
            ((key, value),) = items.items()
            return client.set(name, key, value, ttls[key])
        case Store(items=items, ttls=ttls):
            return client.set_multi(name, items, ttls=ttls)
        case Claim(key=key, value=value, ttl=ttl):
            return client.set_if_absent(name, key, value, ttl)
        case Remove(key=key):
            return client.delete(name, key)


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


def _unwrap(outcome: Any) -> Any:
    if isinstance(outcome, Raised):
        raise outcome.error
    return cast("Any", outcome)
