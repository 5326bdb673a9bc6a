"""The items of one cache, in memory."""

from collections.abc import Sequence
from typing import final

from momento_lambda.responses import TtlUpdate
from momento_lambda.server.clock import NANOSECONDS_PER_MILLISECOND, Clock
from momento_lambda.server.integers import sum_of
from momento_lambda.server.item_table import ItemTable
from momento_lambda.server.memory_budget import MemoryBudget
from momento_lambda.server.store import Condition, Item, ItemType, TtlChange


@final
class MemoryKeyspace:
    """The items of one cache, each gone when the clock reaches its deadline."""

    __slots__ = ("_budget", "_clock", "_table")

    def __init__(self, clock: Clock, budget: MemoryBudget) -> None:
        self._clock = clock
        self._budget = budget
        self._table = ItemTable(budget)

    def __len__(self) -> int:
        """How many items take memory, expired ones that were not yet reclaimed included."""
        return len(self._table)

    @property
    def used_bytes(self) -> int:
        """The memory that they take: keys, values and their bookkeeping, as an estimate."""
        return self._table.used_bytes

    async def get(self, key: bytes) -> bytes | None:
        """Return an item's value, or None where there is none."""
        return self._value(key)

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of many items, in the order asked."""
        return [self._value(key) for key in keys]

    async def set(self, item: Item) -> None:
        """Store an item, in place of what was there."""
        self._budget.check(self._table.growth(item.key, item.value))
        self._store(item)

    async def set_many(self, items: Sequence[Item]) -> None:
        """Store many items, all or none; of several with one key, the last."""
        distinct = {item.key: item for item in items}.values()
        self._budget.check(sum(self._table.growth(item.key, item.value) for item in distinct))
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
        self._table.remove(key)

    async def exist(self, keys: Sequence[bytes]) -> list[bool]:
        """Return which of the keys have an item, in the order asked."""
        return [self._value(key) is not None for key in keys]

    async def increment(self, key: bytes, amount: int, ttl_ms: int) -> int:
        """Add to an item kept as decimal text, none counting as 0; give it this time to live; return the sum."""
        total = sum_of(self._value(key), amount)
        await self.set(Item(key, b"%d" % total, ttl_ms))
        return total

    async def update_ttl(self, key: bytes, ttl_ms: int, change: TtlChange) -> TtlUpdate:
        """Give an item another time to live, if the change applies to what it has left."""
        now = self._clock()
        old = self._table.deadline(key)
        if old is None or now >= old:
            return TtlUpdate.MISSING
        new = now + ttl_ms * NANOSECONDS_PER_MILLISECOND
        if (change is TtlChange.INCREASE and new <= old) or (change is TtlChange.DECREASE and new >= old):
            return TtlUpdate.NOT_SET
        self._table.retime(key, new, now)
        return TtlUpdate.SET

    async def remaining_ttl_ms(self, key: bytes) -> int | None:
        """Return how long an item has left, at least 1 millisecond, or None where there is none."""
        deadline = self._table.deadline(key)
        remaining = 0 if deadline is None else deadline - self._clock()
        return max(remaining // NANOSECONDS_PER_MILLISECOND, 1) if remaining > 0 else None

    async def type_of(self, key: bytes) -> ItemType | None:
        """Return what an item is, or None where there is none."""
        return None if self._value(key) is None else ItemType.SCALAR

    def clear(self) -> ItemTable:
        """Let go of every item at once, and return what held them, for the store to take apart."""
        cleared, self._table = self._table, ItemTable(self._budget)
        self._budget.used -= cleared.used_bytes
        return cleared

    def reclaim(self, limit: int) -> bool:
        """Let go of expired items and return whether there are more.

        Args:
            limit: The most items to go through.
        """
        return self._table.reclaim(self._clock(), limit)

    def _value(self, key: bytes) -> bytes | None:
        return self._table.value(key, self._clock())

    def _store(self, item: Item) -> None:
        now = self._clock()
        self._table.put(item.key, item.value, now + item.ttl_ms * NANOSECONDS_PER_MILLISECOND, now)
