"""Traces as the X-Ray SDK would send them, and log lines as Powertools writes them."""

import importlib
import io
import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Logger, Tracer

from momento_lambda.caching.events import CacheEvent, EventKind
from momento_lambda.integrations.invocation_statistics import InvocationStatistics
from momento_lambda.integrations.log_keys import LoggerObserver
from momento_lambda.integrations.tracing import TracerObserver
from momento_lambda.runtime.invocation import Invocation

if TYPE_CHECKING:
    from tests.integrations.conftest import Context, MakeCache, Traces


def event(kind: EventKind, seconds: float | None = None) -> CacheEvent:
    """Return an event of the tests' cache."""
    return CacheEvent(kind, "users-cache", seconds=seconds)


class TestTraces:
    """What `TracerObserver` writes."""

    def test_annotations_and_metadata(
        self, tracer: Tracer, traces: "Traces", make_cache: "MakeCache", context: "Context"
    ) -> None:
        """The handler's subsegment has the counts to search by, and all of them as metadata."""
        cache = make_cache(TracerObserver(tracer))

        @tracer.capture_lambda_handler
        @cache.handler
        def handler(event: Any, context: Any) -> None:  # noqa: ARG001  # what a handler takes
            for key in ("a", "a", "a", "b"):
                cache.get_or_load(key, lambda: "value")

        handler({}, context)
        subsegment = traces.named("## handler")
        ours = {name: value for name, value in subsegment.annotations.items() if name.startswith("Cache")}
        assert {"CacheHits": 2, "CacheMisses": 2, "CacheErrors": 0, "CacheHitRate": 0.5} == ours
        counted = dict(subsegment.metadata["users"]["cache"])
        assert counted.pop("load_ms") >= 0
        assert {"hits": 2, "misses": 2, "loads": 2, "errors": 0, "hit_rate": 0.5} == counted

    def test_each_invocation_counts_from_nothing(
        self, tracer: Tracer, traces: "Traces", make_cache: "MakeCache", context: "Context"
    ) -> None:
        """A warm invocation's subsegment has its own counts."""
        cache = make_cache(TracerObserver(tracer))

        @cache.handler
        @tracer.capture_lambda_handler
        def handler(event: Any, context: Any) -> None:  # noqa: ARG001  # what a handler takes
            cache.get_or_load("a", lambda: "value")

        handler({}, context)
        handler({}, context)
        assert [(0, 1), (1, 0)] == [
            (sent.annotations["CacheHits"], sent.annotations["CacheMisses"]) for sent in traces.sent
        ]

    def test_methods_have_what_they_did(
        self, tracer: Tracer, traces: "Traces", make_cache: "MakeCache", context: "Context"
    ) -> None:
        """A traced method's own subsegment has the counts."""
        cache = make_cache(TracerObserver(tracer))

        @tracer.capture_method
        def look_up() -> str:
            return cache.get_or_load("a", lambda: "value")

        @tracer.capture_lambda_handler
        def handler(event: Any, context: Any) -> str:  # noqa: ARG001  # what a handler takes
            return look_up()

        assert "value" == handler({}, context)
        (method,) = [sent for sent in traces.sent if "look_up" in sent.name]
        assert 1 == method.annotations["CacheMisses"]

    def test_outside_a_subsegment_nothing_is_written(self, tracer: Tracer, traces: "Traces") -> None:
        """Lambda's own segment cannot be written on, and that is no error of the handler's."""
        refused = importlib.import_module("aws_xray_sdk.core.exceptions.exceptions").FacadeSegmentMutationException
        with pytest.raises(refused):
            tracer.put_annotation("CacheHits", "what the SDK says to this")
        TracerObserver(tracer).on_event(event("hit"))
        assert [] == traces.sent

    @pytest.mark.usefixtures("forget_tracers")
    def test_tracing_that_is_disabled(self, make_cache: "MakeCache", context: "Context") -> None:
        """With tracing disabled, as it is outside Lambda, the cache works as it does without."""
        tracer = Tracer(service="users", disabled=True)
        cache = make_cache(TracerObserver(tracer))

        @tracer.capture_lambda_handler
        @cache.handler
        def handler(event: Any, context: Any) -> str:  # noqa: ARG001  # what a handler takes
            return cache.get_or_load("a", lambda: "value")

        assert ["value", "value"] == [handler({}, context) for _ in range(2)]

    @pytest.mark.usefixtures("forget_tracers")
    def test_providers_of_another_kind(self) -> None:
        """A provider that is not X-Ray's is written to by what Powertools asks of every provider."""

        class Provider:
            def __init__(self) -> None:
                self.written: dict[str, Any] = {}

            def put_annotation(self, key: str, value: Any) -> None:
                self.written[key] = value

            def put_metadata(self, key: str, value: Any, namespace: str) -> None:
                self.written[f"{namespace}.{key}"] = value

        provider: Any = Provider()
        tracer = Tracer(service="users", disabled=False, auto_patch=False, provider=provider)
        TracerObserver(tracer).on_event(event("miss"))
        counted = {"hits": 0, "misses": 1, "loads": 0, "errors": 0, "hit_rate": 0.0}
        assert {
            "CacheHits": 0,
            "CacheMisses": 1,
            "CacheErrors": 0,
            "CacheHitRate": 0.0,
            "users.cache": counted,
        } == provider.written


