"""The statistics of an invocation as one line that CloudWatch reads metrics from (the embedded metric format)."""

import json
import sys
import time
from typing import Final

from momento_lambda.caching.events import EventKind, Statistics

_COUNTS: Final[dict[str, tuple[EventKind, ...]]] = {
    "CacheHits": ("hit", "local_hit", "negative_hit", "stale_hit"),
    "CacheMisses": ("miss",),
    "CacheLoads": ("load",),
    "CacheLoadErrors": ("load_error",),
    "CacheStaleHits": ("stale_hit",),
    "CacheErrors": ("error",),
    "CacheSkips": ("breaker_skip",),
}


def emit(statistics: Statistics, cache_name: str, namespace: str) -> None:
    """Print what was counted to standard output, which on Lambda is the function's log; nothing where nothing was.

    Args:
        statistics: The counts.
        cache_name: The dimension of the metrics.
        namespace: Their namespace in CloudWatch.
    """
    counts = {name: sum(statistics.counts[kind] for kind in kinds) for name, kinds in _COUNTS.items()}
    if not any(counts.values()):
        return
    metrics = [{"Name": name, "Unit": "Count"} for name in counts]
    values: dict[str, object] = dict(counts)
    if statistics.counts["load"]:
        metrics.append({"Name": "CacheLoadTime", "Unit": "Milliseconds"})
        values["CacheLoadTime"] = round(statistics.seconds["load"] * 1000, 3)
    definition = {"Namespace": namespace, "Dimensions": [["CacheName"]], "Metrics": metrics}
    line = {
        "_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [definition]},
        "CacheName": cache_name,
        **values,
    }
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()
