"""Calls in great number at little cost: HTTP/2 spoken by hand, with every request written in advance.

A gRPC client in Python takes as long for a call as a server does. On a machine with two cores it would be the client
that is measured. Here a call costs a few microseconds, so that the server is what is busy.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.http2 import (
    ACKNOWLEDGED,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    GREETING,
    HEADERS,
    PING,
    SETTINGS,
    call_headers,
    frame,
    message_frame,
    read_frames,
)

_READ_BYTES: Final = 1 << 18
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Request:
    """A call, again and again.

    Attributes:
        path: The procedure.
        metadata: Its headers.
        message: The request message.
        reply_bytes: How long the reply message is, by which an answer is told from a refusal.
    """

    path: str
    metadata: Sequence[tuple[str, str]]
    message: bytes
    reply_bytes: int


@dataclass
class Load:
    """What came of many calls.

    Attributes:
        seconds: How long all of them took.
        latencies: How long each took, in seconds.
    """

    seconds: float
    latencies: list[float] = field(default_factory=list)


def hammer(address: tuple[str, int], request: Request, *, calls: int, connections: int, in_flight: int) -> Load:
    """Make so many calls, each connection so many at a time, and return how long they took."""
    lines = [_Connection(address, request, in_flight) for _ in range(connections)]
    load = Load(0.0)
    began = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.fill()
        while len(load.latencies) < calls:
            ready = selector.select(_PATIENCE_SECONDS)
            if not ready:
                raise SystemExit("the server fell silent")
            for key, _ in ready:
                load.latencies += key.data.read()
                key.data.fill()
    load.seconds = time.perf_counter() - began
    for line in lines:
        line.socket.close()
    return load


class _Connection:
    """One connection with a number of calls in flight."""

    def __init__(self, address: tuple[str, int], request: Request, in_flight: int) -> None:
        self.socket = socket.create_connection(address, timeout=_PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(GREETING)
        self._headers = call_headers(request.path, request.metadata)
        self._data = message_frame(request.message)
        self._expected = len(message_frame(b"")) + request.reply_bytes
        self._in_flight = in_flight
        self._next_stream = 1
        self._sent: dict[int, float] = {}
        self._received: dict[int, int] = {}
        self._unread = b""
        self._answers = bytearray()

    def fill(self) -> None:
        """Send what was to be answered, and as many calls as are missing."""
        out, now = self._answers, time.perf_counter()
        while len(self._sent) < self._in_flight:
            stream = self._next_stream
            out += frame(HEADERS, self._headers, flags=END_HEADERS, stream=stream)
            out += frame(DATA, self._data, flags=END_STREAM, stream=stream)
            self._sent[stream] = now
            self._next_stream += 2
        if out:
            self.socket.sendall(out)
            self._answers = bytearray()

    def read(self) -> list[float]:
        """Read what has arrived, and return how long the calls took that ended with it."""
        received = self.socket.recv(_READ_BYTES)
        if not received:
            raise SystemExit("the server closed the connection")
        now, ended = time.perf_counter(), []
        frames, self._unread = read_frames(self._unread + received)
        for kind, flags, stream, payload in frames:
            if kind == DATA:
                self._received[stream] = self._received.get(stream, 0) + len(payload)
            elif kind == HEADERS and flags & END_STREAM:
                if self._received.pop(stream, 0) != self._expected:
                    raise SystemExit("the server refused a call, or answered something else")
                ended.append(now - self._sent.pop(stream))
            elif kind in (SETTINGS, PING) and not flags & ACKNOWLEDGED:
                self._answers += frame(kind, payload if kind == PING else b"", flags=ACKNOWLEDGED)
            elif kind == GOAWAY:
                raise SystemExit("the server sent the client away")
        return ended
