"""HTTP/2 and gRPC as bytes: frames that are written and read by hand."""

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

DATA, HEADERS, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACKNOWLEDGED = 1, 4, 1

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_HEAD: Final = 9
_INITIAL_WINDOW: Final = 4
_LARGEST_WINDOW: Final = 2**31 - 1
_DEFAULT_WINDOW: Final = 65_535


class Frame(NamedTuple):
    """A frame that arrived."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    """Return a frame."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def headers(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return headers as literals that are not remembered, so that they are the same bytes in every call."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in pairs)


def call_headers(path: str, metadata: Iterable[tuple[str, str]] = ()) -> bytes:
    """Return the headers of a gRPC call."""
    basis = ((":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"))
    return headers((*basis, ("te", "trailers"), ("content-type", "application/grpc"), *metadata))


def message_frame(message: bytes) -> bytes:
    """Return a message as it lies in the data of a call."""
    return struct.pack(">BI", 0, len(message)) + message


def _string(text: str) -> bytes:
    raw, length = text.encode(), len(text)
    if length < 0x7F:  # noqa: PLR2004  # what fits the seven bits of a length
        return bytes([length]) + raw
    rest, encoded = length - 0x7F, bytearray([0x7F])
    while rest >= 0x80:  # noqa: PLR2004  # seven bits at a time
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*encoded, rest]) + raw


def read_frames(data: bytes) -> tuple[list[Frame], bytes]:
    """Return the frames that data consists of, and what is left of one that has not arrived in full."""
    frames, at = [], 0
    while at + _FRAME_HEAD <= len(data):
        end = at + _FRAME_HEAD + int.from_bytes(data[at : at + 3])
        if end > len(data):
            break
        kind, flags, stream = struct.unpack_from(">BBI", data, at + 3)
        frames.append(Frame(kind, flags, stream, data[at + _FRAME_HEAD : end]))
        at = end
    return frames, data[at:]


GREETING: Final = (
    _PREFACE
    + frame(SETTINGS, struct.pack(">HI", _INITIAL_WINDOW, _LARGEST_WINDOW))
    + frame(WINDOW_UPDATE, struct.pack(">I", _LARGEST_WINDOW - _DEFAULT_WINDOW))
)
"""What a client says first: that it takes whatever comes."""
