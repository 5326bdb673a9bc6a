"""What a cache did, in the log lines of Powertools."""

from typing import TYPE_CHECKING, final

from momento_lambda.caching.events import CacheEvent
from momento_lambda.integrations.invocation_statistics import InvocationStatistics

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@final
class LoggerObserver:
    """Adds a key to log lines, with what the cache did in the invocation so far.

        logger = Logger(service="users")
        cache = Cache("users-cache", observers=[LoggerObserver(logger)])

    A line then has `"cache": {"hits": 2, "misses": 1, "loads": 1, "errors": 0, "hit_rate": 0.667, "load_ms": 12.5}`.
    Powertools keeps keys from one invocation to the next, until the next event of the cache replaces them;
    `inject_lambda_context(clear_state=True)` begins each without.

    Args:
        logger: The function's logger; its children have the key too.
        key: The name of the key.
    """

    def __init__(self, logger: "Logger", *, key: str = "cache") -> None:
        self._logger = logger
        self._key = key
        self._statistics = InvocationStatistics()

    def on_event(self, event: CacheEvent) -> None:
        """Count an event and set the key to what the counts are now."""
        self._logger.append_keys(**{self._key: self._statistics.count(event)})