class TestLogs:
    """What `LoggerObserver` adds."""

    @pytest.fixture
    def stream(self) -> io.StringIO:
        """Where log lines go."""
        return io.StringIO()

    @pytest.fixture
    def logger(self, request: pytest.FixtureRequest, stream: io.StringIO) -> Iterator[Logger]:
        """A logger of a test's own: loggers of one name are one."""
        logger = Logger(service=request.node.name, stream=stream)
        yield logger
        logger.handlers.clear()

    def lines(self, stream: io.StringIO) -> list[dict[str, Any]]:
        """Return the lines that were logged."""
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    def test_lines_say_what_the_cache_did(
        self, logger: Logger, stream: io.StringIO, make_cache: "MakeCache", context: "Context"
    ) -> None:
        """Each line has the counts of its invocation so far, and none before the first event of the cache."""
        cache = make_cache(LoggerObserver(logger))

        @logger.inject_lambda_context(clear_state=True)
        @cache.handler
        def handler(event: Any, context: Any) -> None:  # noqa: ARG001  # what a handler takes
            logger.info("before")
            cache.get_or_load("a", lambda: "value")
            logger.info("after")

        handler({}, context)
        handler({}, context)
        said = [(line["message"], line.get("cache")) for line in self.lines(stream)]
        assert [("before", None), ("before", None)] == said[::2]
        cold, warm = (counts for _, counts in said[1::2])
        assert cold is not None
        assert cold.pop("load_ms") >= 0
        assert {"hits": 0, "misses": 1, "loads": 1, "errors": 0, "hit_rate": 0.0} == cold
        assert {"hits": 1, "misses": 0, "loads": 0, "errors": 0, "hit_rate": 1.0} == warm

    def test_the_key_has_any_name(self, logger: Logger, stream: io.StringIO) -> None:
        """The key is called what the user wants, for two caches, say."""
        LoggerObserver(logger, key="users_cache").on_event(event("error"))
        LoggerObserver(logger, key="orders_cache").on_event(event("hit"))
        logger.info("said")
        (line,) = self.lines(stream)
        assert {"hits": 0, "misses": 0, "loads": 0, "errors": 1} == line["users_cache"]
        assert 1 == line["orders_cache"]["hits"]


class TestCounts:
    """Whose counts they are."""

    def test_without_a_handler_they_are_the_process_s(self) -> None:
        """Where no handler says where an invocation begins, everything is counted."""
        statistics = InvocationStatistics()
        assert [1, 2] == [statistics.count(event("hit"))["hits"] for _ in range(2)]

    def test_a_thread_without_the_invocation_counts_for_it(self) -> None:
        """A thread of the handler's own, which does not know its invocation, begins none."""
        statistics = InvocationStatistics()
        with Invocation():
            statistics.count(event("hit"))
            thread = threading.Thread(target=statistics.count, args=(event("hit"),))
            thread.start()
            thread.join()
            assert 3 == statistics.count(event("hit"))["hits"]
        with Invocation():
            assert 1 == statistics.count(event("hit"))["hits"]

    def test_rates_and_times_are_rounded(self) -> None:
        """A rate has three digits, a time in milliseconds too."""
        statistics = InvocationStatistics()
        for kind in ("hit", "hit", "miss"):
            statistics.count(event(kind))
        summary = statistics.count(event("load", 0.012_345_6))
        assert (0.667, 12.346) == (summary["hit_rate"], summary["load_ms"])
