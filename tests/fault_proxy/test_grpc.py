"""Calls through the proxy without a client of ours: what each fault is to gRPC."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import grpc
import grpc.aio
import pytest

from momento_lambda.server import LocalServer
from momento_lambda.testing import FaultProxy
from momento_lambda.wire.cache_rpcs import PING

PATIENT_SECONDS = 30.0
SHORT_SECONDS = 0.1
OPTIONS = [
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 100),
]

Ping: TypeAlias = Callable[[float], Awaitable[str]]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """The server behind the proxy."""
    with LocalServer(authenticate=False, grace=0) as running:
        yield running


@pytest.fixture
def proxy(server: LocalServer) -> Iterator[FaultProxy]:
    """A proxy in front of the server."""
    with FaultProxy(server.host, server.port) as running:
        yield running


@pytest.fixture(params=["threads", "coroutines"])
async def ping(request: pytest.FixtureRequest, proxy: FaultProxy) -> AsyncIterator[Ping]:
    """Ping the server within some seconds, over one connection for all pings of a test, and return the status."""

    def call(channel: Any) -> Any:
        return channel.unary_unary(PING.path, PING.request.SerializeToString, PING.reply.FromString)

    async def ask(seconds: float) -> str:
        try:
            # With the patience to connect first, so that every status is about a connection that was there.
            pending = asking(PING.request(), timeout=seconds, wait_for_ready=True)
            if request.param == "coroutines":
                await pending
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    if request.param == "threads":
        with grpc.insecure_channel(proxy.address, OPTIONS) as for_threads:
            asking = call(for_threads)
            yield ask
    else:
        async with grpc.aio.insecure_channel(proxy.address, OPTIONS) as for_coroutines:
            asking = call(for_coroutines)
            yield ask


async def recovers(ping: Ping) -> bool:
    """Return whether pings are answered in the end; until gRPC has noticed an end, they may be UNAVAILABLE at once."""
    status = "UNAVAILABLE"
    for _ in range(1000):
        if status == "UNAVAILABLE":
            status = await ping(PATIENT_SECONDS)
    return status == "OK"


async def test_calls_pass(ping: Ping, proxy: FaultProxy) -> None:
    """Without a fault calls are answered, on one connection."""
    assert ["OK", "OK"] == [await ping(PATIENT_SECONDS) for _ in range(2)]
    assert 1 == proxy.connections_opened


@pytest.mark.parametrize("fault", ["reset_on_data", "half_close_on_data"])
async def test_a_call_is_cut(ping: Ping, proxy: FaultProxy, fault: str) -> None:
    """A call whose connection ends under it is UNAVAILABLE at once; the next connects anew."""
    await ping(PATIENT_SECONDS)
    getattr(proxy, fault)()
    assert "UNAVAILABLE" == await ping(PATIENT_SECONDS)
    proxy.heal()
    assert await recovers(ping)
    assert 2 <= proxy.connections_opened


@pytest.mark.parametrize("fault", ["reset", "half_close"])
async def test_an_idle_connection_is_cut(ping: Ping, proxy: FaultProxy, fault: str) -> None:
    """Calls after a connection has ended connect anew; before gRPC has noticed, one may be UNAVAILABLE."""
    await ping(PATIENT_SECONDS)
    getattr(proxy, fault)()
    assert await recovers(ping)
    assert 2 == proxy.connections_opened


async def test_a_black_hole_lasts(ping: Ping, proxy: FaultProxy) -> None:
    """Calls on a connection that was dropped in silence run into their timeouts, also when the network is back."""
    await ping(PATIENT_SECONDS)
    proxy.black_hole()
    assert "DEADLINE_EXCEEDED" == await ping(SHORT_SECONDS)
    proxy.heal()
    assert "DEADLINE_EXCEEDED" == await ping(SHORT_SECONDS)
    proxy.reset()
    assert await recovers(ping)


@pytest.mark.parametrize("fault", ["freeze", "add_latency"])
async def test_a_slow_network_ends(ping: Ping, proxy: FaultProxy, fault: str) -> None:
    """Calls over a network that is too slow run into their timeouts; when it is well, the same connection works."""
    await ping(PATIENT_SECONDS)
    proxy.freeze() if fault == "freeze" else proxy.add_latency(PATIENT_SECONDS)
    assert "DEADLINE_EXCEEDED" == await ping(SHORT_SECONDS)
    proxy.heal()
    assert "OK" == await ping(PATIENT_SECONDS)
    assert 1 == proxy.connections_opened


async def test_refused(ping: Ping, proxy: FaultProxy) -> None:
    """Where connections are refused there is no connection, until they are taken again."""
    proxy.refuse()
    assert "DEADLINE_EXCEEDED" == await ping(SHORT_SECONDS)
    assert 0 == proxy.connections_opened
    proxy.heal()
    assert "OK" == await ping(PATIENT_SECONDS)


async def test_another_server(ping: Ping, proxy: FaultProxy) -> None:
    """A server that is replaced by one at another port is found at the same address."""
    await ping(PATIENT_SECONDS)
    with LocalServer(authenticate=False, grace=0) as another:
        proxy.point_to(another.host, another.port)
        proxy.reset()
        assert await recovers(ping)
        assert 2 == proxy.connections_opened
