"""The store that keeps everything in this process.

It is touched from one event loop alone, and no method gives way in its middle, so there are no locks. Nothing is
evicted: an item stays until its deadline, and a store that is full refuses writes.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Final, final

from momento_lambda.server import clock as clocks
from momento_lambda.server.clock import Clock
from momento_lambda.server.memory_budget import MemoryBudget
from momento_lambda.server.memory_keyspace import MemoryKeyspace
from momento_lambda.server.store import CacheUsage

if TYPE_CHECKING:
    from momento_lambda.server.item_table import ItemTable

_SWEEP_SECONDS: Final = 1.0
# How long calls wait for memory to be reclaimed, before it gives way to them.
_TURN_SECONDS: Final = 0.001
# What is let go of between two looks at the time. It is little, since memory goes back to the system in large pieces:
# most items take a microsecond, and the one that was the last in its piece a hundred times as long.
_STEP_ITEMS: Final = 25


@final
class MemoryStore:
    """Caches in memory.

    Args:
        clock: The time that deadlines are compared with.
        max_bytes: The most memory that items may take, or None for no ceiling.
        sweep_seconds: The pause between two rounds of reclaiming what has expired. It bounds how long memory stays
            taken; when an item is gone, its deadline alone decides.
    """

    def __init__(
        self,
        *,
        clock: Clock = clocks.monotonic,
        max_bytes: int | None = None,
        sweep_seconds: float = _SWEEP_SECONDS,
    ) -> None:
        self._clock = clock
        self._budget = MemoryBudget(max_bytes, self._reclaim)
        self._sweep_seconds = sweep_seconds
        self._caches: dict[str, MemoryKeyspace] = {}
        self._cleared: list[ItemTable] = []
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def used_bytes(self) -> int:
        """The memory that items take: keys, values and their bookkeeping, as an estimate."""
        return self._budget.used

    async def start(self) -> None:
        """Begin to reclaim the memory of expired items, also while nobody calls."""
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Stop reclaiming. The items stay."""
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sweeper

    async def ping(self) -> None:
        """Return: what is in this process answers as long as the process does."""

    def usage(self) -> dict[str, CacheUsage]:
        """Return what each cache takes, by name."""
        return {name: CacheUsage(len(cache), cache.used_bytes) for name, cache in self._caches.items()}

    async def create_cache(self, name: str) -> bool:
        """Create an empty cache, and return False where it existed."""
        if name in self._caches:
            return False
        self._caches[name] = MemoryKeyspace(self._clock, self._budget)
        return True

    async def delete_cache(self, name: str) -> bool:
        """Delete a cache with its items, and return False where there was none."""
        cache = self._caches.pop(name, None)
        if cache is None:
            return False
        self._cleared.append(cache.clear())
        return True

    async def flush_cache(self, name: str) -> bool:
        """Delete a cache's items, and return False where there is no such cache."""
        cache = self._caches.get(name)
        if cache is None:
            return False
        self._cleared.append(cache.clear())
        return True

    async def cache_names(self) -> list[str]:
        """Return the names of all caches, in the order of the alphabet."""
        return sorted(self._caches)

    async def open(self, name: str) -> MemoryKeyspace | None:
        """Return a cache's items, or None where there is no such cache."""
        return self._caches.get(name)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_seconds)
            turn = perf_counter()
            for _ in chain(self._reclaim(), self._dismantle()):
                if perf_counter() - turn > _TURN_SECONDS:
                    await asyncio.sleep(0)
                    turn = perf_counter()

    def _reclaim(self) -> Iterator[None]:
        """Let go of what has expired, a little in each step."""
        for cache in list(self._caches.values()):
            while cache.reclaim(_STEP_ITEMS):
                yield
            yield

    def _dismantle(self) -> Iterator[None]:
        """Let go of what was deleted and flushed, likewise."""
        while self._cleared:
            yield from self._cleared.pop().dismantle(_STEP_ITEMS)
