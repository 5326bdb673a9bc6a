"""Both clients against a bare gRPC server that does what a test tells it to."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias, cast

import grpc
import pytest

from momento_lambda import Configuration, CredentialProvider, SimpleCacheClientAsync
from momento_lambda.endpoint import Endpoint
from momento_lambda.wire import cache_pb2, cache_rpcs, control_pb2, control_rpcs
from momento_lambda.wire.rpc import Rpc
from tests.twins import TWINS, Connect

TOKEN: Final = "token-that-nobody-may-see"

Answer: TypeAlias = Callable[[grpc.ServicerContext], None]

_MISS: Final = cache_pb2.GetResponse(result=cache_pb2.MISS)
_STORED: Final = cache_pb2.SetResponse(result=cache_pb2.OK)


def _once(reply: object) -> Callable[[Any], object]:
    return lambda _request: reply


# What a healthy server answers, as far as these tests look at it.
_ANSWERS: Final[dict[Rpc[Any, Any], Callable[[Any], Any]]] = {
    cache_rpcs.GET: _once(_MISS),
    cache_rpcs.GET_BATCH: lambda request: [_MISS] * len(request.items),
    cache_rpcs.SET: _once(_STORED),
    cache_rpcs.SET_BATCH: lambda request: [_STORED] * len(request.items),
    cache_rpcs.SET_IF: _once(cache_pb2.SetIfResponse(stored=cache_pb2.SetIfResponse.Stored())),
    cache_rpcs.DELETE: _once(cache_pb2.DeleteResponse()),
    cache_rpcs.KEYS_EXIST: lambda request: cache_pb2.KeysExistResponse(exists=[False] * len(request.cache_keys)),
    cache_rpcs.INCREMENT: _once(cache_pb2.IncrementResponse(value=1)),
    cache_rpcs.UPDATE_TTL: _once(cache_pb2.UpdateTtlResponse(missing=cache_pb2.UpdateTtlResponse.Missing())),
    cache_rpcs.ITEM_GET_TTL: _once(cache_pb2.ItemGetTtlResponse(missing=cache_pb2.ItemGetTtlResponse.Missing())),
    cache_rpcs.PING: _once(cache_pb2.PingResponse()),
    control_rpcs.CREATE_CACHE: _once(control_pb2.CreateCacheResponse()),
    control_rpcs.DELETE_CACHE: _once(control_pb2.DeleteCacheResponse()),
    control_rpcs.FLUSH_CACHE: _once(control_pb2.FlushCacheResponse()),
    control_rpcs.LIST_CACHES: _once(control_pb2.ListCachesResponse()),
}
_RPCS: Final = {rpc.path: rpc for rpc in _ANSWERS}


class Attempt(NamedTuple):
    """One attempt as it reached the server."""

    rpc: str
    headers: dict[str, str | bytes]
    request: Any
    request_bytes: int
    time_left: float
    deadline: float
    peer: str


class ScriptedServer(grpc.GenericRpcHandler):
    """Takes note of every attempt, and lets a test decide what becomes of it."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.replies = dict(_ANSWERS)
        self.answer: Answer = lambda _context: None
        self.answer_within: Answer = lambda _context: None
        self._cut = False
        self.arrived = threading.Semaphore(0)
        self.released = threading.Event()
        self._pool = ThreadPoolExecutor(64)
        self._server = grpc.server(self._pool, handlers=[self], options=[("grpc.max_receive_message_length", -1)])
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def credentials(self) -> CredentialProvider:
        """What a client needs to reach it."""
        endpoint = Endpoint("127.0.0.1", self.port, tls=False)
        return CredentialProvider(TOKEN, cache_endpoint=endpoint, control_endpoint=endpoint)

    def fail(self, status: grpc.StatusCode, *, first: int = 1_000_000) -> None:
        """Fail so many attempts from now on."""
        self.answer = _failures(status, first)

    def break_streams(self, status: grpc.StatusCode, *, first: int) -> None:
        """Fail so many attempts from now on after one answer of their streams."""
        self.answer_within = _failures(status, first)

    def cut_streams(self) -> None:
        """End every stream after one answer, as if that were all."""
        self._cut = True

    def recover(self) -> None:
        """Answer from now on."""
        self.answer = lambda _context: None

    def hang(self) -> None:
        """Answer nothing from now on, until the test ends."""
        self.answer = lambda _context: cast("None", self.released.wait())

    async def wait_for_attempt(self) -> None:
        """Return when one more attempt has arrived than were waited for."""
        await asyncio.to_thread(self.arrived.acquire)

    def stop(self) -> None:
        """End, whatever hangs."""
        self.released.set()
        self._server.stop(None).wait()
        self._pool.shutdown()

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Return what answers a call."""
        rpc = _RPCS.get(details.method)
        if rpc is None:
            return None
        if rpc.streams:
            replies = partial(self._reply_each, rpc)
            return grpc.unary_stream_rpc_method_handler(replies, None, rpc.reply.SerializeToString)
        return grpc.unary_unary_rpc_method_handler(partial(self._reply, rpc), None, rpc.reply.SerializeToString)

    def _reply_each(self, rpc: Rpc[Any, Any], request: bytes, context: grpc.ServicerContext) -> Iterator[Any]:
        first, *rest = self._reply(rpc, request, context)
        yield first
        if self._cut:
            return
        self.answer_within(context)
        yield from rest

    def _reply(self, rpc: Rpc[Any, Any], request: bytes, context: grpc.ServicerContext) -> Any:
        time_left = context.time_remaining() or 0.0
        message = rpc.request.FromString(request)
        headers = dict(context.invocation_metadata())
        deadline = time.monotonic() + time_left
        self.attempts.append(Attempt(rpc.name, headers, message, len(request), time_left, deadline, context.peer()))
        self.arrived.release()
        self.answer(context)
        return self.replies[rpc](message)


def _failures(status: grpc.StatusCode, first: int) -> Answer:
    left = iter(range(first))

    def answer(context: grpc.ServicerContext) -> None:
        if next(left, None) is not None:
            context.abort(status, "as the test asked for")

    return answer


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers as if it held nothing, until told otherwise."""
    running = ScriptedServer()
    yield running
    running.stop()


@pytest.fixture(params=list(TWINS))
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Make clients, which are closed when the test ends."""
    async with AsyncExitStack() as stack:

        def make(credentials: CredentialProvider, **settings: Any) -> SimpleCacheClientAsync:
            client = TWINS[request.param](credentials, 60, configuration=Configuration(**settings))
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
async def client(connect: Connect, server: ScriptedServer) -> SimpleCacheClientAsync:
    """A client of that server."""
    return connect(server.credentials)
