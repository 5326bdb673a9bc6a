"""Which items belong to which cache, as all gateways see it.

The store keeps one list: for each cache a random generation, which the keys of its items begin with, and for the
whole list a random version, which changes whenever a cache is deleted or flushed. A cache that is deleted or flushed
loses its generation, so nobody finds its items any more, however many there are; they go when their time is over.
Random, so that a list that lost its last change in a failover never gives a generation to two caches.

A gateway remembers what it read for a short while, so that a call takes one round trip. A name that it does not know
is always asked for, so a new cache can be used at once through every gateway.
"""

import asyncio
from collections.abc import Iterable
from typing import Final, NamedTuple, final

from momento_lambda.server.clock import NANOSECONDS_PER_SECOND, Clock
from momento_lambda.server.valkey.router import Router

LIST_KEY: Final = b"momento:caches"
VERSION_FIELD: Final = b""
"""No cache has this name."""

BOUND_SECONDS: Final = 0.1
"""How long after a cache was deleted or flushed another gateway may still serve it as it was."""

OUTAGE_SECONDS: Final = 30.0
"""The same while this gateway cannot reach the node that keeps the list: longer than a failover takes."""


class _Known(NamedTuple):
    """The list as it was read at some time: of the caches, those that were asked for."""

    version: bytes | None
    generations: dict[str, bytes]


@final
class Generations:
    """The list of caches, remembered.

    Args:
        router: Reaches the node that keeps it.
        clock: The time by which what is remembered grows old.
    """

    def __init__(self, router: Router, clock: Clock) -> None:
        self._router = router
        self._slot = router.slot(LIST_KEY)
        self._clock = clock
        self._known = _Known(None, {})
        self._read_at = clock()
        self._asking: dict[str, asyncio.Task[bytes | None]] = {}

    async def current(self, name: str) -> bytes | None:
        """Return the generation of a cache, or None where there is no such cache.

        Raises:
            UnavailableError: It is not known well enough, and the node that keeps it cannot be reached.
        """
        known = self._known.generations.get(name)
        if known is None:
            return await asyncio.shield(self._ask(name))
        age = (self._clock() - self._read_at) / NANOSECONDS_PER_SECOND
        if age <= BOUND_SECONDS / 2:
            return known
        # From half of the bound on it is confirmed while calls go on. One answer confirms all names, by the version.
        confirming = next(iter(self._asking.values()), None) or self._ask(name)
        if age <= BOUND_SECONDS:
            return known
        if age <= OUTAGE_SECONDS:
            await asyncio.wait({confirming}, timeout=BOUND_SECONDS)
            if not confirming.done() or confirming.exception():
                return known
        await asyncio.shield(confirming)
        return self._known.generations.get(name) or await asyncio.shield(self._ask(name))

    def forget(self) -> None:
        """Remember nothing: this gateway itself has changed the list."""
        self._known = _Known(None, {})

    async def close(self) -> None:
        """Ask no more."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _ask(self, name: str) -> "asyncio.Task[bytes | None]":
        asking = self._asking.get(name)
        if asking is None:
            asking = self._asking[name] = asyncio.create_task(self._read(name))
            asking.add_done_callback(lambda done: self._answered(name, done))
        return asking

    def _answered(self, name: str, asking: "asyncio.Task[bytes | None]") -> None:
        self._asking.pop(name, None)
        if not asking.cancelled():
            # Whether anyone waits or not: a failure is theirs to report.
            asking.exception()

    async def _read(self, name: str) -> bytes | None:
        known, asked_at = self._known, self._clock()
        version, generation = await self._router.ask(self._slot, ("HMGET", LIST_KEY, VERSION_FIELD, name), read=True)
        if known is not self._known or asked_at < self._read_at:
            # What was learned meanwhile is newer, or not comparable: this answers its own call alone.
            return _bytes_or_none(generation)
        if version != known.version:
            self._known = known = _Known(version, {})
        self._read_at = asked_at
        if generation is None:
            known.generations.pop(name, None)
        else:
            known.generations[name] = generation
        return _bytes_or_none(generation)


def item_prefix(generation: bytes) -> bytes:
    """Return what the keys of a generation's items begin with.

    The empty braces make a cluster look at the whole key, whatever braces follow: the items of one cache are spread
    over all slots, and no caller can choose a slot.
    """
    return b"momento:{}%b:" % generation


def cache_names(fields: Iterable[bytes]) -> list[str]:
    """Return the names among the list's fields, in the order of the alphabet."""
    return sorted(field.decode("ascii") for field in fields if field != VERSION_FIELD)


def _bytes_or_none(reply: object) -> bytes | None:
    return reply if isinstance(reply, bytes) else None
