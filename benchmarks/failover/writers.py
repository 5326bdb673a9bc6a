"""Callers that know what they wrote, and look whether they read it."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmarks.failover.gateways import Balancer
from momento_lambda import Hit, MomentoError

CACHE: Final = "accounts"
_BATCH: Final = 5
_PAUSE_SECONDS: Final = 0.004

Look: TypeAlias = Callable[[str], Awaitable[bytes | None]]
"""Read a key in the store itself, past every gateway."""


@dataclass
class Tally:
    """What happened in one phase.

    Attributes:
        calls: How many were made.
        errors: How many failed, by the kind of error.
        not_retryable: Those of them that say that another attempt is of no use.
        outage: The longest time, in seconds, that one key's calls failed.
        lost: Acknowledged writes that the store itself does not have: its primary died before its replica had them.
        wrong: What a gateway answered and the store does not have.
    """

    calls: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    not_retryable: int = 0
    outage: float = 0.0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class _Known:
    """What a key may hold: what was acknowledged, or what was asked for since or before without an answer."""

    acknowledged: int = 0
    unanswered: set[int] = field(default_factory=set)
    failing_since: float | None = None


class Writer:
    """The only one to write its keys.

    Args:
        name: What its keys begin with.
        balancer: Where calls go.
        look: As above.
    """

    def __init__(self, name: str, balancer: Balancer, look: Look) -> None:
        self._balancer = balancer
        self._look = look
        self._chance = random.Random(name)  # noqa: S311  # the same load in each run
        self._items = {f"{name}-{index}": _Known() for index in range(_BATCH)}
        self._counter = f"{name}-count"
        self._counted = _Known()
        self.tally = Tally()

    @property
    def well(self) -> bool:
        """Whether the last call for each of its keys was answered."""
        return all(known.failing_since is None for known in (*self._items.values(), self._counted))

    async def run(self, stop: asyncio.Event) -> None:
        """Call until told to stop."""
        work = (self._write, self._read, self._write_batch, self._read_batch, self._increment)
        while not stop.is_set():
            await self._chance.choice(work)()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def settle(self) -> None:
        """Look at everything once more, when nothing fails any more."""
        await self._read_batch()
        found = await self._asked([self._counter], lambda: self._balancer.next_client().get(CACHE, self._counter))
        if isinstance(found, Hit):
            await self._check_count(int(found.value_bytes))

    async def _write(self) -> None:
        key = self._chance.choice(list(self._items))
        value = self._next(key)
        done = await self._asked([key], lambda: self._balancer.next_client().set(CACHE, key, str(value)))
        self._note([key], value, done=done is not _FAILED)

    async def _write_batch(self) -> None:
        keys = list(self._items)
        value = max(self._next(key) for key in keys)
        items = dict.fromkeys(keys, str(value))
        done = await self._asked(keys, lambda: self._balancer.next_client().set_multi(CACHE, items))
        self._note(keys, value, done=done is not _FAILED)

    async def _read(self) -> None:
        key = self._chance.choice(list(self._items))
        found = await self._asked([key], lambda: self._balancer.next_client().get(CACHE, key))
        if found is not _FAILED:
            await self._check(key, found)

    async def _read_batch(self) -> None:
        keys = list(self._items)
        found = await self._asked(keys, lambda: self._balancer.next_client().get_multi(CACHE, keys))
        if isinstance(found, tuple):
            for key, one in zip(keys, found, strict=True):
                await self._check(key, one)

    async def _increment(self) -> None:
        total = await self._asked([self._counter], lambda: self._balancer.next_client().increment(CACHE, self._counter))
        if not isinstance(total, int):
            self._counted.unanswered.add(self._next(self._counter))
            return
        self._counted.acknowledged += 1
        await self._check_count(total)

    async def _check_count(self, total: int) -> None:
        known = self._counted
        if known.acknowledged <= total <= known.acknowledged + len(known.unanswered):
            return
        if total < known.acknowledged:
            # What the store lost is gone for good: from here on it is counted from there.
            self.tally.lost += known.acknowledged - total
            known.acknowledged = total
        else:
            self.tally.wrong.append(f"{self._counter} was counted to {total} with {known.acknowledged} increments")

    async def _check(self, key: str, found: object) -> None:
        known = self._items[key]
        value = int(found.value_bytes) if isinstance(found, Hit) else 0
        if value == known.acknowledged or value in known.unanswered:
            return
        if value < known.acknowledged and int(await self._look(key) or b"0") == value:
            self.tally.lost += 1
            known.acknowledged = value
        else:
            self.tally.wrong.append(f"{key} was read as {value} after {known.acknowledged}")

    async def _asked(self, keys: list[str], call: Callable[[], Awaitable[object]]) -> object:
        now = asyncio.get_running_loop().time
        self.tally.calls += 1
        began = now()
        try:
            answer = await call()
        except MomentoError as error:
            self.tally.errors[error.code] += 1
            self.tally.not_retryable += not error.retryable
            for key in keys:
                self._known(key).failing_since = self._known(key).failing_since or began
            return _FAILED
        for key in keys:
            since, self._known(key).failing_since = self._known(key).failing_since, None
            self.tally.outage = max(self.tally.outage, now() - since if since else 0.0)
        return answer

    def _known(self, key: str) -> _Known:
        return self._items.get(key, self._counted)

    def _next(self, key: str) -> int:
        known = self._known(key)
        return max(known.acknowledged, *known.unanswered, 0) + 1

    def _note(self, keys: list[str], value: int, *, done: bool) -> None:
        for key in keys:
            if done:
                self._items[key].acknowledged = value
            else:
                self._items[key].unanswered.add(value)


_FAILED: Final = object()
