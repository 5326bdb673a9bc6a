"""What the server counts of its calls."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.server import CacheServer
from momento_lambda.server.signing_key import SigningKey, SigningKeysInMemory
from momento_lambda.server.traffic import LATENCY_BOUNDS, Call, Traffic
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire.packed import PACKED_REPLIES

IN_CACHE = (("cache", "cache"),)


@pytest.fixture
async def server() -> AsyncIterator[CacheServer]:
    """A server with one cache, which asks for no token."""
    store = MemoryStore()
    await store.create_cache("cache")
    server = CacheServer(store, keys=None, faults=True)
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
async def channel(server: CacheServer) -> AsyncIterator[grpc.aio.Channel]:
    """A connection to it."""
    async with grpc.aio.insecure_channel(server.endpoint.target) as channel:
        yield channel


async def ask(channel: grpc.aio.Channel, rpc: Any, request: Any, metadata: Any = IN_CACHE) -> Any:
    """Make a call; replies that stream are a list."""
    kind: Any = channel.unary_stream if rpc.streams else channel.unary_unary
    call = kind(rpc.path, rpc.request.SerializeToString, rpc.reply.FromString)(request, metadata=metadata, timeout=20)
    return [reply async for reply in call] if rpc.streams else await call


async def test_hits_and_misses_are_counted_by_item(server: CacheServer, channel: grpc.aio.Channel) -> None:
    """Each item asked for is a hit or a miss of its cache, alone or in a batch, packed or not."""
    await ask(channel, rpcs.SET, pb.SetRequest(cache_key=b"a", cache_body=b"1", ttl_milliseconds=60_000))
    await ask(channel, rpcs.GET, pb.GetRequest(cache_key=b"a"))
    await ask(channel, rpcs.GET, pb.GetRequest(cache_key=b"b"))
    batch = pb.GetBatchRequest(items=[pb.GetRequest(cache_key=key) for key in (b"a", b"a", b"b", b"c")])
    await ask(channel, rpcs.GET_BATCH, batch)
    await ask(channel, rpcs.GET_BATCH, batch, (*IN_CACHE, PACKED_REPLIES))
    reads = server.traffic.reads["cache"]
    assert (5, 5) == (reads.hits, reads.misses)
    assert ["cache"] == list(server.traffic.reads)


async def test_calls_are_counted_by_status(server: CacheServer, channel: grpc.aio.Channel) -> None:
    """Each call counts once, under the status that its caller saw."""
    for metadata in (IN_CACHE, IN_CACHE, (("cache", "other"),), ()):
        try:
            await ask(channel, rpcs.GET, pb.GetRequest(cache_key=b"a"), metadata)
        except grpc.aio.AioRpcError:
            continue
    traffic = server.traffic.procedures[rpcs.GET.path]
    assert {"OK": 2, "NOT_FOUND": 1, "INVALID_ARGUMENT": 1} == traffic.statuses
    assert 4 == sum(traffic.latencies)
    assert 0 < traffic.seconds


async def test_bytes_are_those_of_messages(server: CacheServer, channel: grpc.aio.Channel) -> None:
    """What came in and what went out is counted as the messages are long."""
    request = pb.SetBatchRequest(items=[pb.SetRequest(cache_key=b"a", ttl_milliseconds=1)] * 3)
    replies = await ask(channel, rpcs.SET_BATCH, request)
    traffic = server.traffic.procedures[rpcs.SET_BATCH.path]
    assert request.ByteSize() == traffic.received_bytes
    assert sum(reply.ByteSize() for reply in replies) == traffic.sent_bytes


async def test_a_caller_who_leaves_is_counted(server: CacheServer, channel: grpc.aio.Channel) -> None:
    """A call that its caller gives up is in flight until then, and ends as CANCELLED."""
    traffic = server.traffic
    ping: Any = channel.unary_unary(rpcs.PING.path)
    call = ping(b"", metadata=(("delay-rpcs", "ping"), ("delay-ms", "3600000")), timeout=20)
    asking = asyncio.ensure_future(call)
    async with asyncio.timeout(20):
        while traffic.in_flight == 0:  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)
        call.cancel()
        while traffic.in_flight:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0)
    assert {"CANCELLED": 1} == traffic.procedures[rpcs.PING.path].statuses
    await asyncio.wait([asking])


async def test_who_may_not_ask_is_counted_too() -> None:
    """A call without a token counts as UNAUTHENTICATED."""
    server = CacheServer(MemoryStore(), keys=SigningKeysInMemory(SigningKey.generate()))
    await server.start()
    async with grpc.aio.insecure_channel(server.endpoint.target) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await ask(channel, rpcs.GET, pb.GetRequest())
    await server.stop(0)
    assert {"UNAUTHENTICATED": 1} == server.traffic.procedures[rpcs.GET.path].statuses


@pytest.mark.parametrize("took", [0.0, LATENCY_BOUNDS[0], 0.003, 10.0, 11.0])
def test_a_latency_counts_under_the_next_bound(monkeypatch: pytest.MonkeyPatch, took: float) -> None:
    """A call counts under the first bound that it did not exceed, and under the last count where it exceeded all."""
    times = iter([0.0, took])
    monkeypatch.setattr("momento_lambda.server.traffic.perf_counter", lambda: next(times))
    traffic = Traffic([rpcs.GET])
    counted = traffic.procedures[rpcs.GET.path]
    with Call(traffic, counted, 0):
        pass
    under = counted.latencies.index(1)
    assert all(took > bound for bound in LATENCY_BOUNDS[:under])
    assert all(took <= bound for bound in LATENCY_BOUNDS[under:])


def test_caches_without_number_are_not_remembered() -> None:
    """However many caches come and go, what is counted of them takes bounded memory, and the newest is there."""
    traffic = Traffic([])
    for number in range(20_000):
        traffic.reads_of(f"cache-{number}").hits += 1
    assert 10_000 == len(traffic.reads)
    assert 1 == traffic.reads["cache-19999"].hits
