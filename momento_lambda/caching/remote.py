"""The remote cache as plans see it: every operation behind the breaker, timed, told of, and never silent."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, final

from momento_lambda.caching.breaker import Breaker
from momento_lambda.caching.events import Observers
from momento_lambda.caching.steps import Claim, Get, Remove, Step, Store
from momento_lambda.caching.trouble import Operation, Trouble
from momento_lambda.errors import (
    ClientStateError,
    DeadlineExceededError,
    InvalidArgumentError,
    MomentoError,
    UnavailableError,
)
from momento_lambda.responses import GetResponse, Stored

_LEFT_ALONE: Final = "the cache failed several times in a row and is left alone for a few seconds"
_NO_TIME: Final = "the invocation has no time left for the cache"


@final
class Remote:
    """The operations of one cache.

    Args:
        breaker: What leaves the cache alone after failures.
        trouble: Where failures are said.
        observers: Who is told of what happens.
        time_left: The seconds that the invocation has left; None where nobody says.
        clock: Seconds, monotonic.
    """

    __slots__ = ("_breaker", "_clock", "_observers", "_time_left", "_trouble")

    def __init__(
        self,
        breaker: Breaker,
        trouble: Trouble,
        observers: Observers,
        time_left: Callable[[], float | None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._breaker = breaker
        self._trouble = trouble
        self._observers = observers
        self._time_left = time_left
        self._clock = clock

    def fetch(self, keys: Sequence[str]) -> Generator[Step, Any, tuple[Sequence[GetResponse], MomentoError | None]]:
        """Read keys: an answer for each, or none and the error."""
        outcome = yield from self._ask("read", Get(keys))
        return ((), outcome) if isinstance(outcome, MomentoError) else (outcome, None)

    def store(self, items: Mapping[str, bytes], ttls: Mapping[str, float]) -> Generator[Step, Any, MomentoError | None]:
        """Write items, with TTLs in seconds; return the error, if there was one."""
        started = self._clock()
        error: MomentoError | None = yield from self._ask("write", Store(items, ttls))
        if error is None:
            self._observers.tell("store", len(items), seconds=self._clock() - started)
        return error

    def claim(self, key: str, value: bytes, ttl: float) -> Generator[Step, Any, bool | None]:
        """Write an item where there is none: whether that was so, or None where the cache does not say."""
        outcome = yield from self._ask("write", Claim(key, value, ttl))
        return None if isinstance(outcome, MomentoError) else isinstance(outcome, Stored)

    def remove(self, key: str) -> Generator[Step, Any, MomentoError | None]:
        """Delete a key; return the error, if there was one."""
        error: MomentoError | None = yield from self._ask("write", Remove(key))
        return error

    def _ask(self, operation: Operation, step: Step) -> Generator[Step, Any, Any]:
        if not self._breaker.allows():
            self._observers.tell("breaker_skip")
            return UnavailableError(_LEFT_ALONE)
        if self._time_left() == 0:
            self._breaker.gave_up()
            late = DeadlineExceededError(_NO_TIME)
            self._observers.tell("error", error=late.code)
            self._trouble.failed(operation, late)
            return late
        told, started = False, self._clock()
        try:
            outcome = yield step
            told = True
        finally:
            if not told:
                self._breaker.gave_up()
        if isinstance(outcome, MomentoError):
            self._failed(operation, outcome, self._clock() - started)
        else:
            self._breaker.succeeded()
            self._trouble.worked(operation)
        return outcome

    def _failed(self, operation: Operation, error: MomentoError, seconds: float) -> None:
        self._observers.tell("error", seconds=seconds, error=error.code)
        self._trouble.failed(operation, error)
        if error.retryable:
            if self._breaker.failed():
                self._observers.tell("breaker_open")
        elif isinstance(error, (ClientStateError, InvalidArgumentError)):
            # Nothing was sent, so nothing is known of the server.
            self._breaker.gave_up()
        else:
            self._breaker.succeeded()
