"""A small cache in this process, in front of the remote one, bounded by bytes."""

import threading
from collections import OrderedDict
from typing import Final, NamedTuple, final

from momento_lambda.caching.envelope import Entry, Packing
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import Ttl, duration_milliseconds

ENTRY_OVERHEAD_BYTES = 300
"""What an entry takes beyond its key and its bytes: the objects that hold them, and its place in the table."""

ENCODED: Final = object()
"""Stands for a value that is to be read from the bytes, for each caller anew."""

UNCHANGING: Final = frozenset({type(None), bool, int, float, str, bytes})
"""Types whose values nobody can change, so that many callers may have one."""


class LocalEntry(NamedTuple):
    """One entry.

    Attributes:
        stored: The bytes as the remote cache holds them.
        entry: What they were read as, once: its times, and its value where nobody can change it.
        packing: What read them.
        until_ms: Until when it may be served without asking the remote cache, in milliseconds since 1970.
    """

    stored: bytes
    entry: Entry
    packing: Packing
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

    __slots__ = ("_cache_name", "_entries", "_lock", "_used", "max_bytes", "ttl_ms")

    def __init__(self, max_bytes: int = 16_000_000, ttl: Ttl = "10s") -> None:
        self.max_bytes = max_bytes
        self.ttl_ms = duration_milliseconds(ttl)
        if max_bytes <= 0 or self.ttl_ms <= 0:
            raise InvalidArgumentError(f"LocalTier({max_bytes}, ttl={ttl!r}): give bytes and a TTL above 0")
        self._entries: OrderedDict[str, LocalEntry] = OrderedDict()
        self._used = 0
        self._lock = threading.Lock()
        self._cache_name: str | None = None

    def serve(self, cache_name: str) -> None:
        """Note which cache on the server the entries are of.

        Raises:
            InvalidArgumentError: It serves another one, and would take the values of one for the other's.
        """
        with self._lock:
            if self._cache_name not in {None, cache_name}:
                raise InvalidArgumentError(
                    f"the LocalTier serves the cache {self._cache_name!r}: give {cache_name!r} one of its own"
                )
            self._cache_name = cache_name

    @property
    def used_bytes(self) -> int:
        """What the entries take."""
        return self._used

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str, now_ms: int) -> LocalEntry | None:
        """Return an entry while it may be served without asking the remote cache."""
        entry = self._entries.get(key)
        if entry is None or now_ms >= entry.until_ms:
            return None
        # Without the lock, which costs as much as the rest: either look-up is one step, which no thread comes between.
        try:
            self._entries.move_to_end(key)
        except KeyError:
            # Another thread has dropped it meanwhile.
            return None
        return entry

    def last_known(self, key: str) -> LocalEntry | None:
        """Return an entry even if it should not be served without asking: for when nobody answers."""
        return self._entries.get(key)

    def put(
        self, key: str, stored: bytes, entry: Entry, packing: Packing, *, now_ms: int, ttl_ms: int | None = None
    ) -> None:
        """Keep an entry, to be served until it is due or a TTL is over, whichever comes first.

        Args:
            key: The key.
            stored: The bytes as the remote cache holds them.
            entry: What they were read as.
            packing: What read them.
            now_ms: Milliseconds since 1970.
            ttl_ms: The TTL; None for the tier's own.
        """
        size = _size(key, stored)
        with self._lock:
            self._drop(key)
            if size > self.max_bytes:
                return
            until_ms = min(now_ms + (ttl_ms or self.ttl_ms), entry.due_ms)
            self._entries[key] = LocalEntry(stored, _without_what_changes(entry), packing, until_ms)
            self._used += size
            while self._used > self.max_bytes:
                oldest, dropped = self._entries.popitem(last=False)
                self._used -= _size(oldest, dropped.stored)

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


def _without_what_changes(entry: Entry) -> Entry:
    """Return an entry without a value that a caller who got it could change; the bytes hold it still."""
    return entry if type(entry.value) in UNCHANGING else entry._replace(value=ENCODED)


def _size(key: str, stored: bytes) -> int:
    # Keys are nearly always ASCII, for which characters are bytes.
    return len(key) + len(stored) + ENTRY_OVERHEAD_BYTES
