"""What holds for every call: the rim around the handlers, and the connection below them."""

import logging
import socket
import struct
from collections.abc import Iterator
from typing import Any

import grpc
import grpc.aio
import pytest

from momento_lambda.server import LocalServer
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.server import CacheServer
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire.rpc import Rpc

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, PING, GOAWAY = 4, 6, 7
ACKNOWLEDGED = 1


def frame(kind: int, payload: bytes = b"", flags: int = 0) -> bytes:
    """Return a frame of HTTP/2 on the connection itself."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + bytes(4) + payload


def frames(connection: socket.socket) -> Iterator[tuple[int, int]]:
    """Give the kind and the flags of each frame that arrives."""
    with connection.makefile("rb") as stream:
        while head := stream.read(9):
            stream.read(int.from_bytes(head[:3]))
            yield head[3], head[4]


def test_probes_without_calls_are_welcome(server: LocalServer) -> None:
    """A client that probes an idle connection, however often, is never sent away."""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(PREFACE + frame(SETTINGS) + frame(SETTINGS, flags=ACKNOWLEDGED))
        arrived = frames(connection)
        for number in range(50):
            connection.sendall(frame(PING, struct.pack(">Q", number)))
            for kind, flags in arrived:
                assert GOAWAY != kind
                if (kind, flags) == (PING, ACKNOWLEDGED):
                    break
            else:
                pytest.fail("the server closed the connection")


@pytest.mark.parametrize("rpc", [rpcs.GET, rpcs.GET_BATCH], ids=lambda rpc: rpc.name)
async def test_a_bug_is_told_to_the_log_alone(
    rpc: Rpc[Any, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that nobody expected is INTERNAL without details, is logged whole, and the server goes on."""

    async def fail(_store: MemoryStore, _name: str) -> None:
        raise RuntimeError("a secret of the server's")

    store = MemoryStore()
    await store.create_cache("cache")
    server = CacheServer(store, keys=None)
    await server.start()
    async with grpc.aio.insecure_channel(server.endpoint.target) as channel:
        kind: Any = channel.unary_stream if rpc.streams else channel.unary_unary

        async def ask() -> None:
            call = kind(rpc.path)(b"", metadata=(("cache", "cache"),), timeout=20)
            if rpc.streams:
                async for _ in call:
                    pass
            else:
                await call

        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR, "momento_lambda.server"):
            patch.setattr(MemoryStore, "open", fail)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask()
        assert (grpc.StatusCode.INTERNAL, "the server failed to answer: its log says why") == (
            caught.value.code(),
            caught.value.details(),
        )
        assert "a secret of the server's" in caplog.text
        assert rpc.path in caplog.text
        await ask()
    await server.stop(1)


def test_many_calls_share_a_connection(server: LocalServer) -> None:
    """More calls at once than the hundred that gRPC's clients assume are all in flight on one connection."""
    count = 300
    with grpc.insecure_channel(server.address) as channel:
        ping: Any = channel.unary_unary(rpcs.PING.path)
        delayed = (("delay-rpcs", "ping"), ("delay-ms", "100"))
        calls = [ping.future(b"", metadata=delayed, timeout=20) for _ in range(count)]
        assert [b""] * count == [call.result() for call in calls]


def test_a_message_far_over_the_limit_is_refused(server: LocalServer) -> None:
    """One that the server will not even receive is RESOURCE_EXHAUSTED too, and the next call is answered."""
    with grpc.insecure_channel(server.address) as channel:
        get: Any = channel.unary_unary(rpcs.GET.path)
        with pytest.raises(grpc.RpcError) as caught:
            get(bytes(17 * 1024 * 1024), timeout=20)
        failed: Any = caught.value
        assert grpc.StatusCode.RESOURCE_EXHAUSTED is failed.code()
        ping: Any = channel.unary_unary(rpcs.PING.path)
        assert pb.PingResponse().SerializeToString() == ping(b"", timeout=20)


def test_no_key_and_no_value_is_logged(server: LocalServer, caplog: pytest.LogCaptureFixture) -> None:
    """At the most talkative level, the log names no key, no value and no token."""
    token = server.create_token()
    with caplog.at_level(logging.DEBUG, "momento_lambda"), grpc.insecure_channel(server.address) as channel:
        request = pb.SetRequest(cache_key=b"a-key", cache_body=b"a-value", ttl_milliseconds=1_000)
        metadata = (("authorization", token), ("cache", "cache"))
        procedure: Any = channel.unary_unary(rpcs.SET.path, pb.SetRequest.SerializeToString)
        procedure(request, metadata=metadata, timeout=20)
        with pytest.raises(grpc.RpcError):
            procedure(request, metadata=(("authorization", token[:-1]), ("cache", "cache")), timeout=20)
    for secret in ("a-key", "a-value", token[-40:-1]):
        assert secret not in caplog.text
