"""Whether an entry is still good: pure, with time and chance handed in."""

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

from momento_lambda.caching.envelope import Entry

Freshness: TypeAlias = Literal["fresh", "early", "stale", "gone"]


def freshness(entry: Entry, now_ms: int, beta: float | None, chance: Callable[[], float]) -> Freshness:
    """Say whether an entry is good ("fresh"), good and about to be due ("early"), over due ("stale"), or "gone".

    Early refresh is the XFetch rule of Vattani, Chierichetti and Lowenstein (2015): an entry counts as due before it
    is with a probability of exp(-t / (beta * cost)), t before its time, so that of many readers about one loads it
    anew while the rest still hit.

    Args:
        entry: What the cache holds.
        now_ms: Milliseconds since 1970.
        beta: How early: 1 is the rule's own, more is earlier; None for never.
        chance: A number in [0, 1).
    """
    if now_ms >= entry.due_ms:
        return "stale" if now_ms < entry.gone_ms else "gone"
    if beta is None or not entry.cost_ms:
        return "fresh"
    # 1 - chance() is in (0, 1], of which there is a logarithm.
    ahead_ms = -entry.cost_ms * beta * math.log(1.0 - chance())
    return "early" if now_ms + ahead_ms >= entry.due_ms else "fresh"
