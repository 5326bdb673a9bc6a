"""Entries as results: what a read says of the value it found."""

from typing import Any

from momento_lambda.caching.envelope import Entry
from momento_lambda.caching.outcomes import Result, Source
from momento_lambda.errors import MomentoError


def found(entry: Entry, now_ms: int) -> Result[Any]:
    """Return what the remote cache held as a result."""
    source: Source = "negative" if entry.negative else "stale" if now_ms >= entry.due_ms else "cache"
    return result_of(entry.value, entry, source, now_ms)


def result_of(
    value: Any, entry: Entry, source: Source, now_ms: int, cache_error: MomentoError | None = None
) -> Result[Any]:
    """Return a value with the times of its entry, where those are known."""
    if not entry.created_ms:
        return Result(value, source, cache_error=cache_error)
    return Result(value, source, (now_ms - entry.created_ms) / 1000, (entry.due_ms - now_ms) / 1000, cache_error)
