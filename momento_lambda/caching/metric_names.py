"""The metrics that each kind of event adds to, under one set of names whoever prints them."""

from typing import Final

from momento_lambda.caching.events import EventKind

COUNTS: Final[dict[EventKind, tuple[str, ...]]] = {
    "hit": ("CacheHits",),
    "local_hit": ("CacheHits",),
    "negative_hit": ("CacheHits",),
    "stale_hit": ("CacheHits", "CacheStaleHits"),
    "miss": ("CacheMisses",),
    "load": ("CacheLoads",),
    "load_error": ("CacheLoadErrors",),
    "error": ("CacheErrors",),
    "breaker_skip": ("CacheSkips",),
}
"""How many items."""

TIMES: Final[dict[EventKind, str]] = {
    "hit": "CacheReadTime",
    "negative_hit": "CacheReadTime",
    "stale_hit": "CacheReadTime",
    "miss": "CacheReadTime",
    "load": "CacheLoadTime",
    "store": "CacheStoreTime",
}
"""How long it took, in milliseconds."""

BREAKER_OPEN: Final = "CacheBreakerOpen"
"""1 where an invocation ended with the breaker open, else 0."""
