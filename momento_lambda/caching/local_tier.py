"""A small cache in this process, in front of the remote one, bounded by bytes."""

import threading
from collections import OrderedDict
from typing import NamedTuple, final

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import Ttl, duration_milliseconds

ENTRY_OVERHEAD_BYTES = 300
"""What an entry takes beyond its key and its bytes: the objects that hold them, and its place in the table."""


class LocalEntry(NamedTuple):
    """One entry.

    Attributes:
        stored: The bytes as the remote cache holds them.
        until_ms: Until when it may be served without asking the remote cache, in milliseconds since 1970.
    """

    stored: bytes
    until_ms: int


@final
class LocalTier:
    """Entries of a cache kept in this process: the least recently used go first when the bytes run out.

    Bytes are kept rather than objects, so that a caller who changes what it got changes nothing here.

    Args:
        max_bytes: The most that keys and bytes may take, an estimate of the bookkeeping included.
        ttl: The longest time that an entry is served without asking the remote cache; never beyond its own TTL. It
            bounds how long this process serves what another one has replaced.

    Raises:
        InvalidArgumentError: No bytes, or a TTL that is not above 0.
    """

    __slots__ = ("_entries", "_lock", "_used", "max_bytes", "ttl_ms")

    def __init__(self, max_bytes: int = 16_000_000, ttl: Ttl = "10s") -> None:
        self.max_bytes = max_bytes
        self.ttl_ms = duration_milliseconds(ttl)
        if max_bytes <= 0 or self.ttl_ms <= 0:
            raise InvalidArgumentError(f"LocalTier({max_bytes}, ttl={ttl!r}): give bytes and a TTL above 0")
        self._entries: OrderedDict[str, LocalEntry] = OrderedDict()
        self._used = 0
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """What the entries take."""
        return self._used

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str, now_ms: int) -> bytes | None:
        """Return an entry's bytes while they may be served without asking the remote cache."""
        entry = self._entries.get(key)
        if entry is None or now_ms >= entry.until_ms:
            return None
        with self._lock:
            # Another thread may have dropped it meanwhile.
            if key in self._entries:
                self._entries.move_to_end(key)
        return entry.stored

    def last_known(self, key: str) -> bytes | None:
        """Return an entry's bytes even if they should not be served without asking: for when nobody answers."""
        entry = self._entries.get(key)
        return None if entry is None else entry.stored

    def put(self, key: str, stored: bytes, now_ms: int, due_ms: int, ttl_ms: int | None = None) -> None:
        """Keep an entry, to be served until it is due or a TTL is over, whichever comes first.

        Args:
            key: The key.
            stored: The bytes as the remote cache holds them.
            now_ms: Milliseconds since 1970.
            due_ms: When the entry's own time to live is over.
            ttl_ms: The TTL; None for the tier's own.
        """
        size = _size(key, stored)
        with self._lock:
            self._drop(key)
            if size > self.max_bytes:
                return
            self._entries[key] = LocalEntry(stored, min(now_ms + (ttl_ms or self.ttl_ms), due_ms))
            self._used += size
            while self._used > self.max_bytes:
                self._drop(next(iter(self._entries)))

    def discard(self, key: str) -> None:
        """Forget an entry."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forget all entries."""
        with self._lock:
            self._entries.clear()
            self._used = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used -= _size(key, entry.stored)


def _size(key: str, stored: bytes) -> int:
    # Keys are nearly always ASCII, for which characters are bytes.
    return len(key) + len(stored) + ENTRY_OVERHEAD_BYTES
