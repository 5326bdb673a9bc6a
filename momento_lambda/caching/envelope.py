"""What is stored: the serialized value behind a header that says what it is, since when, and what it cost."""

import struct
import zlib
from typing import Any, Final, NamedTuple, Protocol, final

from momento_lambda.caching.serializers import Serializer
from momento_lambda.errors import InvalidArgumentError

# magic and version
_BEGIN: Final = b"ml\x02"
# begin, checksum of all that follows it
_SEAL = struct.Struct(">3sI")
# flags, serializer, fingerprint of the type, created, due and gone in milliseconds since 1970,
# cost of the load in milliseconds
_FIELDS = struct.Struct(">BBIQQQI")
_HEADER = struct.Struct(">3sIBBIQQQI")
_FLAGS_AT = _SEAL.size
_PAYLOAD_AT = _HEADER.size
_MAX_COST_MS = 2**32 - 1

_NEGATIVE = 1
_ABSENT = 2
_COMPRESSED = 4

# What a compressed value may unpack to: ten times the largest item. More is an attack, or damage.
_MAX_UNPACKED_BYTES = 50_000_000
_FOREVER_MS: Final = 2**63 - 1


class Entry(NamedTuple):
    """One stored value.

    Attributes:
        value: What the loader returned.
        created_ms: When, in milliseconds since 1970; 0 where it is not known.
        due_ms: When its time to live is over, and it should be loaded anew.
        gone_ms: Until when it may be served while that fails or is under way.
        cost_ms: How long the loader took.
        negative: Whether it is a None that lives by the TTL of absences.
        absent: Whether it stands for an id that a batch loader left out; there is no value then.
    """

    value: Any
    created_ms: int
    due_ms: int
    gone_ms: int
    cost_ms: int = 0
    negative: bool = False
    absent: bool = False


class Packing(Protocol):
    """How entries become the bytes of an item."""

    @property
    def keeps_times(self) -> bool:
        """Whether an entry comes back with its times and flags, rather than its value alone."""
        ...

    def pack(self, entry: Entry) -> bytes:
        """Return the bytes to store.

        Raises:
            InvalidArgumentError: The serializer refuses the value.
        """
        ...

    def unpack(self, stored: bytes) -> Entry | None:
        """Return the entry that was packed, or None where the bytes are foreign, damaged or of another kind."""
        ...

    def value(self, stored: bytes) -> Any:
        """Return the value in bytes that `unpack` has read before, without checking them again."""
        ...


@final
class Envelope:
    """A value behind a header.

    Args:
        serializer: What turns values into bytes and back.
        fingerprint: Of the type that values have, or 0: values of another type are not read.
        compress_over: Values of more bytes than this are compressed; None for never.
    """

    __slots__ = ("_compress_over", "_fingerprint", "_serializer")

    keeps_times = True

    def __init__(self, serializer: Serializer, fingerprint: int = 0, compress_over: int | None = None) -> None:
        self._serializer = serializer
        self._fingerprint = fingerprint
        self._compress_over = compress_over

    def pack(self, entry: Entry) -> bytes:
        """Return the bytes to store.

        Raises:
            InvalidArgumentError: The serializer refuses the value.
        """
        flags = (_NEGATIVE if entry.negative else 0) | (_ABSENT if entry.absent else 0)
        payload = b"" if entry.absent else _dumped(self._serializer, entry.value)
        if self._compress_over is not None and self._compress_over < len(payload) <= _MAX_UNPACKED_BYTES:
            compressed = zlib.compress(payload)
            if len(compressed) < len(payload):
                flags, payload = flags | _COMPRESSED, compressed
        fields = _FIELDS.pack(
            flags,
            self._serializer.identity,
            self._fingerprint,
            entry.created_ms,
            entry.due_ms,
            entry.gone_ms,
            min(entry.cost_ms, _MAX_COST_MS),
        )
        sealed = fields + payload
        return _SEAL.pack(_BEGIN, zlib.crc32(sealed)) + sealed

    def unpack(self, stored: bytes) -> Entry | None:
        """Return the entry that was packed, or None where the bytes are foreign, damaged or of another kind."""
        if len(stored) < _PAYLOAD_AT:
            return None
        begin, checksum, flags, identity, fingerprint, created, due, gone, cost = _HEADER.unpack_from(stored)
        if begin != _BEGIN or identity != self._serializer.identity or checksum != zlib.crc32(stored[_FLAGS_AT:]):
            return None
        if fingerprint != self._fingerprint and fingerprint and self._fingerprint:
            return None
        if flags & _ABSENT:
            return Entry(None, created, due, gone, cost, negative=True, absent=True)
        payload = stored[_PAYLOAD_AT:]
        try:
            value = _loaded(self._serializer, _decompress(payload) if flags & _COMPRESSED else payload)
        except ValueError:
            return None
        return Entry(value, created, due, gone, cost, bool(flags & _NEGATIVE))

    def value(self, stored: bytes) -> Any:
        """Return the value in bytes that `unpack` has read before, without checking them again."""
        payload = stored[_PAYLOAD_AT:]
        return self._serializer.loads(_decompress(payload) if stored[_FLAGS_AT] & _COMPRESSED else payload)


@final
class Bare:
    """The serialized value alone, for readers in other languages: no times, no absences, no compression.

    Args:
        serializer: What turns values into bytes and back.
    """

    __slots__ = ("_serializer",)

    keeps_times = False

    def __init__(self, serializer: Serializer) -> None:
        self._serializer = serializer

    def pack(self, entry: Entry) -> bytes:
        """Return the bytes to store.

        Raises:
            InvalidArgumentError: The serializer refuses the value.
        """
        return _dumped(self._serializer, entry.value)

    def unpack(self, stored: bytes) -> Entry | None:
        """Return the value, with times that leave its end to the cache; None where the serializer cannot read it."""
        try:
            return Entry(_loaded(self._serializer, stored), 0, _FOREVER_MS, _FOREVER_MS)
        except ValueError:
            return None

    def value(self, stored: bytes) -> Any:
        """Return the value."""
        return self._serializer.loads(stored)


def _dumped(serializer: Serializer, value: Any) -> bytes:
    try:
        return serializer.dumps(value)
    except InvalidArgumentError:
        raise
    except Exception as error:
        # A user's serializer may raise anything; the value is still good.
        raise InvalidArgumentError(
            f"a value of type {type(value).__qualname__} could not be serialized ({type(error).__name__})"
        ) from error


def _loaded(serializer: Serializer, payload: bytes) -> Any:
    try:
        return serializer.loads(payload)
    except Exception as error:
        # As above: bytes that it cannot read are none of the caller's trouble.
        raise ValueError("not a value that the serializer reads") from error


def _decompress(payload: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        # One more than may be, for the end to be seen of what is as large as may be.
        unpacked = unpacker.decompress(payload, _MAX_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise ValueError("not compressed data") from error
    if not unpacker.eof or len(unpacked) > _MAX_UNPACKED_BYTES:
        raise ValueError("compressed data that is cut short, or unpacks to more than any value has")
    return unpacked
