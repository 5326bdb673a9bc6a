"""What a cache did in an invocation, as lines that CloudWatch reads metrics from (the embedded metric format)."""

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, final

from momento_lambda.caching.breaker import Breaker
from momento_lambda.caching.events import CacheEvent
from momento_lambda.caching.metric_names import BREAKER_OPEN, COUNTS, TIMES

_Values: TypeAlias = Mapping[str, "int | list[float]"]

# CloudWatch takes so many values of one metric from a line.
_VALUES_A_LINE: Final = 100


@final
class InvocationMetrics:
    """Gathers the metrics of one invocation, each time a value of its own, so that CloudWatch knows their percentiles.

    Args:
        cache_name: The dimension of the metrics.
        namespace: Their namespace in CloudWatch.
        breaker: Whose state is one of them.
    """

    def __init__(self, cache_name: str, namespace: str, breaker: Breaker) -> None:
        self._cache_name = cache_name
        self._namespace = namespace
        self._breaker = breaker
        # Values are loaded anew beside the handler, in threads of their own.
        self._lock = threading.Lock()
        self._counts = {name: 0 for names in COUNTS.values() for name in names}
        self._times: dict[str, list[float]] = {}

    def on_event(self, event: CacheEvent) -> None:
        """Add an event's metrics."""
        with self._lock:
            for name in COUNTS.get(event.kind, ()):
                self._counts[name] += event.items
            if event.seconds is not None and event.kind in TIMES:
                self._times.setdefault(TIMES[event.kind], []).append(round(event.seconds * 1000, 3))

    def write(self) -> None:
        """Print them to standard output, which on Lambda is the function's log; nothing where nothing was counted."""
        # Whoever loads beside the handler may be late, and still at work.
        with self._lock:
            lines = [self._line(values) for values in self._values()] if any(self._counts.values()) else []
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()

    def _values(self) -> Iterator[_Values]:
        """Yield the values of each line: one line, but for an invocation that read more than a line takes."""
        breaker_open = int(self._breaker.state != "closed")
        yield {**self._counts, BREAKER_OPEN: breaker_open, **self._times_from(0)}
        longest = max(map(len, self._times.values()), default=0)
        for start in range(_VALUES_A_LINE, longest, _VALUES_A_LINE):
            yield self._times_from(start)

    def _times_from(self, start: int) -> dict[str, list[float]]:
        times = {name: values[start : start + _VALUES_A_LINE] for name, values in self._times.items()}
        return {name: values for name, values in times.items() if values}

    def _line(self, values: _Values) -> str:
        metrics = [{"Name": name, "Unit": _unit(name)} for name in values]
        definition = {"Namespace": self._namespace, "Dimensions": [["CacheName"]], "Metrics": metrics}
        line = {
            "_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [definition]},
            "CacheName": self._cache_name,
            **values,
        }
        return json.dumps(line, separators=(",", ":"))


def _unit(name: str) -> str:
    if name == BREAKER_OPEN:
        return "None"
    return "Milliseconds" if name in TIMES.values() else "Count"
