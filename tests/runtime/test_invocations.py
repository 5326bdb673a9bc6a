"""Handlers from invocation to invocation: one client, one connection, and answers where there is no cache."""

import threading
import time as real_time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, Configuration, SimpleCacheClientAsync
from momento_lambda.runtime import persistent_loop
from momento_lambda.runtime.clients import shared_clients, warm_clients
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.runtime.conftest import Network

PATIENT = 30.0
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch, server: LocalServer, network: "Network") -> Iterator[None]:
    """The environment of a function on this network."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "users")
    monkeypatch.setenv("MOMENTO_API_KEY", server.create_token(format="v2"))
    monkeypatch.setenv("MOMENTO_ENDPOINT", f"127.0.0.1:{network.port}")
    yield
    persistent_loop.close()


def plain(cache: Cache, load: Callable[[], str]) -> Callable[[Any, Any], str]:
    """Return a handler that is a plain function."""

    @cache.handler
    def handler(event: str, context: object) -> str:  # noqa: ARG001  # what Lambda passes
        return cache.get_or_load(event, load)

    return handler


def coroutine(cache: Cache, load: Callable[[], str]) -> Callable[[Any, Any], str]:
    """Return a handler that is a coroutine function."""

    @cache.handler
    async def handler(event: str, context: object) -> str:  # noqa: ARG001  # what Lambda passes
        async def load_later() -> str:
            return load()

        return await cache.aio.get_or_load(event, load_later)

    return handler


@pytest.fixture(params=[plain, coroutine])
def build(request: pytest.FixtureRequest) -> Callable[[Cache, Callable[[], str]], Callable[[Any, Any], str]]:
    """Build a handler of either kind."""
    built: Callable[[Cache, Callable[[], str]], Callable[[Any, Any], str]] = request.param
    return built


def test_one_connection(network: "Network", build: Callable[..., Callable[[Any, Any], str]]) -> None:
    """A hundred invocations load once, hit ninety-nine times, and open no connection but the first.

    That of coroutines may come after the one for threads, which INIT began before it knew.
    """
    loads: list[None] = []

    def load() -> str:
        loads.append(None)
        return "value"

    handler = build(Cache("cache", timeout=PATIENT, connect_timeout=PATIENT, early_refresh=None), load)
    event = f"one connection, {build.__name__}"
    answers = [handler(event, CONTEXT) for _ in range(100)]
    assert ["value"] * 100 == answers
    assert 1 == len(loads)
    assert network.connections <= (1 if build is plain else 2)


def test_init_of_coroutines(network: "Network", monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that is a coroutine function is connected when it is decorated, before anybody invokes it.

    Its client is that of the loop that it will run on; what was connected for threads is disconnected.
    """
    connected = threading.Event()
    ping = SimpleCacheClientAsync.ping

    async def tell(client: SimpleCacheClientAsync, timeout: float | None = None) -> None:
        await ping(client, timeout)
        connected.set()

    monkeypatch.setattr(SimpleCacheClientAsync, "ping", tell)
    cache = Cache("cache", timeout=PATIENT, connect_timeout=PATIENT)
    shared_clients(Configuration.detect().replace(timeout=PATIENT), PATIENT).for_threads()
    assert 1 == network.connections
    handler = coroutine(cache, lambda: "value")
    assert connected.wait(PATIENT)
    assert "value" == handler("init of coroutines", CONTEXT)
    assert "value" == handler("init of coroutines", CONTEXT)
    assert 2 == network.connections
    network.wait_until_closed(but=1)


def test_init_that_reaches_nothing(network: "Network", build: Callable[..., Callable[[Any, Any], str]]) -> None:
    """Where INIT cannot reach the cache, the first invocation is answered by the loader, within its small budget."""
    network.fall_silent_from_now()
    begun = real_time.monotonic()
    handler = build(Cache("cache", timeout=0.1, connect_timeout=0.2), lambda: "loaded")
    assert "loaded" == handler("unreachable", CONTEXT)
    assert real_time.monotonic() - begun < PATIENT / 6


def test_without_the_decorator(network: "Network") -> None:
    """The same clients are to be had without a cache, connected from INIT on."""
    clients = warm_clients(configuration=Configuration(timeout=PATIENT), connect_timeout=PATIENT)
    for _ in range(3):
        again = warm_clients(configuration=Configuration(timeout=PATIENT), connect_timeout=PATIENT)
        assert clients is again
        again.for_threads().ping()
    assert 1 == network.connections


def test_the_default_ttl() -> None:
    """Items live as long as the clients were told where a call does not say, five minutes if they were not."""
    configuration = Configuration(timeout=PATIENT)
    usual = warm_clients(configuration=configuration, connect_timeout=PATIENT)
    longer = warm_clients("1h", configuration=configuration, connect_timeout=PATIENT)
    for clients, expected in ((usual, 300), (longer, 3_600)):
        clients.for_threads().set("cache", "ttl", "value")
        left = clients.for_threads().item_get_ttl("cache", "ttl")
        assert left is not None
        assert expected - PATIENT < left.total_seconds() <= expected


def test_nothing_is_raised_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for the clients raises nothing, token or not."""
    monkeypatch.delenv("MOMENTO_API_KEY")
    warm_clients()
