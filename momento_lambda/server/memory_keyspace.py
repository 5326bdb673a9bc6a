"""The items of one cache, in memory."""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, final

from momento_lambda.errors import LimitExceededError
from momento_lambda.responses import TtlUpdate
from momento_lambda.server.clock import NANOSECONDS_PER_MILLISECOND, Clock
from momento_lambda.server.deadlines import Deadlines
from momento_lambda.server.integers import no_integer, sum_too_large
from momento_lambda.server.store import Condition, Item, ItemType, TtlChange

ITEM_OVERHEAD_BYTES: Final = 300
"""What an item takes beyond its key and value: the objects that hold them, its deadline, its places in tables."""

# A plain tuple of atoms: the garbage collector stops looking at those, where it would walk through a million of any
# other object again and again.
_Entry: TypeAlias = tuple[bytes, int]
"""A value and its deadline in nanoseconds."""

_INTEGER = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_INT64 = range(-(2**63), 2**63)


@final
class MemoryBudget:
    """How much memory the items of all caches take, and may take.

    Args:
        ceiling: The most bytes, or None for no ceiling.
        reclaim: Lets go of what has expired; called before a write is refused.
    """

    __slots__ = ("_ceiling", "_reclaim", "used")

    def __init__(self, ceiling: int | None, reclaim: Callable[[], None]) -> None:
        self._ceiling = ceiling
        self._reclaim = reclaim
        self.used = 0

    def check(self, growth: int) -> None:
        """Return if a write may take this many bytes more.

        Raises:
            LimitExceededError: It would go over the ceiling, even with all that has expired gone.
        """
        if self._ceiling is None or growth <= 0 or self.used + growth <= self._ceiling:
            return
        self._reclaim()
        if self.used + growth > self._ceiling:
            raise LimitExceededError(
                f"the store is full: its items take {self.used} of at most {self._ceiling} bytes, and nothing is "
                "evicted; delete items or wait until some expire, or give the server more memory"
            )


@final
class MemoryKeyspace:
    """The items of one cache, each gone when the clock reaches its deadline."""

    __slots__ = ("_budget", "_bytes", "_clock", "_deadlines", "_entries")

    def __init__(self, clock: Clock, budget: MemoryBudget) -> None:
        self._clock = clock
        self._budget = budget
        self._entries: dict[bytes, _Entry] = {}
        self._deadlines = Deadlines()
        self._bytes = 0

    def __len__(self) -> int:
        """How many items take memory, expired ones that were not yet reclaimed included."""
        return len(self._entries)

    @property
    def used_bytes(self) -> int:
        """The memory that they take: keys, values and their bookkeeping, as an estimate."""
        return self._bytes

    async def get(self, key: bytes) -> bytes | None:
        """Return an item's value, or None where there is none."""
        return self._value(key)

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of many items, in the order asked."""
        return [self._value(key) for key in keys]

    async def set(self, item: Item) -> None:
        """Store an item, in place of what was there."""
        self._budget.check(self._growth(item))
        self._store(item)

    async def set_many(self, items: Sequence[Item]) -> None:
        """Store many items, all or none; of several with one key, the last."""
        distinct = {item.key: item for item in items}.values()
        self._budget.check(sum(self._growth(item) for item in distinct))
        for item in distinct:
            self._store(item)

    async def set_if(self, item: Item, condition: Condition, compared: bytes) -> bool:
        """Store an item if the condition holds of what is there, and return whether it did."""
        if not condition.holds(self._value(item.key), compared):
            return False
        await self.set(item)
        return True

    async def delete(self, key: bytes) -> None:
        """Remove an item, if there is one."""
        entry = self._entries.get(key)
        if entry is not None:
            self._deadlines.discard(key, entry[1])
            self._remove(key)

    async def exist(self, keys: Sequence[bytes]) -> list[bool]:
        """Return which of the keys have an item, in the order asked."""
        return [self._value(key) is not None for key in keys]

    async def increment(self, key: bytes, amount: int, ttl_ms: int) -> int:
        """Add to an item kept as decimal text, none counting as 0; give it this time to live; return the sum."""
        total = _integer(self._value(key)) + amount
        if total not in _INT64:
            raise sum_too_large()
        await self.set(Item(key, b"%d" % total, ttl_ms))
        return total

    async def update_ttl(self, key: bytes, ttl_ms: int, change: TtlChange) -> TtlUpdate:
        """Give an item another time to live, if the change applies to what it has left."""
        now = self._clock()
        entry = self._entries.get(key)
        if entry is None or now >= entry[1]:
            return TtlUpdate.MISSING
        value, old = entry
        new = now + ttl_ms * NANOSECONDS_PER_MILLISECOND
        if (change is TtlChange.INCREASE and new <= old) or (change is TtlChange.DECREASE and new >= old):
            return TtlUpdate.NOT_SET
        self._entries[key] = (value, new)
        self._deadlines.move(key, old, new)
        return TtlUpdate.SET

    async def remaining_ttl_ms(self, key: bytes) -> int | None:
        """Return how long an item has left, at least 1 millisecond, or None where there is none."""
        entry = self._entries.get(key)
        remaining = 0 if entry is None else entry[1] - self._clock()
        return max(remaining // NANOSECONDS_PER_MILLISECOND, 1) if remaining > 0 else None

    async def type_of(self, key: bytes) -> ItemType | None:
        """Return what an item is, or None where there is none."""
        return None if self._value(key) is None else ItemType.SCALAR

    def clear(self) -> None:
        """Let go of every item at once."""
        self._budget.used -= self._bytes
        self._bytes = 0
        self._entries = {}
        self._deadlines.clear()

    def reclaim(self, limit: int) -> bool:
        """Let go of expired items and return whether there are more.

        Args:
            limit: The most items to go through.
        """
        now = self._clock()
        for key in self._deadlines.take_due(now, limit):
            self._remove(key)
        return self._deadlines.any_due(now)

    def _value(self, key: bytes) -> bytes | None:
        entry = self._entries.get(key)
        return entry[0] if entry is not None and self._clock() < entry[1] else None

    def _store(self, item: Item) -> None:
        key, value, ttl_ms = item
        deadline = self._clock() + ttl_ms * NANOSECONDS_PER_MILLISECOND
        growth = self._growth(item)
        old = self._entries.get(key)
        self._entries[key] = (value, deadline)
        if old is None:
            self._deadlines.add(key, deadline)
        else:
            self._deadlines.move(key, old[1], deadline)
        self._bytes += growth
        self._budget.used += growth

    def _growth(self, item: Item) -> int:
        old = self._entries.get(item.key)
        return _size(item.key, item.value) if old is None else len(item.value) - len(old[0])

    def _remove(self, key: bytes) -> None:
        value, _ = self._entries.pop(key)
        size = _size(key, value)
        self._bytes -= size
        self._budget.used -= size


def _size(key: bytes, value: bytes) -> int:
    return len(key) + len(value) + ITEM_OVERHEAD_BYTES


def _integer(value: bytes | None) -> int:
    if value is None:
        return 0
    number = int(value) if _INTEGER.fullmatch(value) else None
    if number is None or number not in _INT64:
        raise no_integer()
    return number
