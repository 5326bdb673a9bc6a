"""Many measurements of one thing, as their middle and how far they lie apart."""

import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of measurements, and the quartiles around it."""

    median: float
    low: float
    high: float

    def shown(self, digits: int = 2) -> str:
        """Return all three as a cell of a table."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


def spread(measurements: Iterable[float]) -> Spread:
    """Return the median and the quartiles of measurements."""
    found = sorted(measurements)
    if len(found) == 1:
        return Spread(found[0], found[0], found[0])
    low, median, high = statistics.quantiles(found, n=4, method="inclusive")
    return Spread(median, low, high)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Return by how much the one is larger, round by round: what slows a whole round down concerns both alike."""
    return spread(each / other for each, other in zip(ours, theirs, strict=True))


def percentile(sorted_measurements: Sequence[float], percent: float) -> float:
    """Return the measurement that so many of a hundred do not exceed."""
    return sorted_measurements[min(len(sorted_measurements) - 1, int(len(sorted_measurements) * percent / 100))]
