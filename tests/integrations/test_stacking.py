"""Powertools' decorators and the cache's, one above the other, in every order."""

import io
import itertools
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.idempotency import idempotent

from momento_lambda import Cache
from momento_lambda.integrations.idempotency import MomentoPersistenceLayer
from momento_lambda.integrations.log_keys import LoggerObserver
from momento_lambda.integrations.metrics import MetricsObserver
from momento_lambda.integrations.tracing import TracerObserver
from momento_lambda.runtime import persistent_loop

if TYPE_CHECKING:
    from momento_lambda.caching.events import Observer
    from tests.integrations.conftest import Context, Traces

PATIENT = 30.0
EVENT = {"id": "7"}
DECORATORS = ("cache", "logger", "tracer", "metrics", "idempotent")


@pytest.fixture
def stream() -> io.StringIO:
    """Where log lines go."""
    return io.StringIO()


@pytest.fixture
def logger(request: pytest.FixtureRequest, stream: io.StringIO) -> Iterator[Logger]:
    """A logger of a test's own: loggers of one name are one."""
    logger = Logger(service=request.node.name, stream=stream)
    yield logger
    logger.handlers.clear()


@pytest.fixture
def cache(cache_name: str, logger: Logger, metrics: Metrics, tracer: Tracer) -> Cache:
    """A cache that all of Powertools observes."""
    observers: list[Observer] = [MetricsObserver(metrics), TracerObserver(tracer), LoggerObserver(logger)]
    return Cache(cache_name, timeout=PATIENT, connect_timeout=PATIENT, observers=observers)


@pytest.fixture
def decorators(
    cache: Cache, logger: Logger, metrics: Metrics, tracer: Tracer, layer: MomentoPersistenceLayer
) -> dict[str, Callable[..., Any]]:
    """The decorators of a handler, by name."""
    return {
        "cache": cache.handler,
        "logger": logger.inject_lambda_context,
        "tracer": tracer.capture_lambda_handler,
        "metrics": metrics.log_metrics,
        "idempotent": idempotent(persistence_store=layer),
    }


def stack(decorators: dict[str, Callable[..., Any]], order: tuple[str, ...], function: Callable[..., Any]) -> Any:
    """Return a function under decorators, the first of them outermost."""
    for name in reversed(order):
        function = decorators[name](function)
    return function


# In the second invocation no body runs, so nothing is counted, and Powertools remarks on metrics that are empty.
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize("order", list(itertools.permutations(DECORATORS)), ids=" ".join)
def test_any_order(
    *,
    cache: Cache,
    logger: Logger,
    traces: "Traces",
    decorators: dict[str, Callable[..., Any]],
    context: "Context",
    stream: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    order: tuple[str, ...],
) -> None:
    """The handler runs once for two invocations; log line, metrics and trace say what the cache did in it."""
    runs = []

    def handler(event: Any, context: Any, *, cache: Cache) -> Any:
        runs.append((event, context, cache))
        answer = cache.get_or_load("user:7", lambda: {"name": "Ada"})
        logger.info("answered")
        return answer

    stacked = stack(decorators, order, handler)
    assert [{"name": "Ada"}, {"name": "Ada"}] == [stacked(EVENT, context) for _ in range(2)]

    assert [(EVENT, context, cache)] == runs
    (said,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert ("request-1", 1) == (said["function_request_id"], said["cache"]["misses"])
    (counted,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ([1.0], [1.0]) == (counted["CacheMisses"], counted["CacheLoads"])
    assert 1 == traces.sent[0].annotations["CacheMisses"]


POWERTOOLS = tuple(name for name in DECORATORS if name != "cache")


@pytest.mark.filterwarnings("ignore:No application metrics to publish")  # as above
@pytest.mark.parametrize("order", list(itertools.permutations(POWERTOOLS)), ids=" ".join)
def test_coroutines(
    *,
    cache: Cache,
    traces: "Traces",
    decorators: dict[str, Callable[..., Any]],
    context: "Context",
    capsys: pytest.CaptureFixture[str],
    order: tuple[str, ...],
) -> None:
    """Powertools knows no coroutine handlers: the cache's decorator, next to the function, makes one it knows."""
    runs = []

    async def load() -> Any:
        return {"name": "Ada"}

    async def handler(event: Any, context: Any) -> Any:  # noqa: ARG001  # what a handler takes
        runs.append(event)
        return await cache.aio.get_or_load("user:7", load)

    stacked = stack(decorators, (*order, "cache"), handler)
    try:
        assert [{"name": "Ada"}, {"name": "Ada"}] == [stacked(EVENT, context) for _ in range(2)]
    finally:
        persistent_loop.close()
    assert [EVENT] == runs
    (counted,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [1.0] == counted["CacheMisses"]
    assert 1 == traces.sent[0].annotations["CacheMisses"]


@pytest.mark.parametrize("order", [("cache", "idempotent"), ("idempotent", "cache")], ids=" ".join)
def test_a_crash_passes_through_all(
    decorators: dict[str, Callable[..., Any]], context: "Context", order: tuple[str, ...]
) -> None:
    """What the body raises comes out, the same object, and releases the key in either order."""
    error = RuntimeError("no connection to the bank")
    failing = [True, False]

    def handler(event: Any, context: Any) -> str:  # noqa: ARG001  # what a handler takes
        if failing.pop(0):
            raise error
        return "paid"

    stacked = stack(decorators, order, handler)
    with pytest.raises(RuntimeError) as caught:
        stacked(EVENT, context)
    assert error is caught.value
    assert "paid" == stacked(EVENT, context)
