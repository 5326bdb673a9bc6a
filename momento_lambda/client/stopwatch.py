"""Time that also goes by while the process is frozen."""

import time
from collections.abc import Callable
from typing import Final, TypeAlias, final

Clocks: TypeAlias = tuple[Callable[[], float], Callable[[], float]]
"""The monotonic clock and the wall clock, in seconds."""

CLOCKS: Final[Clocks] = (time.monotonic, time.time)


@final
class Stopwatch:
    """Seconds since it was started, by whichever clock saw more of them go by.

    While an environment is frozen the monotonic clock may stand still; the wall clock goes on, but may be set back.
    So neither is believed when it says that little time went by.
    """

    __slots__ = ("_monotonic", "_monotonic_start", "_wall", "_wall_start")

    def __init__(self, clocks: Clocks = CLOCKS) -> None:
        self._monotonic, self._wall = clocks
        self._monotonic_start, self._wall_start = self._monotonic(), self._wall()

    def restart(self) -> float:
        """Return the seconds so far, and count anew."""
        monotonic, wall = self._monotonic(), self._wall()
        by_monotonic, by_wall = monotonic - self._monotonic_start, wall - self._wall_start
        self._monotonic_start, self._wall_start = monotonic, wall
        return by_monotonic if by_monotonic > by_wall else by_wall  # noqa: FURB136  # on the way of every call

    def seconds(self) -> float:
        """Return the seconds so far."""
        return max(self._monotonic() - self._monotonic_start, self._wall() - self._wall_start)
