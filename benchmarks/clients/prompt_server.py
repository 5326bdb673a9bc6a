"""A server that takes next to no time: every key is there, and all answers to a request go out at once.

A server in Python takes about as long for an answer as a client does, and sends each by itself. A hosted one does
neither. Here HTTP/2 is spoken by hand, with every answer written in advance, so that the client is what is measured.
"""

import asyncio
import struct
from typing import Final

from benchmarks.http2 import (
    ACKNOWLEDGED,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
    headers,
    message_frame,
    read_frames,
)
from momento_lambda.wire import cache_pb2 as pb

_PREFACE_BYTES: Final = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
_BEGINNING: Final = headers(((":status", "200"), ("content-type", "application/grpc")))
_END: Final = headers((("grpc-status", "0"),))
_FRAME_BYTES: Final = 16_384
_MESSAGE_HEAD_BYTES: Final = 5
# The first byte of a field 1 that holds bytes or a message: within a batch, each request begins with another.
_FIELD_1: Final = 0x0A


class PromptServer(asyncio.Protocol):
    """One connection, whose every request is a get or a batch of gets, and a hit.

    Args:
        value: What every key holds.
    """

    def __init__(self, value: bytes) -> None:
        self._answer = message_frame(pb.GetResponse(result=pb.HIT, cache_body=value).SerializeToString())
        self._greeted = False
        self._unread = b""
        self._requests: dict[int, bytes] = {}
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(frame(SETTINGS, b""))

    def data_received(self, data: bytes) -> None:
        """Answer what is complete, in one write."""
        unread = self._unread + data
        if not self._greeted:
            if len(unread) < _PREFACE_BYTES:
                self._unread = unread
                return
            self._greeted, unread = True, unread[_PREFACE_BYTES:]
        frames, self._unread = read_frames(unread)
        out = b"".join(self._reply(*each) for each in frames)
        if out and self._transport is not None:
            self._transport.write(out)

    def _reply(self, kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        if kind in (SETTINGS, PING) and not flags & ACKNOWLEDGED:
            return frame(kind, payload if kind == PING else b"", flags=ACKNOWLEDGED)
        if kind != DATA:
            return b""
        request = self._requests.pop(stream, b"") + payload
        taken = frame(WINDOW_UPDATE, struct.pack(">I", len(payload))) if payload else b""
        if not flags & END_STREAM:
            self._requests[stream] = request
            return taken
        return taken + self._answered(stream, _gets(request[_MESSAGE_HEAD_BYTES:]))

    def _answered(self, stream: int, gets: int) -> bytes:
        answers = self._answer * gets
        parts = [answers[start : start + _FRAME_BYTES] for start in range(0, len(answers), _FRAME_BYTES)]
        return b"".join(
            [
                frame(HEADERS, _BEGINNING, flags=END_HEADERS, stream=stream),
                *(frame(DATA, part, stream=stream) for part in parts),
                frame(HEADERS, _END, flags=END_HEADERS | END_STREAM, stream=stream),
            ]
        )


def _gets(message: bytes) -> int:
    """Return how many keys a request asks for."""
    inner = message[2 if message[1] < 0x80 else 3 :]  # noqa: PLR2004  # a length of one byte, or of two
    return len(pb.GetBatchRequest.FromString(message).items) if inner[0] == _FIELD_1 else 1
