"""A breaker: what fails again and again is left alone for a while, so that its failing costs nothing."""

import threading
import time
from collections.abc import Callable
from typing import Literal, TypeAlias, final

from momento_lambda.chance import system_chance
from momento_lambda.errors import InvalidArgumentError

BreakerState: TypeAlias = Literal["closed", "open", "half_open"]


@final
class Breaker:
    """Opens after failures in a row, lets nothing through for a while, then one probe, whose outcome decides.

    Threads and event loops may share one; so may caches.

    Args:
        failures: How many in a row open it.
        open_for: The shortest and the longest time it stays open, in seconds; each time is drawn anew, so that
            environments that failed together do not come back together.
        clock: Seconds, monotonic.
        chance: A number in [0, 1).

    Raises:
        InvalidArgumentError: No failures, or times that are not in order.
    """

    __slots__ = ("_chance", "_clock", "_failures", "_in_a_row", "_lock", "_open_for", "_probe_until", "_reopens_at")

    def __init__(
        self,
        failures: int = 2,
        open_for: tuple[float, float] = (5.0, 10.0),
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = system_chance,
    ) -> None:
        if failures < 1 or not 0 < open_for[0] <= open_for[1]:
            raise InvalidArgumentError(
                f"Breaker({failures}, open_for={open_for}): give at least one failure, and two times above 0 in order"
            )
        self._failures = failures
        self._open_for = open_for
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._reopens_at: float | None = None
        self._probe_until: float | None = None

    @property
    def state(self) -> BreakerState:
        """What it lets through: everything when "closed", nothing when "open", one probe when "half_open"."""
        with self._lock:
            if self._reopens_at is None:
                return "closed"
            return "open" if self._clock() < self._reopens_at else "half_open"

    def allows(self) -> bool:
        """Whether the next operation may be tried. One that is must report `succeeded`, `failed` or `gave_up`."""
        if self._reopens_at is None:
            return True
        with self._lock:
            return self._allows_probe()

    def succeeded(self) -> None:
        """Note that an operation worked."""
        if self._in_a_row or self._reopens_at is not None:
            with self._lock:
                self._in_a_row = 0
                self._reopens_at = self._probe_until = None

    def failed(self) -> bool:
        """Note that an operation failed in a way that the next may too, and return whether that opened the breaker."""
        with self._lock:
            self._in_a_row += 1
            was_open = self._reopens_at is not None
            if not was_open and self._in_a_row < self._failures:
                return False
            shortest, longest = self._open_for
            self._reopens_at = self._clock() + shortest + (longest - shortest) * self._chance()
            self._probe_until = None
            return not was_open

    def gave_up(self) -> None:
        """Note that an operation ended without telling anything, so that another may probe."""
        if self._probe_until is not None:
            with self._lock:
                self._probe_until = None

    def _allows_probe(self) -> bool:
        now = self._clock()
        if self._reopens_at is None:
            # It closed meanwhile.
            return True
        if now < self._reopens_at or (self._probe_until is not None and now < self._probe_until):
            return False
        # A probe that never reports, in a process that was frozen for good, must not hold the door shut.
        self._probe_until = now + self._open_for[1]
        return True
