"""When a failed call is tried again: pure rules, no waiting."""

import time
from collections.abc import Callable
from typing import Any, final

from momento_lambda.chance import system_chance
from momento_lambda.wire.rpc import Rpc
from momento_lambda.wire.status import RETRYABLE_STATUSES

_FIRST_PAUSE = 0.02
_GROWTH = 4.0


@final
class Retry:
    """The further attempts of one failed call: at most so many, and none beyond the deadline that all share.

    Args:
        rpc: What was called; only what is safe to repeat is tried again.
        retries: How many attempts may follow the first.
        deadline: When the caller's patience ends, on the clock.
        clock: Seconds, monotonic.
        chance: A number in [0, 1), for the jitter.
    """

    __slots__ = ("_chance", "_clock", "_deadline", "_left", "_pause")

    def __init__(
        self,
        rpc: Rpc[Any, Any],
        retries: int,
        deadline: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = system_chance,
    ) -> None:
        self._left = retries if rpc.repeatable else 0
        self._deadline = deadline
        self._pause = _FIRST_PAUSE
        self._clock = clock
        self._chance = chance

    def pause_after(self, status: str) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is to be none.

        Args:
            status: The name of the gRPC status that the last attempt ended with.
        """
        if status not in RETRYABLE_STATUSES or self._left <= 0:
            return None
        # Between half and all of it: clients that failed together do not come back together.
        pause = self._pause * (1 + self._chance()) / 2
        if pause >= self.time_left():
            return None
        self._left -= 1
        self._pause *= _GROWTH
        return pause

    def time_left(self) -> float:
        """Return the seconds until the deadline; not above 0 when it has passed."""
        return self._deadline - self._clock()
