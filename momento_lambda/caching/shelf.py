"""Between values and bytes: what is packed for the remote cache, and kept in this process's own tier."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, final

from momento_lambda.caching.envelope import Entry
from momento_lambda.caching.events import Observers
from momento_lambda.caching.lifetime import Loaded
from momento_lambda.caching.local_tier import ENCODED, LocalEntry, LocalTier
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.trouble import Trouble
from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import InvalidArgumentError, LimitExceededError, MomentoError
from momento_lambda.responses import GetResponse, Hit
from momento_lambda.wire.arguments import item_bytes


class Packed(NamedTuple):
    """A loaded value, and its bytes.

    Attributes:
        entry: The value with its times, as it would come back from its bytes where it has any.
        stored: The bytes; None where the value is not to be stored, or cannot be.
        refusal: Why it cannot be stored.
    """

    entry: Entry
    stored: bytes | None
    refusal: MomentoError | None = None


Kept: TypeAlias = tuple[Any, Entry]
"""A value of this process's own tier, read for one caller, and the entry that has its times."""


@final
class Shelf:
    """What turns loaded values into stored ones and back.

    Args:
        trouble: Where values that cannot be stored or read are remarked on.
        observers: Who is told of them.
        tier: This process's own tier, or None.
        now_ms: Milliseconds since 1970.
    """

    __slots__ = ("_observers", "_tier", "_trouble", "forgotten", "now_ms")

    forgotten: int
    """How often a key was dropped: whoever asked the remote cache before one was may hold what is older."""

    def __init__(
        self,
        trouble: Trouble,
        observers: Observers,
        tier: LocalTier | None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._trouble = trouble
        self._observers = observers
        self._tier = tier
        self.now_ms = now_ms
        self.forgotten = 0

    def pack(self, key: str, loaded: Loaded, policy: Policy, cost: float = 0.0, *, absent: bool = False) -> Packed:
        """Return a loaded value with its times, and its bytes where it is to be stored and can be.

        Args:
            key: Where it is to be stored.
            loaded: The value, and how long it lives.
            policy: How it becomes bytes.
            cost: The seconds that it took to load.
            absent: Whether it stands for an id that a batch loader left out.
        """
        now_ms = self.now_ms()
        ttl_ms = loaded.ttl_ms or 0
        entry = Entry(
            loaded.value,
            now_ms,
            now_ms + ttl_ms,
            now_ms + max(loaded.kept_ms, ttl_ms),
            round(cost * 1000),
            loaded.negative,
            absent,
        )
        if loaded.problem is not None:
            self._trouble.remark(loaded.problem)
        stored = None if loaded.ttl_ms is None else self._bytes(key, entry, policy)
        if not isinstance(stored, bytes):
            self._observers.tell("not_stored")
            return Packed(entry, None, refusal=stored)
        return Packed(self._as_it_comes_back(entry, stored, policy), stored)

    def take(self, key: str, answer: GetResponse, policy: Policy, since: int) -> Entry | None:
        """Return the entry that the remote cache holds, and keep it here too; None where there is none to be read.

        Args:
            key: Where it is stored.
            answer: What the remote cache holds there.
            policy: How it is read.
            since: What `forgotten` was before the cache was asked. What was forgotten meanwhile is not kept.
        """
        if not isinstance(answer, Hit):
            return None
        stored = answer.value_bytes
        entry = policy.packing.unpack(stored)
        if entry is None:
            self._observers.tell("unreadable")
            self._trouble.remark("a stored value could not be read, and was loaded anew")
            return None
        if self._tier is not None and since == self.forgotten:
            self.keep(key, stored, entry, policy)
        return entry

    def keep(self, key: str, stored: bytes, entry: Entry, policy: Policy) -> None:
        """Keep an entry in this process's own tier, where there is one."""
        if self._tier is not None and policy.local:
            self._tier.put(key, stored, entry, policy.packing, now_ms=self.now_ms(), ttl_ms=policy.local_ttl_ms)

    def local(self, key: str, policy: Policy, now_ms: int) -> Kept | None:
        """Return what this process's own tier holds and may serve."""
        if self._tier is None or not policy.local:
            return None
        found = self._tier.get(key, now_ms)
        return None if found is None else _read(found, policy)

    def last_known(self, key: str, policy: Policy) -> Kept | None:
        """Return what this process's own tier holds, for when the remote cache does not answer, if it is not gone."""
        if self._tier is None or not policy.local:
            return None
        found = self._tier.last_known(key)
        return None if found is None or self.now_ms() >= found.entry.gone_ms else _read(found, policy)

    def forget(self, key: str) -> None:
        """Drop a key from this process's own tier."""
        self.forgotten += 1
        if self._tier is not None:
            self._tier.discard(key)

    def _bytes(self, key: str, entry: Entry, policy: Policy) -> bytes | MomentoError | None:
        if entry.negative and not policy.packing.keeps_times:
            # Without a header an absence would be read as a value by whoever comes next.
            return None
        try:
            stored = policy.packing.pack(entry)
            item_bytes(key, stored)
        except InvalidArgumentError as error:
            self._trouble.remark(f"a value was returned and not stored: {error.message}")
            return error
        except LimitExceededError as error:
            # Without its size, which would make every such value a new remark.
            self._trouble.remark(f"a value was returned and not stored: with its key it is over {MAX_ITEM_BYTES} bytes")
            return error
        return stored

    @staticmethod
    def _as_it_comes_back(entry: Entry, stored: bytes, policy: Policy) -> Entry:
        if not policy.decode_loaded:
            return entry
        return policy.packing.unpack(stored) or entry


def _read(found: LocalEntry, policy: Policy) -> Kept | None:
    """Return an entry of this process's own tier as this policy reads it; None for an absence, which is no value."""
    stored, entry, packing, _ = found
    if packing is not policy.packing:
        # Kept by another function, whose values may be of another type.
        read = policy.packing.unpack(stored)
        return None if read is None or read.absent else (read.value, read)
    if entry.absent:
        return None
    value = entry.value
    return packing.value(stored) if value is ENCODED else value, entry
