"""Time as the server takes it: a callable, so that tests hand in their own."""

import time
from collections.abc import Callable
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], int]
"""Whole nanoseconds since some moment in the past; it never goes back."""

NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
NANOSECONDS_PER_SECOND: Final = 1_000_000_000

monotonic: Final[Clock] = time.monotonic_ns

WallClock: TypeAlias = Callable[[], float]
"""Seconds since 1970, which is how tokens count their expiry."""
