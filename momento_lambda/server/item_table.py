"""Values by key, each with its deadline, in as little memory as an interpreter's objects allow.

A value and its deadline are one `bytes`: as two objects in a tuple they would take eighty bytes more, a third of all
that an item takes. The table is in parts, since growing a dict copies it: of a million items that would be a pause of
many milliseconds, and of a sixteenth it is one.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, final

from momento_lambda.server.deadlines import Deadlines
from momento_lambda.server.memory_budget import MemoryBudget

ITEM_OVERHEAD_BYTES: Final = 200
"""What an item takes beyond its key and value: the objects that hold them, its deadline, its places in tables."""

_PARTS: Final = 16
# The bits of a hash that a dict looks at last: of keys that have the first in common it would make one heap.
_PART_SHIFT: Final = 60

_HEAD: Final = Struct(">q")


@final
class ItemTable:
    """Items, expired ones that were not yet reclaimed included.

    Args:
        budget: What their memory is charged to.

    Attributes:
        used_bytes: The memory that they take, as an estimate.
    """

    __slots__ = ("_budget", "_parts", "used_bytes")

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._parts = tuple(_Part() for _ in range(_PARTS))
        self.used_bytes = 0

    def __len__(self) -> int:
        """How many there are."""
        return sum(len(part.entries) for part in self._parts)

    def value(self, key: bytes, now: int) -> bytes | None:
        """Return a value, or None where there is none whose deadline is still to come."""
        entry = self._part(key).entries.get(key)
        return None if entry is None or now >= _deadline(entry) else entry[_HEAD.size :]

    def deadline(self, key: bytes) -> int | None:
        """Return an item's deadline, which may be past, or None where there is no item."""
        entry = self._part(key).entries.get(key)
        return None if entry is None else _deadline(entry)

    def growth(self, key: bytes, value: bytes) -> int:
        """Return how many bytes more the items would take with this one."""
        return _growth(key, value, self._part(key).entries.get(key))

    def put(self, key: bytes, value: bytes, deadline: int, now: int) -> None:
        """Keep an item, in place of what was there."""
        part = self._part(key)
        old = part.entries.get(key)
        part.entries[key] = _HEAD.pack(deadline) + value
        self._charge(_growth(key, value, old))
        if old is None:
            part.deadlines.add(key, deadline, now)
        else:
            part.deadlines.move(key, _deadline(old), deadline, now)

    def retime(self, key: bytes, deadline: int, now: int) -> None:
        """Give an item that is there another deadline."""
        part = self._part(key)
        entry = part.entries[key]
        part.entries[key] = _HEAD.pack(deadline) + entry[_HEAD.size :]
        part.deadlines.move(key, _deadline(entry), deadline, now)

    def remove(self, key: bytes) -> None:
        """Let go of an item, if it is there."""
        part = self._part(key)
        entry = part.entries.get(key)
        if entry is not None:
            part.deadlines.discard(key, _deadline(entry))
            self._charge(-part.drop(key))

    def reclaim(self, now: int, limit: int) -> bool:
        """Let go of expired items and return whether there are more.

        Args:
            now: The time, in nanoseconds.
            limit: The most items to go through.
        """
        for number, part in enumerate(self._parts):
            keys = part.deadlines.take_due(now, limit)
            for key in keys:
                deadline = _deadline(part.entries[key])
                if now < deadline:
                    part.deadlines.add(key, deadline, now)
                else:
                    self._charge(-part.drop(key))
            limit -= len(keys)
            if limit <= 0:
                return any(part.deadlines.any_due(now) for part in self._parts[number:])
        return False

    def dismantle(self, limit: int) -> Iterator[None]:
        """Let go of everything, of so many items in each step. The table is of no use afterwards, and charges nothing.

        To let go of a million items at once takes long enough for every caller to notice.
        """
        for part in self._parts:
            part.deadlines = Deadlines()
            while part.entries:
                for _ in range(min(limit, len(part.entries))):
                    part.entries.popitem()
                yield

    def _charge(self, growth: int) -> None:
        self.used_bytes += growth
        self._budget.used += growth

    def _part(self, key: bytes) -> "_Part":
        return self._parts[hash(key) >> _PART_SHIFT]


@final
class _Part:
    """The items whose keys have a part of their hash in common."""

    __slots__ = ("deadlines", "entries")

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.deadlines = Deadlines()

    def drop(self, key: bytes) -> int:
        """Let go of an entry, and return what it took."""
        entry = self.entries.pop(key)
        if not self.entries:
            # A dict does not shrink. This one may have held very many.
            self.entries = {}
        return _size(key, len(entry) - _HEAD.size)


def _deadline(entry: bytes) -> int:
    deadline: int = _HEAD.unpack_from(entry)[0]
    return deadline


def _size(key: bytes, value_bytes: int) -> int:
    return len(key) + value_bytes + ITEM_OVERHEAD_BYTES


def _growth(key: bytes, value: bytes, old: bytes | None) -> int:
    return _size(key, len(value)) if old is None else len(value) - (len(old) - _HEAD.size)
