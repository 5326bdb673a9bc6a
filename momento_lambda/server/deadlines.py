"""Which keys are due when, found without looking at any that are not."""

from typing import final

from momento_lambda.server.clock import NANOSECONDS_PER_SECOND


@final
class Deadlines:
    """Keys filed under the second of their deadline.

    A key is in exactly one second, and a second without keys is not kept: overwriting an item for ever leaves nothing
    behind.
    """

    __slots__ = ("_first", "_keys")

    def __init__(self) -> None:
        self._keys: dict[int, set[bytes]] = {}
        # No key is filed under an earlier second.
        self._first = 0

    def add(self, key: bytes, deadline: int) -> None:
        """File a key."""
        second = deadline // NANOSECONDS_PER_SECOND
        if not self._keys or second < self._first:
            self._first = second
        keys = self._keys.get(second)
        if keys is None:
            self._keys[second] = {key}
        else:
            keys.add(key)

    def discard(self, key: bytes, deadline: int) -> None:
        """Forget a key that was filed under this deadline."""
        second = deadline // NANOSECONDS_PER_SECOND
        keys = self._keys[second]
        keys.discard(key)
        if not keys:
            del self._keys[second]

    def move(self, key: bytes, old: int, new: int) -> None:
        """File a key under another deadline."""
        if old // NANOSECONDS_PER_SECOND != new // NANOSECONDS_PER_SECOND:
            self.discard(key, old)
            self.add(key, new)

    def any_due(self, now: int) -> bool:
        """Whether `take_due` has something to go through."""
        return bool(self._keys) and self._first < now // NANOSECONDS_PER_SECOND

    def take_due(self, now: int, limit: int) -> list[bytes]:
        """Return keys whose whole second is past, and forget them.

        Args:
            now: The time, in nanoseconds.
            limit: The most keys and empty seconds to go through, which bounds the pause.
        """
        taken: list[bytes] = []
        for _ in range(limit):
            if not self.any_due(now):
                break
            keys = self._keys.get(self._first)
            if keys:
                taken.append(keys.pop())
            if not keys:
                self._keys.pop(self._first, None)
                self._first += 1
        return taken

    def clear(self) -> None:
        """Forget every key."""
        self._keys = {}
