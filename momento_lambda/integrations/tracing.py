"""What a cache does, in the traces of Powertools."""

from typing import TYPE_CHECKING, Any, Final, final

from momento_lambda.caching.events import CacheEvent
from momento_lambda.integrations.invocation_statistics import InvocationStatistics, Summary

if TYPE_CHECKING:
    from aws_lambda_powertools import Tracer

# Annotations are indexed, and a trace may have fifty: these are the ones to search traces by.
_ANNOTATIONS: Final = {
    "CacheHits": "hits",
    "CacheMisses": "misses",
    "CacheErrors": "errors",
    "CacheHitRate": "hit_rate",
}


@final
class TracerObserver:
    """Writes what a cache did in the invocation so far on the subsegment in which it did it.

        tracer = Tracer(service="users")
        cache = Cache("users-cache", observers=[TracerObserver(tracer)])

    Annotations are CacheHits, CacheMisses, CacheErrors and CacheHitRate; metadata is everything counted, under the key
    "cache". Subsegments are those that `capture_lambda_handler` and `capture_method` open; where there is none, or
    tracing is disabled, nothing is written.

    Args:
        tracer: The function's tracer.
    """

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer
        self._statistics = InvocationStatistics()

    def on_event(self, event: CacheEvent) -> None:
        """Count an event and write what the counts are now."""
        summary = self._statistics.count(event)
        if not self._tracer.disabled and self._in_subsegment():
            self._write(summary)

    def _write(self, summary: Summary) -> None:
        for annotation, name in _ANNOTATIONS.items():
            if name in summary:
                value: Any = summary[name]  # Powertools asks for a Number, which to type checkers no int is
                self._tracer.put_annotation(annotation, value)
        self._tracer.put_metadata("cache", summary)

    def _in_subsegment(self) -> bool:
        # X-Ray refuses, by an error, to write on the segment that Lambda itself opened. Other providers are no part of
        # this: what Powertools asks of them has no such question.
        current = getattr(self._tracer.provider, "current_subsegment", None)
        return current is None or current() is not None
