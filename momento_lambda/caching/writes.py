"""What changes the cache by hand, without I/O: storing a value that was not loaded, and invalidating a key."""

from collections.abc import Generator
from typing import Any, final

from momento_lambda.caching.events import Observers
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.shelf import Shelf
from momento_lambda.caching.single_flight import LoadsUnderWay, SingleFlight
from momento_lambda.caching.steps import Load, Raised, Remove, Step, Store
from momento_lambda.caching.trouble import Trouble


@final
class Writes:
    """How one cache is written by hand.

    Args:
        shelf: What turns values into stored ones, and this process's own tier.
        flights: The loads that callers share, which later callers must not.
        loads: The loads under way, which must not store what is older.
        trouble: Where a key that could not be invalidated is reported.
        observers: Who is told of what happens.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        flights: SingleFlight,
        loads: LoadsUnderWay,
        trouble: Trouble,
        observers: Observers,
    ) -> None:
        self._shelf = shelf
        self._flights = flights
        self._loads = loads
        self._trouble = trouble
        self._observers = observers

    def put(self, key: str, value: Any, policy: Policy) -> Generator[Step, Any, bool | Raised]:
        """Store a value, and return whether it was."""
        self._outdate(key)
        loaded = policy.lifetime.of(value)
        entry, stored, error = self._shelf.pack(key, loaded, policy)
        if stored is not None:
            error = yield Store({key: stored}, {key: loaded.kept_ms / 1000})
        if error is not None and policy.raise_errors:
            return Raised(error)
        if error is not None or stored is None:
            return False
        self._shelf.keep(key, stored, entry, policy)
        return True

    def invalidate(self, key: str, *, strict: bool) -> Generator[Step, Any, bool | Raised]:
        """Remove a key, and return whether the cache did.

        Args:
            key: The key.
            strict: Whether an error is raised rather than reported.
        """
        self._outdate(key)
        self._observers.tell("invalidate")
        error = yield Remove(key)
        if error is None:
            return True
        if strict:
            return Raised(error)
        self._trouble.not_invalidated(error)
        return False

    def write_through(self, key: str, value: Any, policy: Policy) -> Generator[Step, Any, Any]:
        """Have a value written where it belongs, then store it; return what the writer returned.

        The cache is invalidated where it cannot be updated: what is gone is loaded anew, what is old would stay.
        """
        self._outdate(key)
        returned = yield Load(value)
        if isinstance(returned, Raised):
            return returned
        stored = yield from self.put(key, value, policy)
        if stored is not True:
            removed = yield from self.invalidate(key, strict=policy.raise_errors)
            if isinstance(removed, Raised):
                return removed
        return returned

    def _outdate(self, key: str) -> None:
        """Let loads that are under way return to those who wait for them, to nobody else, and not be stored."""
        self._loads.invalidate(key)
        self._flights.forget(key)
        self._shelf.forget(key)
