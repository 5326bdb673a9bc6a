"""A server on a clock of the test's own, asked over a bare channel with the protocol's messages."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from momento_lambda.server import LocalServer, ManualClock
from momento_lambda.wire.rpc import Rpc

CACHE = "cache"


@pytest.fixture
def clock() -> ManualClock:
    """The time that the server goes by."""
    return ManualClock()


@pytest.fixture
def server(clock: ManualClock) -> Iterator[LocalServer]:
    """A server with one cache and faults, asking for tokens."""
    with LocalServer(clock=clock, caches=[CACHE], faults=True) as server:
        yield server


@pytest.fixture
def channel(server: LocalServer) -> Iterator[grpc.Channel]:
    """A connection to the server, without a limit of its own on messages."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.address, options=options) as channel:
        yield channel


@pytest.fixture
def call(server: LocalServer, channel: grpc.Channel) -> Callable[..., Any]:
    """Ask one procedure, with a good token and the cache unless told otherwise; replies that stream are a list."""
    good_token = server.create_token()

    def ask(
        rpc: Rpc[Any, Any],
        request: Any,
        *,
        cache: str | None = CACHE,
        token: str | None = good_token,
        **headers: str,
    ) -> Any:
        metadata = [(name.replace("_", "-"), value) for name, value in headers.items()]
        metadata += [("cache", cache)] if cache is not None else []
        metadata += [("authorization", token)] if token is not None else []
        kind = channel.unary_stream if rpc.streams else channel.unary_unary
        encode = None if isinstance(request, bytes) else rpc.request.SerializeToString
        reply = kind(rpc.path, encode, rpc.reply.FromString)(request, metadata=tuple(metadata), timeout=20)
        return list(reply) if rpc.streams else reply

    return ask


@pytest.fixture
def refusal(call: Callable[..., Any]) -> Callable[..., tuple[str, str | None, str]]:
    """Ask as `call` does, and return the status, the `err` trailer and the words of its failure."""

    def ask(*args: Any, **kwargs: Any) -> tuple[str, str | None, str]:
        with pytest.raises(grpc.RpcError) as caught:
            call(*args, **kwargs)
        failed: Any = caught.value
        return failed.code().name, dict(failed.trailing_metadata()).get("err"), failed.details()

    return ask
