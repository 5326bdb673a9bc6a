"""What a server says of itself to whoever sends calls to it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2 as pb

from momento_lambda.errors import UnavailableError
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.readiness import Readiness
from momento_lambda.server.server import CacheServer
from momento_lambda.server.signing_key import SigningKey, SigningKeysInMemory

SERVING = pb.HealthCheckResponse.SERVING
NOT_SERVING = pb.HealthCheckResponse.NOT_SERVING
SERVICES = ["", "cache_client.Scs", "cache_client.Ping", "control_client.ScsControl", "token.Token"]


class Switch:
    """What a store's `ping` does, as a test decides."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trouble: str | None = None
        monkeypatch.setattr(MemoryStore, "ping", self._ping)

    async def _ping(self) -> None:
        if self.trouble is not None:
            raise UnavailableError(self.trouble)


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Switch:
    """Every store can be reached until the test says otherwise."""
    return Switch(monkeypatch)


@pytest.fixture
async def server(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CacheServer]:  # noqa: ARG001  # it is in force from the start on
    """A server that asks for tokens, and its store again and again without a pause."""
    monkeypatch.setattr(Readiness.__init__, "__kwdefaults__", {"pause": 0.0, "patience": 20.0})
    server = CacheServer(MemoryStore(), keys=SigningKeysInMemory(SigningKey.generate()))
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
async def channel(server: CacheServer) -> AsyncIterator[grpc.aio.Channel]:
    """A connection to it."""
    async with grpc.aio.insecure_channel(server.endpoint.target) as channel:
        yield channel


async def check(channel: grpc.aio.Channel, service: str = "") -> int:
    """Return what a server answers for one moment."""
    ask: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
    answer = await ask(pb.HealthCheckRequest(service=service).SerializeToString(), timeout=20)
    return int(pb.HealthCheckResponse.FromString(answer).status)


def watch(channel: grpc.aio.Channel, service: str = "") -> Any:
    """Return the stream of what a server answers."""
    ask: Any = channel.unary_stream(
        "/grpc.health.v1.Health/Watch", response_deserializer=pb.HealthCheckResponse.FromString
    )
    return ask(pb.HealthCheckRequest(service=service).SerializeToString(), timeout=20)


@pytest.mark.parametrize("service", SERVICES)
async def test_each_service_is_served(channel: grpc.aio.Channel, service: str) -> None:
    """The whole server and each service under its public name are SERVING, and nobody needs a token to hear it."""
    assert SERVING == await check(channel, service)


async def test_all_are_listed(channel: grpc.aio.Channel) -> None:
    """The list holds the whole server and each service."""
    ask: Any = channel.unary_unary("/grpc.health.v1.Health/List")
    listed = pb.HealthListResponse.FromString(await ask(b"", timeout=20))
    assert dict.fromkeys(SERVICES, SERVING) == {service: answer.status for service, answer in listed.statuses.items()}


async def test_an_unknown_service_is_said_to_be(channel: grpc.aio.Channel) -> None:
    """A service that is not there is NOT_FOUND when checked, and SERVICE_UNKNOWN when watched."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await check(channel, "nobody.Knows")
    assert grpc.StatusCode.NOT_FOUND is caught.value.code()
    assert pb.HealthCheckResponse.SERVICE_UNKNOWN == (await watch(channel, "nobody.Knows").read()).status


async def test_it_follows_the_store(
    switch: Switch, channel: grpc.aio.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    """While the store cannot be reached the server is NOT_SERVING, and the log says why and when that is over."""
    watched = watch(channel)
    with caplog.at_level(logging.INFO, "momento_lambda.server"):
        assert SERVING == (await watched.read()).status
        switch.trouble = "the cable is cut"
        assert NOT_SERVING == (await watched.read()).status
        assert NOT_SERVING == await check(channel, "cache_client.Scs")
        switch.trouble = None
        assert SERVING == (await watched.read()).status
    assert [
        "the store does not answer, so no calls should come here: the cable is cut",
        "the store answers",
    ] == [record.getMessage() for record in caplog.records]


async def test_a_store_that_is_silent_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer in time counts as one that cannot be reached."""

    async def say_nothing(_store: MemoryStore) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(MemoryStore, "ping", say_nothing)
    readiness = Readiness(MemoryStore(), patience=0)
    await readiness.start()
    assert not readiness.health.ready
    assert "no answer within 0 s" == readiness.health.store_trouble
    await readiness.close()


async def test_draining_is_said_before_calls_are_refused(server: CacheServer, channel: grpc.aio.Channel) -> None:
    """A server that drains is NOT_SERVING for good, and still answers calls."""
    watched = watch(channel)
    assert SERVING == (await watched.read()).status
    await server.drain()
    assert NOT_SERVING == (await watched.read()).status
    assert NOT_SERVING == await check(channel)
    ping: Any = channel.unary_unary("/cache_client.Ping/Ping")
    assert b"" == await ping(b"", timeout=20)


async def test_watchers_do_not_hold_up_the_end(server: CacheServer, channel: grpc.aio.Channel) -> None:
    """A server that stops ends the streams of those who watch it, and does not wait until its grace is over."""
    watched = watch(channel)
    assert SERVING == (await watched.read()).status
    async with asyncio.timeout(20):
        await server.stop(3_600)
    assert NOT_SERVING == (await watched.read()).status
    assert grpc.aio.EOF is await watched.read()
    assert grpc.StatusCode.OK is await watched.code()
