"""The remote cache as plans see it: every operation behind the breaker, timed, told of, and never silent."""

import time
from collections.abc import Callable
from typing import Any, Final, final

from momento_lambda.caching.breaker import Breaker
from momento_lambda.caching.events import Observers
from momento_lambda.caching.steps import Ask, Store
from momento_lambda.caching.trouble import Trouble
from momento_lambda.errors import (
    AuthenticationError,
    ClientStateError,
    DeadlineExceededError,
    InvalidArgumentError,
    LimitExceededError,
    MomentoError,
    UnavailableError,
)
from momento_lambda.runtime.clients import ClientSource

CACHE_NAME_VARIABLE: Final = "MOMENTO_CACHE_NAME"
_LEFT_ALONE: Final = "the cache failed several times in a row and is left alone for a few seconds"
_NO_TIME: Final = "the invocation has no time left for the cache"


@final
class Remote:
    """One cache on the server, asked by threads and by coroutines.

    Only what the client raises counts as trouble with the cache, and is an outcome like any other.

    Args:
        clients: Where the client comes from.
        cache_name: The cache; None when the environment should have named it and did not.
        breaker: What leaves the cache alone after failures.
        trouble: Where failures are said.
        observers: Who is told of what happens.
        time_left: The seconds that the invocation has left; None where nobody says.
        clock: Seconds, monotonic.
    """

    __slots__ = ("_breaker", "_cache_name", "_clients", "_clock", "_observers", "_time_left", "_trouble")

    def __init__(
        self,
        clients: ClientSource,
        cache_name: str | None,
        *,
        breaker: Breaker,
        trouble: Trouble,
        observers: Observers,
        time_left: Callable[[], float | None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clients = clients
        self._cache_name = cache_name
        self._breaker = breaker
        self._trouble = trouble
        self._observers = observers
        self._time_left = time_left
        self._clock = clock

    def ask(self, step: Ask) -> Any:
        """Ask with the client for threads, and return the answer or the error."""
        refusal = self._refusal(step)
        if refusal is not None:
            return refusal
        try:
            name = self._cache_name or _unnamed()
            client = self._clients.for_threads()
            try:
                answer = step.put_to(client, name)
            except AuthenticationError:
                # The token may have been rotated: then there is another client by now.
                fresh = self._clients.for_threads()
                if fresh is client:
                    raise
                answer = step.put_to(fresh, name)
        except MomentoError as error:
            self._failed(step, error)
            return error
        except BaseException:
            self._breaker.gave_up()
            raise
        self._worked(step)
        return answer

    async def ask_async(self, step: Ask) -> Any:
        """Ask with the client of the running event loop, and return the answer or the error."""
        refusal = self._refusal(step)
        if refusal is not None:
            return refusal
        try:
            name = self._cache_name or _unnamed()
            client = await self._clients.for_loop()
            try:
                answer = await step.put_to(client, name)
            except AuthenticationError:
                # As above.
                fresh = await self._clients.for_loop()
                if fresh is client:
                    raise
                answer = await step.put_to(fresh, name)
        except MomentoError as error:
            self._failed(step, error)
            return error
        except BaseException:
            self._breaker.gave_up()
            raise
        self._worked(step)
        return answer

    def _refusal(self, step: Ask) -> MomentoError | None:
        """Return why the client is not to be asked; None where it is, and from when on."""
        if not self._breaker.allows():
            self._observers.tell("breaker_skip")
            return UnavailableError(_LEFT_ALONE)
        if self._time_left() == 0:
            self._breaker.gave_up()
            late = DeadlineExceededError(_NO_TIME)
            self._observers.tell("error", error=late.code)
            self._trouble.failed(step.operation, late)
            return late
        step.asked_at = self._clock()
        return None

    def _worked(self, step: Ask) -> None:
        step.seconds = self._clock() - step.asked_at
        self._breaker.succeeded()
        self._trouble.worked(step.operation)
        if isinstance(step, Store):
            self._observers.tell("store", len(step.items), seconds=step.seconds)

    def _failed(self, step: Ask, error: MomentoError) -> None:
        self._observers.tell("error", seconds=self._clock() - step.asked_at, error=error.code)
        self._trouble.failed(step.operation, error)
        if error.retryable:
            if self._breaker.failed():
                self._observers.tell("breaker_open")
        elif isinstance(error, (ClientStateError, InvalidArgumentError, LimitExceededError)):
            # Nothing was sent, or this one item was too large: nothing is known of how the next would fare.
            self._breaker.gave_up()
        else:
            self._breaker.succeeded()


def _unnamed() -> str:
    raise InvalidArgumentError(f"no cache is named: set {CACHE_NAME_VARIABLE}, or pass a name to Cache()")
