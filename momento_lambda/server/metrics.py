"""The status of a server as Prometheus reads it.

The families are made of what the server counts anyway when someone reads them, so that a call costs no more for them.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Final, final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from momento_lambda.server.status import CacheStatus, ProcedureStatus, Status
from momento_lambda.server.traffic import LATENCY_BOUNDS
from momento_lambda.version import __version__

_PROCEDURE: Final = ("service", "procedure")


def registry(status: Callable[[], Status]) -> CollectorRegistry:
    """Return a registry of a server's own, with what its status says and what its process takes."""
    registry = CollectorRegistry()
    registry.register(_StatusCollector(status))
    ProcessCollector(registry=registry)
    return registry


@final
class _StatusCollector(Collector):
    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the names are known without asking the server for its status."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        status = self._status()
        yield InfoMetricFamily("momento_server", "The server.", {"version": __version__})
        yield _gauge("ready", "Whether calls should come to this server.", status.health.ready)
        yield _gauge(
            "store_up", "Whether the store answered when it was last asked.", status.health.store_trouble is None
        )
        yield _gauge("calls_in_flight", "Calls that are being answered.", status.in_flight)
        yield from _of_procedures(status.procedures)
        yield from _of_caches(status.caches)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"momento_server_{name}", meaning, value=float(value))


def _of_procedures(procedures: Iterable[ProcedureStatus]) -> Iterator[Metric]:
    calls = CounterMetricFamily("momento_server_calls", "Calls by how they ended.", labels=(*_PROCEDURE, "code"))
    latency = HistogramMetricFamily(
        "momento_server_call_seconds", "From the request being read to its reply being handed over.", labels=_PROCEDURE
    )
    received = CounterMetricFamily("momento_server_received_bytes", "Bytes of request messages.", labels=_PROCEDURE)
    sent = CounterMetricFamily("momento_server_sent_bytes", "Bytes of reply messages.", labels=_PROCEDURE)
    bounds = [*map(str, LATENCY_BOUNDS), "+Inf"]
    for procedure in procedures:
        labels = (procedure.service, procedure.name)
        for code, count in procedure.statuses.items():
            calls.add_metric((*labels, code), count)
        buckets = list(zip(bounds, map(float, accumulate(procedure.latencies)), strict=True))
        latency.add_metric(labels, buckets, procedure.seconds)
        received.add_metric(labels, procedure.received_bytes)
        sent.add_metric(labels, procedure.sent_bytes)
    yield from (calls, latency, received, sent)


def _of_caches(caches: Iterable[CacheStatus]) -> Iterator[Metric]:
    reads = CounterMetricFamily(
        "momento_server_reads", "Items asked for by whether they were found.", labels=("cache", "result")
    )
    items = GaugeMetricFamily("momento_server_items", "Items in the store of this process.", labels=("cache",))
    taken = GaugeMetricFamily(
        "momento_server_item_bytes", "The memory that they take, as an estimate.", labels=("cache",)
    )
    for cache in caches:
        reads.add_metric((cache.name, "hit"), cache.hits)
        reads.add_metric((cache.name, "miss"), cache.misses)
        if cache.items is not None and cache.bytes is not None:
            items.add_metric((cache.name,), cache.items)
            taken.add_metric((cache.name,), cache.bytes)
    yield from (reads, items, taken)
