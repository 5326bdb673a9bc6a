"""What was counted in one invocation, in the words of logs and traces."""

import threading
from typing import TypeAlias, final

from momento_lambda.caching.events import CacheEvent, Statistics
from momento_lambda.runtime.invocation import Invocation, current_invocation

Summary: TypeAlias = dict[str, int | float]
"""Counts, and where there is one the hit rate, and the time that loads took."""


@final
class InvocationStatistics:
    """Counts events, from nothing in each invocation of a handler that `Cache.handler` wraps.

    Outside such a handler they are counted since the process began. One invocation at a time is what it is made for, as
    a Lambda function runs them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statistics = Statistics()
        self._invocation: Invocation | None = None

    def count(self, event: CacheEvent) -> Summary:
        """Count an event, and return what the invocation came to with it."""
        invocation = current_invocation()
        with self._lock:
            # A thread that the handler started itself may not know its invocation: that is no new one.
            if invocation is not None and invocation is not self._invocation:
                self._invocation = invocation
                self._statistics.reset()
            self._statistics.on_event(event)
            return _summary(self._statistics)


def _summary(statistics: Statistics) -> Summary:
    summary: Summary = {
        "hits": statistics.hits,
        "misses": statistics.misses,
        "loads": statistics.counts["load"],
        "errors": statistics.counts["error"],
    }
    if statistics.hit_rate is not None:
        summary["hit_rate"] = round(statistics.hit_rate, 3)
    if statistics.counts["load"]:
        summary["load_ms"] = round(float(statistics.seconds["load"]) * 1000, 3)
    return summary
