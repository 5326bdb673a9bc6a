"""What is stored: the serialized value behind a header that says what it is and since when."""

import struct
import zlib
from typing import Any, NamedTuple

from momento_lambda.caching.serializers import Serializer

_MAGIC = b"ml"
_VERSION = 1
# magic, version, serializer, created and expiring in milliseconds since 1970
_HEADER = struct.Struct(">2sBBQQ")
# of all the rest
_CHECKSUM = struct.Struct(">I")
_PAYLOAD_AT = _HEADER.size + _CHECKSUM.size


class Entry(NamedTuple):
    """One stored value.

    Attributes:
        value: What the loader returned.
        created_ms: When, in milliseconds since 1970.
        expires_ms: Until when it may be served.
    """

    value: Any
    created_ms: int
    expires_ms: int


def seal(entry: Entry, serializer: Serializer) -> bytes:
    """Return the bytes to store.

    Raises:
        InvalidArgumentError: The serializer refuses the value.
    """
    payload = serializer.dumps(entry.value)
    header = _HEADER.pack(_MAGIC, _VERSION, serializer.identity, entry.created_ms, entry.expires_ms)
    return header + _checksum(header, payload) + payload


def unseal(stored: bytes, serializer: Serializer) -> Entry | None:
    """Return the entry that was sealed, or None where the bytes are foreign, cut short, damaged or of another kind."""
    if len(stored) < _PAYLOAD_AT:
        return None
    header, checksum, payload = stored[: _HEADER.size], stored[_HEADER.size : _PAYLOAD_AT], stored[_PAYLOAD_AT:]
    magic, version, identity, created_ms, expires_ms = _HEADER.unpack(header)
    if (magic, version, identity) != (_MAGIC, _VERSION, serializer.identity) or checksum != _checksum(header, payload):
        return None
    try:
        return Entry(serializer.loads(payload), created_ms, expires_ms)
    except ValueError:
        return None


def _checksum(header: bytes, payload: bytes) -> bytes:
    return _CHECKSUM.pack(zlib.crc32(payload, zlib.crc32(header)))
