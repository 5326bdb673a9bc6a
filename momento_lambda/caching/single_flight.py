"""One load per key at a time in this process: whoever comes meanwhile gets the same outcome."""

import contextvars
import threading
import weakref
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from momento_lambda.errors import ClientStateError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

# What waiters are told when a leader went away without an outcome: one of them leads next.
_ABANDONED: Final = object()
_REMEMBERED_LANDINGS = 1024


@final
class _Mark:
    """Says of a context that it is inside a load. Contexts are copied, so it may be seen after the load is over."""

    __slots__ = ("flights", "key", "over")

    def __init__(self, flights: "SingleFlight", key: str) -> None:
        self.flights = flights
        self.key = key
        self.over = False


_loading: contextvars.ContextVar[tuple[_Mark, ...]] = contextvars.ContextVar("loading", default=())


@final
class _ThreadFlight:
    """A load that one thread leads and others wait for."""

    __slots__ = ("_landed", "_outcome")

    def __init__(self) -> None:
        self._landed = threading.Event()
        self._outcome: Any = _ABANDONED

    def land(self, outcome: Any) -> None:
        self._outcome = outcome
        self._landed.set()

    def wait(self, patience: float | None) -> Any:
        """Return the outcome; that it was abandoned, where the leader takes longer than the waiter can."""
        self._landed.wait(patience)
        return self._outcome


@final
class SingleFlight:
    """Flights of one cache, for threads and for each event loop apart.

    The outcome that `lead` returns goes to everyone; what `lead` raises goes to the leader alone (an interruption, a
    cancellation), and another one leads. An error that everyone is to get is an outcome.

    Attributes:
        landings: How many loads have landed: a mark of this moment, for `landed_since`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: dict[str, _ThreadFlight] = {}
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Future[Any]]] = (
            weakref.WeakKeyDictionary()
        )
        self.landings = 0
        self._last_landing: OrderedDict[str, int] = OrderedDict()

    def landed_since(self, key: str, landings: int) -> bool:
        """Whether a load of the key may have landed since: what was missing then may be there now."""
        with self._lock:
            if self.landings - landings >= _REMEMBERED_LANDINGS:
                return True
            return self._last_landing.get(key, 0) > landings

    def under_way(self, key: str) -> bool:
        """Whether a thread is loading the key."""
        return key in self._threads

    def under_way_here(self, key: str) -> bool:
        """Whether a task of the running event loop is loading the key."""
        import asyncio  # noqa: PLC0415  # a running loop has imported it; plain functions never pay for it

        return key in self._loops.get(asyncio.get_running_loop(), {})

    def share(self, key: str, lead: Callable[[], T], patience: Callable[[], float | None]) -> tuple[T, bool]:
        """Return the outcome of the one load of a key that is under way, or lead it; and whether it was led.

        Args:
            key: What is loaded.
            lead: Loads it.
            patience: The seconds that this caller can wait for another's load, None for as long as it takes.
                After that, it loads for itself.

        Raises:
            ClientStateError: The key is being loaded by a caller of this very call, which would wait for ever.
        """
        self._refuse_recursion(key)
        while True:
            with self._lock:
                flight = self._threads.get(key)
                if flight is None:
                    leading = self._threads[key] = _ThreadFlight()
            if flight is None:
                return self._lead(key, leading, lead), True
            left = patience()
            outcome = flight.wait(left)
            if outcome is not _ABANDONED:
                return outcome, False
            if left is not None and (patience() or 0) <= 0:
                return lead(), True

    async def share_async(self, key: str, lead: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """Return the outcome of the one load of a key that is under way in this event loop, or lead it; and which.

        Raises:
            ClientStateError: As `share`.
        """
        import asyncio  # noqa: PLC0415  # a running loop has imported it; plain functions never pay for it

        self._refuse_recursion(key)
        loop = asyncio.get_running_loop()
        with self._lock:
            flights = self._loops.setdefault(loop, {})
        while True:
            with self._lock:
                flight = flights.get(key)
                if flight is None:
                    leading = flights[key] = loop.create_future()
            if flight is None:
                return await self._lead_async(key, flights, leading, lead), True
            # Shielded: one waiter that is cancelled must not cancel the others.
            outcome = await asyncio.shield(flight)
            if outcome is not _ABANDONED:
                return outcome, False

    def forget(self, key: str) -> None:
        """Have later callers load the key anew; those who share a load of it already still get its outcome."""
        with self._lock:
            self._threads.pop(key, None)
            for flights in self._loops.values():
                flights.pop(key, None)

    def _refuse_recursion(self, key: str) -> None:
        if any(mark.flights is self and mark.key == key and not mark.over for mark in _loading.get()):
            raise ClientStateError("a loader asks the cache for the very key it is loading, and would wait for itself")

    def _lead(self, key: str, flight: _ThreadFlight, lead: Callable[[], T]) -> T:
        outcome: Any = _ABANDONED
        mark = _Mark(self, key)
        reset = _loading.set((*_loading.get(), mark))
        try:
            led = outcome = lead()
        finally:
            _loading.reset(reset)
            mark.over = True
            self._land(key, self._threads, flight)
            flight.land(outcome)
        return led

    async def _lead_async(
        self,
        key: str,
        flights: "dict[str, asyncio.Future[Any]]",
        flight: "asyncio.Future[Any]",
        lead: Callable[[], Awaitable[T]],
    ) -> T:
        outcome: Any = _ABANDONED
        mark = _Mark(self, key)
        reset = _loading.set((*_loading.get(), mark))
        try:
            led = outcome = await lead()
        finally:
            _loading.reset(reset)
            mark.over = True
            self._land(key, flights, flight)
            flight.set_result(outcome)
        return led

    def _land(self, key: str, flights: dict[str, Any], flight: object) -> None:
        with self._lock:
            # Another may lead where this one was forgotten.
            if flights.get(key) is flight:
                del flights[key]
            self._note_landing(key)

    def _note_landing(self, key: str) -> None:
        self.landings += 1
        self._last_landing[key] = self.landings
        self._last_landing.move_to_end(key)
        if len(self._last_landing) > _REMEMBERED_LANDINGS:
            self._last_landing.popitem(last=False)


@final
class LoadsUnderWay:
    """Loads between their start and their store, so that an invalidation meanwhile keeps them from storing."""

    __slots__ = ("_loads", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loads: dict[str, list[LoadUnderWay]] = {}

    def begin(self, key: str) -> "LoadUnderWay":
        """Note that a load of the key starts; close it with a `with` block."""
        load = LoadUnderWay(self, key)
        with self._lock:
            self._loads.setdefault(key, []).append(load)
        return load

    def invalidate(self, key: str) -> None:
        """Keep the loads of the key that are under way from storing what they return."""
        with self._lock:
            for load in self._loads.get(key, ()):
                load.valid = False

    def end(self, key: str, load: "LoadUnderWay") -> None:
        """Note that a load is over."""
        with self._lock:
            loads = self._loads[key]
            loads.remove(load)
            if not loads:
                del self._loads[key]


@final
class LoadUnderWay:
    """One load, from its start to its store.

    Attributes:
        valid: Whether what it returns may be stored: the key was not invalidated since it started.
    """

    __slots__ = ("_key", "_loads", "valid")

    def __init__(self, loads: LoadsUnderWay, key: str) -> None:
        self._loads = loads
        self._key = key
        self.valid = True

    def __enter__(self) -> "LoadUnderWay":
        return self

    def __exit__(self, *_: object) -> None:
        self._loads.end(self._key, self)
