"""Nonsense: whatever is sent, the server neither fails nor answers a stranger."""

import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.http2 import (
    DATA,
    END_HEADERS,
    END_STREAM,
    GREETING,
    HEADERS,
    call_headers,
    frame,
    message_frame,
    read_frames,
)
from momento_lambda.server import LocalServer
from momento_lambda.server.handlers import PROCEDURES
from momento_lambda.server.procedure import Audience
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire.rpc import Rpc

CACHE = "cache"
RPCS = [procedure.rpc for procedure in PROCEDURES]
PROTECTED = [procedure.rpc for procedure in PROCEDURES if procedure.audience is not Audience.ANYONE]

# A message begins with tags and lengths: nonsense that begins like one is read further than other nonsense.
BEGINNINGS = st.sampled_from(
    [b"", b"\x0a", b"\x0a\x03key", b"\x0a\x03key\x12\x05value\x18", b"\x0a\xff\xff\xff\xff\x0f"]
)
REQUESTS = st.builds(bytes.__add__, BEGINNINGS, st.binary(max_size=60))
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)
BUGS = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS}

Ask = Callable[..., grpc.StatusCode]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A server that asks for tokens, with one cache."""
    with LocalServer(caches=[CACHE]) as server:
        yield server


@pytest.fixture(scope="module")
def token(server: LocalServer) -> str:
    """A token that allows everything."""
    return server.create_token()


@pytest.fixture(scope="module")
def ask(server: LocalServer) -> Iterator[Ask]:
    """Make a call of bytes, and return how it ended."""
    with grpc.insecure_channel(server.address) as channel:

        def call(rpc: Rpc[Any, Any], request: bytes, *metadata: tuple[str, str]) -> grpc.StatusCode:
            # One reply is a stream of one.
            stream: Any = channel.unary_stream(rpc.path)
            try:
                list(stream(request, metadata=metadata, timeout=20))
            except grpc.RpcError as error:
                failed: Any = error
                status: grpc.StatusCode = failed.code()
                return status
            return grpc.StatusCode.OK

        yield call


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No bug is logged, as the server does with those that it answers INTERNAL."""
    with caplog.at_level(logging.ERROR, "momento_lambda.server"):
        yield
    assert [] == [record for record in caplog.records if record.name.startswith("momento_lambda")]


# The log is looked at once all examples are through.
examples = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


@examples
@given(st.sampled_from(RPCS), REQUESTS)
def test_nonsense_is_answered_or_refused(ask: Ask, token: str, rpc: Rpc[Any, Any], request: bytes) -> None:
    """Whatever bytes are the request of whatever procedure, it is answered or refused, and never a bug."""
    assert ask(rpc, request, ("authorization", token), ("cache", CACHE)) not in BUGS


@examples
@given(st.sampled_from(PROTECTED), REQUESTS, PRINTABLE, PRINTABLE)
def test_a_stranger_is_never_answered(ask: Ask, rpc: Rpc[Any, Any], request: bytes, made_up: str, cache: str) -> None:
    """Whatever a caller makes up as a token, as a cache and as a request, it is UNAUTHENTICATED."""
    assert grpc.StatusCode.UNAUTHENTICATED is ask(rpc, request, ("authorization", made_up), ("cache", cache))


@examples
@given(st.sampled_from(PROTECTED), st.data())
def test_a_changed_token_is_no_token(ask: Ask, token: str, rpc: Rpc[Any, Any], data: st.DataObject) -> None:
    """A good token with any of its letters changed, but for the bits that its last one does not use, is refused."""
    at = data.draw(st.integers(0, len(token) - 2))
    letter = data.draw(st.sampled_from("ABCabc012-_."))
    changed = token[:at] + letter + token[at + 1 :]
    if changed != token:
        assert grpc.StatusCode.UNAUTHENTICATED is ask(rpc, b"", ("authorization", changed), ("cache", CACHE))


@examples
@given(st.lists(st.tuples(st.from_regex(r"x-[a-z0-9_.-]{1,20}", fullmatch=True), PRINTABLE), max_size=8))
def test_other_headers_mean_nothing(ask: Ask, token: str, others: list[tuple[str, str]]) -> None:
    """Whatever other headers surround those of a call, it is answered as without them."""
    others = [(name.removesuffix("-bin"), value) for name, value in others]
    half = len(others) // 2
    metadata = (*others[:half], ("authorization", token), ("cache", CACHE), *others[half:])
    assert grpc.StatusCode.OK is ask(rpcs.GET, b"\x0a\x03key", *metadata)


def a_call(token: str) -> bytes:
    """Return the frames of a call that stores an item."""
    message = rpcs.set_request(b"key", b"value", 60_000).SerializeToString()
    metadata = (("authorization", token), ("cache", CACHE))
    return frame(HEADERS, call_headers(rpcs.SET.path, metadata), flags=END_HEADERS, stream=1) + frame(
        DATA, message_frame(message), flags=END_STREAM, stream=1
    )


def replies(connection: socket.socket) -> list[bytes]:
    """Return the data that arrives until the call is over, or the connection."""
    unread, data = b"", list[bytes]()
    while received := connection.recv(1 << 16):
        frames, unread = read_frames(unread + received)
        data += [each.payload for each in frames if each.kind == DATA]
        if any(each.kind == HEADERS and each.flags & END_STREAM for each in frames):
            break
    return data


@examples
@given(st.data())
def test_a_call_may_end_anywhere(ask: Ask, server: LocalServer, token: str, data: st.DataObject) -> None:
    """A caller who hangs up in the middle of a frame leaves the server as it was."""
    whole = GREETING + a_call(token)
    end = data.draw(st.integers(0, len(whole) - 1))
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(whole[:end])
    assert grpc.StatusCode.OK is ask(rpcs.PING, b"")


def test_a_slow_sender_is_answered(ask: Ask, server: LocalServer, token: str) -> None:
    """A call that arrives a byte at a time is answered like any other, and others are answered meanwhile."""
    whole = GREETING + a_call(token)
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        for at in range(len(whole)):
            connection.sendall(whole[at : at + 1])
            if at % 100 == 0:
                assert grpc.StatusCode.OK is ask(rpcs.PING, b"")
        assert [message_frame(b"\x08\x01")] == replies(connection)


def test_a_stranger_reads_nothing(server: LocalServer) -> None:
    """On the connection itself, a call without a token ends without a byte of data."""
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        connection.sendall(GREETING + a_call(""))
        assert [] == replies(connection)
