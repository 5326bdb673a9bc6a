"""What a cache does, as metrics of Powertools."""

import threading
from typing import TYPE_CHECKING, Final, final

from momento_lambda.caching.events import CacheEvent, EventKind
from momento_lambda.errors import InvalidArgumentError

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import EphemeralMetrics, Metrics

_COUNTS: Final[dict[EventKind, tuple[str, ...]]] = {
    "hit": ("CacheHits",),
    "local_hit": ("CacheHits",),
    "negative_hit": ("CacheHits",),
    "stale_hit": ("CacheHits", "CacheStaleHits"),
    "miss": ("CacheMisses",),
    "load": ("CacheLoads",),
    "load_error": ("CacheLoadErrors",),
    "error": ("CacheErrors",),
    "breaker_skip": ("CacheSkips",),
}

_TIMES: Final[dict[EventKind, str]] = {
    "hit": "CacheReadTime",
    "negative_hit": "CacheReadTime",
    "stale_hit": "CacheReadTime",
    "miss": "CacheReadTime",
    "load": "CacheLoadTime",
    "store": "CacheStoreTime",
}


@final
class MetricsObserver:
    """Adds what a cache does to the metrics that `log_metrics` prints, under the names of `Cache.handler`'s own.

        metrics = Metrics(namespace="Shop", service="users")
        cache = Cache("users-cache", observers=[MetricsObserver(metrics)])

    Counts are CacheHits, CacheMisses, CacheLoads, CacheLoadErrors, CacheStaleHits, CacheErrors and CacheSkips; times,
    in milliseconds, CacheReadTime (of single keys), CacheLoadTime and CacheStoreTime. No dimension is added: it would
    hold for all other metrics too.

    Args:
        metrics: Where to add them: Metrics, or EphemeralMetrics with dimensions of its own.

    Raises:
        InvalidArgumentError: The metrics have no namespace, without which Powertools would fail in the middle of a
            handler.
    """

    def __init__(self, metrics: "Metrics | EphemeralMetrics") -> None:
        if not metrics.namespace:
            raise InvalidArgumentError(
                "the metrics have no namespace: set POWERTOOLS_METRICS_NAMESPACE, or write Metrics(namespace=...)"
            )
        self._metrics = metrics
        # Values are loaded anew beside the handler, in threads of their own, and Powertools' metrics know no threads.
        self._lock = threading.Lock()

    def on_event(self, event: CacheEvent) -> None:
        """Add an event's metrics."""
        if not event.items:
            return
        with self._lock:
            for name in _COUNTS.get(event.kind, ()):
                self._metrics.add_metric(name=name, unit="Count", value=event.items)
            if event.seconds is not None and event.kind in _TIMES:
                milliseconds = round(event.seconds * 1000, 3)
                self._metrics.add_metric(name=_TIMES[event.kind], unit="Milliseconds", value=milliseconds)
