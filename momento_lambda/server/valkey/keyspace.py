"""The items of one cache, on other machines."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar, final

from momento_lambda.responses import TtlUpdate
from momento_lambda.server.store import Condition, Item, ItemType, TtlChange
from momento_lambda.server.valkey import scripts
from momento_lambda.server.valkey.router import Router

Part = TypeVar("Part")
Found = TypeVar("Found")

_TTL_UPDATES: Final = {1: TtlUpdate.SET, 0: TtlUpdate.NOT_SET, -1: TtlUpdate.MISSING}
# What SetIf compares with to find out how a condition decides: any two values that differ.
_SOME, _OTHER = b"1", b"2"
_STORED_WHEN: Final = {
    condition: "".join(str(int(condition.holds(held, _SOME))) for held in (None, _SOME, _OTHER))
    for condition in Condition
}


@final
class ValkeyKeyspace:
    """The items of one cache, as it was when it was opened.

    In a cluster, keys are spread over all slots, and an operation on several is atomic for those of one slot.

    Args:
        router: Reaches the nodes.
        prefix: What the keys of all items of this cache begin with, and no others.
    """

    __slots__ = ("_prefix", "_router")

    def __init__(self, router: Router, prefix: bytes) -> None:
        self._router = router
        self._prefix = prefix

    async def get(self, key: bytes) -> bytes | None:
        """Return an item's value, or None where there is none."""
        place, slot = self._place(key)
        value: bytes | None = await self._router.ask(slot, ("GET", place), read=True)
        return value

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of many items, in the order asked."""
        return await self._look_up(keys, self._values)

    async def set(self, item: Item) -> None:
        """Store an item, in place of what was there."""
        place, slot = self._place(item.key)
        await self._router.ask(slot, ("SET", place, item.value, "PX", _stored(item.ttl_ms)))

    async def set_many(self, items: Sequence[Item]) -> None:
        """Store many items; of several with one key, the last. In a cluster, all or none of those of one slot."""
        distinct = {item.key: item for item in items}.values()
        await _all_done(self._set_slot(slot, part) for slot, part in self._by_slot(distinct, lambda item: item.key))

    async def set_if(self, item: Item, condition: Condition, compared: bytes) -> bool:
        """Store an item if the condition holds of what is there, and return whether it did."""
        place, slot = self._place(item.key)
        if condition in {Condition.ABSENT, Condition.PRESENT}:
            when = "NX" if condition is Condition.ABSENT else "XX"
            command = ("SET", place, item.value, "PX", _stored(item.ttl_ms), when)
            return await self._router.ask(slot, command) is not None
        values = (item.value, _stored(item.ttl_ms), compared, _STORED_WHEN[condition])
        return bool(await scripts.SET_IF.run(self._router, slot, [place], *values))

    async def delete(self, key: bytes) -> None:
        """Remove an item, if there is one."""
        place, slot = self._place(key)
        await self._router.ask(slot, ("UNLINK", place))

    async def exist(self, keys: Sequence[bytes]) -> list[bool]:
        """Return which of the keys have an item, in the order asked."""
        return await self._look_up(keys, self._existing)

    async def increment(self, key: bytes, amount: int, ttl_ms: int) -> int:
        """Add to an item kept as decimal text, none counting as 0; give it this time to live; return the sum."""
        place, slot = self._place(key)
        return int(await scripts.INCREMENT.run(self._router, slot, [place], amount, _stored(ttl_ms)))

    async def update_ttl(self, key: bytes, ttl_ms: int, change: TtlChange) -> TtlUpdate:
        """Give an item another time to live, if the change applies to what it has left."""
        place, slot = self._place(key)
        if change is TtlChange.OVERWRITE:
            is_there = await self._router.ask(slot, ("PEXPIRE", place, _stored(ttl_ms)))
            return TtlUpdate.SET if is_there else TtlUpdate.MISSING
        done = await scripts.CHANGE_TTL.run(self._router, slot, [place], _stored(ttl_ms), change.value)
        return _TTL_UPDATES[done]

    async def remaining_ttl_ms(self, key: bytes) -> int | None:
        """Return how long an item has left, at least 1 millisecond, or None where there is none."""
        place, slot = self._place(key)
        left: int = await self._router.ask(slot, ("PTTL", place), read=True)
        return left + _EXTRA_MS if left >= 0 else None

    async def type_of(self, key: bytes) -> ItemType | None:
        """Return what an item is, or None where there is none."""
        place, slot = self._place(key)
        return ItemType.SCALAR if await self._router.ask(slot, ("EXISTS", place), read=True) else None

    async def _values(self, slot: int, places: Sequence[bytes]) -> Sequence[bytes | None]:
        if len(places) == 1:
            return [await self._router.ask(slot, ("GET", places[0]), read=True)]
        values: list[bytes | None] = await self._router.ask(slot, ("MGET", *places), read=True)
        return values

    async def _existing(self, slot: int, places: Sequence[bytes]) -> Sequence[bool]:
        if len(places) == 1:
            return [bool(await self._router.ask(slot, ("EXISTS", places[0]), read=True))]
        return list(map(bool, await scripts.EXIST.run(self._router, slot, places)))

    async def _set_slot(self, slot: int, items: Sequence[Item]) -> None:
        if len(items) == 1:
            await self.set(items[0])
            return
        values = [part for item in items for part in (item.value, _stored(item.ttl_ms))]
        await scripts.SET_MANY.run(self._router, slot, [self._prefix + item.key for item in items], *values)

    async def _look_up(
        self, keys: Sequence[bytes], look_up: Callable[[int, Sequence[bytes]], Awaitable[Sequence[Found]]]
    ) -> list[Found]:
        """Return what is found of each key, in the order asked: the keys of each slot at once, all slots together."""
        parts = self._by_slot(range(len(keys)), keys.__getitem__)
        found = await _all_done(look_up(slot, [self._prefix + keys[index] for index in part]) for slot, part in parts)
        by_index = {
            index: one
            for (_, part), each in zip(parts, found, strict=True)
            for index, one in zip(part, each, strict=True)
        }
        return [by_index[index] for index in range(len(keys))]

    def _by_slot(self, parts: Iterable[Part], key: Callable[[Part], bytes]) -> list[tuple[int, list[Part]]]:
        by_slot: dict[int, list[Part]] = {}
        for part in parts:
            by_slot.setdefault(self._place(key(part))[1], []).append(part)
        return list(by_slot.items())

    def _place(self, key: bytes) -> tuple[bytes, int]:
        place = self._prefix + key
        return place, self._router.slot(place)


_EXTRA_MS: Final = 1
"""How much longer than it was told to the store keeps an item: a deadline's own millisecond."""


def _stored(ttl_ms: int) -> int:
    """Return what the store is told, so that an item is gone at its deadline. It takes no less than 1."""
    return max(ttl_ms - _EXTRA_MS, 1)


async def _all_done(work: Iterable[Awaitable[Found]]) -> list[Found]:
    """Return the results of work that is done at once, when all is over; raise the first failure, if any."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results  # type: ignore[return-value]  # what is no result was raised
