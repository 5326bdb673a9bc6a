"""The memory that all caches of a store share."""

from collections.abc import Callable, Iterable
from typing import final

from momento_lambda.errors import LimitExceededError


@final
class MemoryBudget:
    """How much memory the items of all caches take, and may take.

    Args:
        ceiling: The most bytes, or None for no ceiling.
        reclaim: Lets go of what has expired, step by step; asked for as many steps as a write needs before it would
            be refused.
    """

    __slots__ = ("_ceiling", "_reclaim", "used")

    def __init__(self, ceiling: int | None, reclaim: Callable[[], Iterable[None]]) -> None:
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
        for _ in self._reclaim():
            if self.used + growth <= self._ceiling:
                return
        raise LimitExceededError(
            f"the store is full: its items take {self.used} of at most {self._ceiling} bytes, and nothing is "
            "evicted; delete items or wait until some expire, or give the server more memory"
        )
