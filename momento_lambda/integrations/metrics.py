"""What a cache does, as metrics of Powertools."""

import threading
from typing import TYPE_CHECKING, final

from momento_lambda.caching.events import CacheEvent
from momento_lambda.caching.metric_names import COUNTS, TIMES
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.runtime.invocation import Invocation, current_invocation

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import EphemeralMetrics, Metrics


@final
class MetricsObserver:
    """Adds what a cache does to the metrics that `log_metrics` prints, under the names of `Cache.handler`'s own.

        metrics = Metrics(namespace="Shop", service="users")
        cache = Cache("users-cache", observers=[MetricsObserver(metrics)])

    Counts are CacheHits, CacheMisses, CacheLoads, CacheLoadErrors, CacheStaleHits, CacheErrors and CacheSkips; times,
    in milliseconds, CacheReadTime (of single keys), CacheLoadTime and CacheStoreTime. No dimension is added: it would
    hold for all other metrics too.

    What happens beside the handler, where values are loaded anew, may happen while Powertools prints or after that.
    It is printed when the handler has ended, on a line of its own with the default dimensions, whichever decorator is
    the outer one. What even then was not over is on the next such line.

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
        # Powertools' metrics know no threads.
        self._lock = threading.Lock()
        self._beside: list[CacheEvent] = []
        self._invocation: Invocation | None = None

    def on_event(self, event: CacheEvent) -> None:
        """Add an event's metrics, or keep them for the end where it happened beside the handler."""
        if not event.items:
            return
        invocation = current_invocation()
        with self._lock:
            if invocation is None or invocation.in_own_thread():
                _add(self._metrics, event)
            else:
                self._beside.append(event)
            if self._beside and invocation is not None and invocation is not self._invocation:
                self._invocation = invocation
                invocation.at_end(self._print_beside)

    def _print_beside(self) -> None:
        from aws_lambda_powertools.metrics import EphemeralMetrics  # noqa: PLC0415  # an optional extra

        with self._lock:
            events, self._beside = self._beside, []
        line = EphemeralMetrics(namespace=self._metrics.namespace, service=self._metrics.service)
        line.set_default_dimensions(**self._metrics.default_dimensions)
        for event in events:
            _add(line, event)
        if line.metric_set:
            line.flush_metrics()


def _add(metrics: "Metrics | EphemeralMetrics", event: CacheEvent) -> None:
    for name in COUNTS.get(event.kind, ()):
        metrics.add_metric(name=name, unit="Count", value=event.items)
    if event.seconds is not None and event.kind in TIMES:
        metrics.add_metric(name=TIMES[event.kind], unit="Milliseconds", value=round(event.seconds * 1000, 3))
