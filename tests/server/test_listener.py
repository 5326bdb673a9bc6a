"""What outlives a request that ends the serving of gRPC itself."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from benchmarks.http2 import END_HEADERS, END_STREAM, GREETING, HEADERS, call_headers, frame
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.server import CacheServer
from momento_lambda.wire import cache_rpcs as rpcs

# As text this is a path like any other; one of its letters is made a byte that begins no letter.
NO_TEXT = call_headers("/cache_client.Scs/Get").replace(b"Scs", b"S\xffs")


@pytest.fixture
async def server() -> AsyncIterator[CacheServer]:
    """A server that asks for no token and lets calls be delayed."""
    server = CacheServer(MemoryStore(), keys=None, faults=True)
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
async def channel(server: CacheServer) -> AsyncIterator[grpc.aio.Channel]:
    """A connection to it."""
    async with grpc.aio.insecure_channel(server.endpoint.target) as channel:
        yield channel


def ends(caplog: pytest.LogCaptureFixture) -> int:
    """Return how often the log says that gRPC has stopped listening."""
    return sum("has stopped listening" in record.getMessage() for record in caplog.records)


async def attack(server: CacheServer, caplog: pytest.LogCaptureFixture) -> socket.socket:
    """Send a request whose path is no text, wait until gRPC has stopped listening for it, and return the connection.

    With a gRPC that does not stop for it, nothing here can be proven, and nothing has to be.
    """
    ended = ends(caplog)
    connection = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", server.endpoint.port), 20)
    connection.sendall(GREETING + frame(HEADERS, NO_TEXT, flags=END_HEADERS | END_STREAM, stream=1))
    async with asyncio.timeout(20):
        while ends(caplog) == ended:  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)
    return connection


def ping(channel: grpc.aio.Channel, **metadata: str) -> Any:
    """Return a call that is being made."""
    ask: Any = channel.unary_unary(rpcs.PING.path)
    headers = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
    return asyncio.ensure_future(ask(b"", metadata=headers, timeout=20, wait_for_ready=True))


async def test_it_goes_on_listening(
    server: CacheServer, channel: grpc.aio.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    """However often someone ends the serving, calls are answered on the same port, over the same channel."""
    port = server.endpoint.port
    with caplog.at_level(logging.WARNING, "momento_lambda.server"):
        for _ in range(5):
            with await attack(server, caplog):
                assert b"" == await ping(channel)
    assert port == server.endpoint.port


async def test_calls_in_flight_are_answered(
    server: CacheServer, channel: grpc.aio.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that was being answered when the serving ended is answered to its end."""
    with caplog.at_level(logging.WARNING, "momento_lambda.server"):
        call = ping(channel, delay_rpcs="ping", delay_ms="300")
        async with asyncio.timeout(20):
            while not server.traffic.in_flight:  # noqa: ASYNC110  # what is waited for tells nobody
                await asyncio.sleep(0)
        with await attack(server, caplog):
            assert b"" == await call


async def test_stopping_is_not_taken_for_an_accident(server: CacheServer, caplog: pytest.LogCaptureFixture) -> None:
    """A server that is told to stop does not listen anew, and another can take its port."""
    with caplog.at_level(logging.WARNING, "momento_lambda.server"):
        await server.stop(0)
    assert [] == caplog.records
    other = CacheServer(MemoryStore(), port=server.endpoint.port, keys=None)
    await other.start()
    await other.stop(0)


async def test_it_can_be_stopped_after_an_accident(server: CacheServer, caplog: pytest.LogCaptureFixture) -> None:
    """Right after the serving has ended, the server can be stopped, and nobody listens any more."""
    with caplog.at_level(logging.WARNING, "momento_lambda.server"), await attack(server, caplog):
        await server.stop(0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.endpoint.port)
