"""Loaders that failed while an older value could be served are left alone for a moment."""

from collections import OrderedDict
from collections.abc import Callable
from typing import final

_SHORTEST_MS = 1_000
_LONGEST_MS = 2_000
_REMEMBERED = 1_024


@final
class BackOff:
    """Which keys rest, and until when. Threads may share one: a lost update costs one load at worst.

    Args:
        chance: A number in [0, 1), which spreads those that failed together.
    """

    __slots__ = ("_chance", "_until")

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._until: OrderedDict[str, int] = OrderedDict()

    def rest(self, key: str, now_ms: int) -> None:
        """Let a key rest for a second or two."""
        self._until[key] = now_ms + _SHORTEST_MS + int((_LONGEST_MS - _SHORTEST_MS) * self._chance())
        while len(self._until) > _REMEMBERED:
            self._until.popitem(last=False)

    def rests(self, key: str, now_ms: int) -> bool:
        """Whether a key still rests."""
        until = self._until.get(key)
        return until is not None and now_ms < until
