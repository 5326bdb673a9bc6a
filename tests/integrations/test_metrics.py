"""Metrics of Powertools, read back from the lines that CloudWatch would read."""

import contextvars
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics

from momento_lambda import Cache
from momento_lambda.caching.events import CacheEvent, EventKind, Recording
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.integrations.metrics import MetricsObserver
from momento_lambda.runtime.invocation import Invocation

if TYPE_CHECKING:
    from tests.integrations.conftest import Context, MakeCache

PATIENT = 30.0
MOMENT = 0.1
"""Seconds that one thread is held up in the metrics, in which another would come if it could."""


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of metrics that were printed."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def names(line: dict[str, Any]) -> dict[str, str]:
    """Return the units of the metrics of a line, by name."""
    (definition,) = line["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: metric["Unit"] for metric in definition["Metrics"]}


def fail(*_: object) -> str:
    """Fail as a loader may."""
    raise LookupError


def test_what_a_handler_s_cache_did(
    metrics: Metrics, make_cache: "MakeCache", context: "Context", capsys: pytest.CaptureFixture[str]
) -> None:
    """Hits, misses, loads, errors of loaders, and the times of loads and stores are in the invocation's line."""
    cache = make_cache(MetricsObserver(metrics))

    @metrics.log_metrics
    @cache.handler
    def handler(event: Any, context: Any) -> None:  # noqa: ARG001  # what a handler takes
        cache.get_or_load("a", lambda: "a")
        cache.get_or_load("a", lambda: "a")
        cache.get_or_load_many(["a", "b", "c"], lambda ids: dict.fromkeys(ids, 1), key="number:{}")
        with pytest.raises(LookupError):
            cache.get_or_load("d", fail)

    handler({}, context)
    (line,) = printed(capsys)
    assert ("Shop", [["service"]]) == (
        line["_aws"]["CloudWatchMetrics"][0]["Namespace"],
        line["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
    )
    assert {
        "CacheHits": "Count",
        "CacheMisses": "Count",
        "CacheLoads": "Count",
        "CacheLoadErrors": "Count",
        "CacheReadTime": "Milliseconds",
        "CacheLoadTime": "Milliseconds",
        "CacheStoreTime": "Milliseconds",
    } == names(line)
    assert ([1], 5, 4, [1]) == (
        line["CacheHits"],
        sum(line["CacheMisses"]),
        sum(line["CacheLoads"]),
        line["CacheLoadErrors"],
    )
    assert (2, 2) == (len(line["CacheLoadTime"]), len(line["CacheStoreTime"]))
    assert all(milliseconds >= 0 for milliseconds in line["CacheLoadTime"] + line["CacheStoreTime"])


def test_errors_of_the_cache(
    metrics: Metrics, client: Any, context: "Context", capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the cache fails the handler is answered by its loader, and the error is counted."""
    cache = Cache("nowhere", client=client, observers=[MetricsObserver(metrics)])

    @metrics.log_metrics
    def handler(event: Any, context: Any) -> str:  # noqa: ARG001  # what a handler takes
        return cache.get_or_load("a", lambda: "loaded")

    assert "loaded" == handler({}, context)
    (line,) = printed(capsys)
    assert ([1], [1]) == (line["CacheErrors"], line["CacheLoads"])


EVENTS: list[tuple[EventKind, set[str]]] = [
    ("hit", {"CacheHits", "CacheReadTime"}),
    ("local_hit", {"CacheHits"}),
    ("negative_hit", {"CacheHits", "CacheReadTime"}),
    ("stale_hit", {"CacheHits", "CacheStaleHits", "CacheReadTime"}),
    ("miss", {"CacheMisses", "CacheReadTime"}),
    ("load", {"CacheLoads", "CacheLoadTime"}),
    ("load_error", {"CacheLoadErrors"}),
    ("store", {"CacheStoreTime"}),
    ("error", {"CacheErrors"}),
    ("breaker_skip", {"CacheSkips"}),
    ("unreadable", set()),
    ("shared", set()),
    ("early_refresh", set()),
    ("not_stored", set()),
    ("invalidate", set()),
    ("breaker_open", set()),
]


@pytest.mark.parametrize(("kind", "expected"), EVENTS, ids=lambda each: each if isinstance(each, str) else "")
def test_each_kind_of_event(kind: EventKind, expected: set[str]) -> None:
    """Each kind of event adds its metrics, times in milliseconds, and no other."""
    metrics = EphemeralMetrics(namespace="Shop")
    MetricsObserver(metrics).on_event(CacheEvent(kind, "users-cache", 3, 0.25))
    assert expected == set(metrics.metric_set)
    values = {name: metric["Value"] for name, metric in metrics.metric_set.items()}
    assert {name: [250.0] if name.endswith("Time") else [3.0] for name in expected} == values


def test_names_are_those_of_the_handler_s_own_metrics(
    client: Any, cache_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dashboards read the metrics of `Cache.handler` and these alike: names and values are the same."""
    metrics = EphemeralMetrics(namespace="Shop")
    cache = Cache(cache_name, client=client, observers=[MetricsObserver(metrics)])

    @cache.handler(metrics_namespace="Shop")
    def handler(event: Any, context: Any) -> None:  # noqa: ARG001  # what a handler takes
        cache.get_or_load("a", lambda: "a")
        cache.get_or_load("a", lambda: "a")

    handler({}, None)
    metrics.flush_metrics()
    own, ours = printed(capsys)
    counts, times = ("CacheHits", "CacheMisses", "CacheLoads"), ("CacheReadTime", "CacheLoadTime", "CacheStoreTime")
    assert {*counts, *times} == set(names(ours)) & set(names(own))
    assert [own[name] for name in counts] == [sum(ours[name]) for name in counts]
    assert [own[name] for name in times] == [ours[name] for name in times]


def test_events_about_nothing_add_nothing() -> None:
    """A batch that missed nothing is no metric."""
    metrics = EphemeralMetrics(namespace="Shop")
    MetricsObserver(metrics).on_event(CacheEvent("miss", "users-cache", 0))
    assert {} == metrics.metric_set


BESIDE = {"CacheLoads": "Count", "CacheLoadTime": "Milliseconds", "CacheStoreTime": "Milliseconds"}


@pytest.mark.parametrize("outside", [True, False], ids=["log_metrics outside", "log_metrics inside"])
def test_a_value_that_is_loaded_anew(
    *, metrics: Metrics, client: Any, cache_name: str, capsys: pytest.CaptureFixture[str], outside: bool
) -> None:
    """What a load beside the handler did is on a line of its own in the same invocation, printed when it is over.

    So it is also where `log_metrics` is the inner decorator, and has printed its line before the load ends.
    """
    minutes = 0
    cache = Cache(
        cache_name,
        client=client,
        default_ttl="5m",
        stale="5m",
        now_ms=lambda: minutes * 60_000,
        observers=[MetricsObserver(metrics)],
    )
    answered = threading.Event()

    def answer(event: Any, context: Any) -> Any:  # noqa: ARG001  # what a handler takes
        return cache.get_or_load("a", lambda: answered.wait(PATIENT) or pytest.fail("the handler did not answer"))

    def told(function: Any) -> Any:
        def tell(event: Any, context: Any) -> Any:
            function(event, context)
            answered.set()

        return tell

    log = metrics.log_metrics(default_dimensions={"stage": "test"})
    handler = log(cache.handler(told(answer))) if outside else cache.handler(told(log(answer)))
    answered.set()
    handler({}, None)
    printed(capsys)
    minutes = 6
    answered.clear()
    handler({}, None)
    beside, own = sorted(printed(capsys), key=lambda line: "CacheHits" in line)
    assert (BESIDE, ["CacheHits", "CacheStaleHits"]) == (names(beside), [name for name in names(own) if "Hit" in name])
    assert 2 * [("users", "test")] == [(line["service"], line["stage"]) for line in (beside, own)]
    assert {} == metrics.metric_set


def test_what_outlives_its_invocation(metrics: Metrics, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not over when its invocation has no more time is printed at the end of the next."""
    observer = MetricsObserver(metrics)
    with Invocation():
        late = contextvars.copy_context()
    thread = threading.Thread(target=late.run, args=(observer.on_event, CacheEvent("load", "users-cache", 1, 0.25)))
    thread.start()
    thread.join(PATIENT)
    assert [] == printed(capsys)
    with Invocation():
        observer.on_event(CacheEvent("hit", "users-cache"))
        assert ["CacheHits"] == list(metrics.metric_set)
    (line,) = printed(capsys)
    assert ([1], [250]) == (line["CacheLoads"], line["CacheLoadTime"])
    with Invocation():
        observer.on_event(CacheEvent("hit", "users-cache"))
    assert [] == printed(capsys)


def test_nothing_beside_that_counts(metrics: Metrics, capsys: pytest.CaptureFixture[str]) -> None:
    """An event beside the handler that is no metric makes no line."""
    observer = MetricsObserver(metrics)
    with Invocation():
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(observer.on_event, CacheEvent("shared", "users-cache")))
        thread.start()
        thread.join(PATIENT)
    assert [] == printed(capsys)


class Crowded:
    """Metrics that wait a moment for a second caller to come while the first is in them, and count who did."""

    namespace = "Shop"

    def __init__(self) -> None:
        self.crowded = 0
        self._inside = threading.Lock()
        self._second = threading.Event()

    def add_metric(self, **_: object) -> None:
        """Be called by one, or by two at once."""
        if self._inside.acquire(blocking=False):
            self._second.wait(MOMENT)
            self._inside.release()
        else:
            self.crowded += 1
            self._second.set()


def test_one_thread_at_a_time() -> None:
    """Powertools' metrics, which know no threads, are never called by two at once."""
    metrics: Any = Crowded()
    observer = MetricsObserver(metrics)
    barrier = threading.Barrier(2)

    def add() -> None:
        barrier.wait()
        observer.on_event(CacheEvent("hit", "users-cache"))

    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 == metrics.crowded


def test_metrics_without_a_namespace_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics that could not be printed are refused where the observer is made, not in a handler."""
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    with pytest.raises(InvalidArgumentError, match="POWERTOOLS_METRICS_NAMESPACE"):
        MetricsObserver(EphemeralMetrics())


def test_observers_are_told_side_by_side(metrics: Metrics, make_cache: "MakeCache") -> None:
    """The observer changes nothing of what others are told."""
    cache = make_cache(MetricsObserver(metrics))
    with cache.observe() as seen:
        cache.get_or_load("a", lambda: "a")
    assert isinstance(seen, Recording)
    assert ["miss", "load", "store"] == seen.kinds
