"""Time as the server takes it: a callable, so that tests hand in their own."""

import time
from collections.abc import Callable
from typing import Final, TypeAlias, final

from momento_lambda.ttl import Ttl, duration_milliseconds

Clock: TypeAlias = Callable[[], int]
"""Whole nanoseconds since some moment in the past; it never goes back."""

NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
NANOSECONDS_PER_SECOND: Final = 1_000_000_000

monotonic: Final[Clock] = time.monotonic_ns

WallClock: TypeAlias = Callable[[], float]
"""Seconds since 1970, which is how tokens count their expiry."""


@final
class ManualClock:
    """A clock that stands still until it is told to go on, for tests of what expires.

    clock = ManualClock()
    with LocalServer(clock=clock) as server:
        ...
        clock.advance("5m")
    """

    __slots__ = ("_now",)

    def __init__(self) -> None:
        self._now = 0

    def __call__(self) -> int:
        """Return the time."""
        return self._now

    def advance(self, duration: Ttl) -> None:
        """Go on by seconds, a timedelta, or text such as "90s"; never back.

        Raises:
            InvalidArgumentError: Not a duration.
        """
        self._now += max(duration_milliseconds(duration), 0) * NANOSECONDS_PER_MILLISECOND
