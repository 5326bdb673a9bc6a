"""When a failed call is tried again: pure rules, no waiting."""

import time
from collections.abc import Callable
from typing import Any, Final, final

from momento_lambda.chance import system_chance
from momento_lambda.wire.rpc import Rpc
from momento_lambda.wire.status import RETRYABLE_STATUSES

LONGEST_IDLE_SECONDS: Final = 240.0
"""A connection that was left alone for longer is made anew: load balancers and NAT gateways drop it after 350 s."""

DOUBTFUL_SECONDS: Final = 5.0
"""After so long without a call the process may have been frozen, and the connection may be dead without a sign."""

SHORTEST_SILENCE_SECONDS: Final = 0.1
"""A connection that says nothing for so long, while a call waits, may be dead; less may be the caller's impatience."""

# What a call ends with when its connection is closed under it.
_LOST_CALL_STATUSES = frozenset({"CANCELLED", "DEADLINE_EXCEEDED"})
_FIRST_PAUSE = 0.02
_GROWTH = 4.0


@final
class Retry:
    """The further attempts of one failed call: at most so many, and none beyond the deadline that all share.

    Args:
        rpc: What was called; only what is safe to repeat is tried again.
        retries: How many attempts may follow the first.
        deadline: When the caller's patience ends, on the clock.
        doubtful: Whether the connection of the first attempt may have been dead.
        clock: Seconds, monotonic.
        chance: A number in [0, 1), for the jitter.
    """

    __slots__ = ("_chance", "_clock", "_deadline", "_doubtful", "_left", "_pause")

    def __init__(
        self,
        rpc: Rpc[Any, Any],
        retries: int,
        deadline: float,
        *,
        doubtful: bool = False,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = system_chance,
    ) -> None:
        self._left = retries if rpc.repeatable else 0
        self._deadline = deadline
        self._doubtful = doubtful
        self._pause = _FIRST_PAUSE
        self._clock = clock
        self._chance = chance

    def blames_connection(self, status: str, *, good: bool = False, silent: bool = False) -> bool:
        """Whether an attempt failed as on a dead connection, which is to be replaced then. Asked once for each.

        Args:
            status: The name of the gRPC status that the last attempt ended with.
            good: Whether its connection had given answers before.
            silent: Whether it had, and gave none while the attempt waited.
        """
        doubtful, self._doubtful = self._doubtful, False
        match status:
            case "CANCELLED":
                # By a server that has said goodbye, which was not heard in time: in a freeze, say.
                return good
            case "DEADLINE_EXCEEDED":
                return doubtful or silent
            case "UNAVAILABLE":
                return doubtful
        return False

    def pause_after(self, status: str, *, renewed: bool = False) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is to be none.

        Args:
            status: The name of the gRPC status that the last attempt ended with.
            renewed: Whether the connection was replaced since that attempt began, which may be all that it died of.
        """
        passing = status in RETRYABLE_STATUSES or (renewed and status in _LOST_CALL_STATUSES)
        if not passing or self._left <= 0:
            return None
        # Between half and all of it: clients that failed together do not come back together.
        pause = 0.0 if renewed else self._pause * (1 + self._chance()) / 2
        if pause >= self.time_left():
            return None
        self._left -= 1
        if not renewed:
            self._pause *= _GROWTH
        return pause

    def time_left(self) -> float:
        """Return the seconds until the deadline; not above 0 when it has passed."""
        return self._deadline - self._clock()
