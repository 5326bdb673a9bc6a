"""What a cache did, one event at a time, and counted."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol, TypeAlias, final

EventKind: TypeAlias = Literal[
    "hit",  # the remote cache held a value that was good
    "local_hit",  # this process held it
    "negative_hit",  # the cache remembered an absence
    "stale_hit",  # a value past its TTL was served
    "miss",  # the cache held nothing that could be served
    "unreadable",  # what it held could not be read: foreign, damaged, or of another type
    "load",  # a loader returned
    "load_error",  # a loader raised
    "shared",  # the outcome of another caller's load was taken
    "early_refresh",  # a value that was good was loaded anew before its time
    "store",  # a value was stored
    "not_stored",  # a value was returned and not stored, as its loader, its TTL, its size or its type would have it
    "invalidate",  # a key was invalidated
    "error",  # an operation of the cache failed
    "breaker_open",  # failures in a row opened the breaker
    "breaker_skip",  # an operation was left out while it was open
]


class CacheEvent(NamedTuple):
    """One thing that a cache did. It names no key and no value.

    Attributes:
        kind: What it was.
        cache: The name of the cache.
        items: How many items it was about.
        seconds: How long it took, where it took time: the round trip of a hit, a miss, a store or an error; a load.
        error: The code of the error, where there was one.
    """

    kind: EventKind
    cache: str
    items: int = 1
    seconds: float | None = None
    error: str | None = None


class Observer(Protocol):
    """Who wants to know what a cache does."""

    def on_event(self, event: CacheEvent) -> None:
        """Take note of an event. It is called in the caller's own thread, so it should be quick and must not raise."""


@final
class Statistics:
    """Counts of what a cache did, by kind of event.

    Attributes:
        counts: How often each kind of event was seen; kinds that were not are 0.
        seconds: The time that events of each kind took together.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[EventKind] = Counter()
        self.seconds: dict[EventKind, float] = {}

    def on_event(self, event: CacheEvent) -> None:
        """Count an event."""
        self.count(event.kind, event.items, event.seconds)

    def count(self, kind: EventKind, items: int, seconds: float | None) -> None:
        """Count something that happened to so many items, and the time that it took."""
        with self._lock:
            self.counts[kind] += items
            if seconds is not None:
                self.seconds[kind] = self.seconds.get(kind, 0.0) + seconds

    @property
    def hits(self) -> int:
        """How many items were served without a load."""
        return sum(self.counts[kind] for kind in ("hit", "local_hit", "negative_hit", "stale_hit"))

    @property
    def misses(self) -> int:
        """How many items the cache did not hold."""
        return self.counts["miss"]

    @property
    def hit_rate(self) -> float | None:
        """Hits as a part of hits and misses; None where there was neither."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def reset(self) -> None:
        """Count from nothing again."""
        with self._lock:
            self.counts.clear()
            self.seconds.clear()

    def __repr__(self) -> str:
        return f"Statistics({dict(self.counts)})"


@final
class Observers:
    """Everyone who is told of one cache's events.

    Args:
        cache_name: The cache, which events name.
        observers: Whom to tell.
    """

    __slots__ = ("_cache_name", "_changing", "_observers", "statistics")

    def __init__(self, cache_name: str, observers: tuple[Observer, ...] = ()) -> None:
        self._cache_name = cache_name
        self._changing = threading.Lock()
        self.statistics = Statistics()
        self._observers = observers

    def tell(self, kind: EventKind, items: int = 1, *, seconds: float | None = None, error: str | None = None) -> None:
        """Tell everyone of an event."""
        self.statistics.count(kind, items, seconds)
        if self._observers:
            event = CacheEvent(kind, self._cache_name, items, seconds, error)
            for observer in self._observers:
                observer.on_event(event)

    @contextlib.contextmanager
    def listening(self, observer: Observer) -> Iterator[None]:
        """Tell an observer too, for as long as the block lasts."""
        with self._changing:
            self._observers = (*self._observers, observer)
        try:
            yield
        finally:
            with self._changing:
                self._observers = tuple(known for known in self._observers if known is not observer)


@final
class Recording:
    """Events in order, for tests: what `cache.observe()` gives."""

    def __init__(self) -> None:
        self.events: list[CacheEvent] = []

    def on_event(self, event: CacheEvent) -> None:
        """Keep an event."""
        self.events.append(event)

    @property
    def kinds(self) -> list[EventKind]:
        """The kinds of the events, in order."""
        return [event.kind for event in self.events]
