"""What goes wrong with the cache is never the caller's trouble, and never silent."""

import logging
import threading
from typing import Final, Literal, TypeAlias, final

from momento_lambda.errors import (
    AuthenticationError,
    CacheNotFoundError,
    ClientStateError,
    InvalidArgumentError,
    MomentoError,
    PermissionDeniedError,
)

logger: Final = logging.getLogger("momento_lambda")

# No retry mends these, a person does.
_MISTAKES = (
    AuthenticationError,
    CacheNotFoundError,
    ClientStateError,
    InvalidArgumentError,
    PermissionDeniedError,
)


Operation: TypeAlias = Literal["read", "write"]


@final
class Trouble:
    """Says each kind of trouble once; a failure is said again after the operation worked in between.

    Args:
        cache_name: Which cache it is about.
    """

    __slots__ = ("_cache_name", "_failing", "_lock", "_remarked")

    def __init__(self, cache_name: str) -> None:
        self._cache_name = cache_name
        self._lock = threading.Lock()
        self._failing: dict[Operation, set[str]] = {"read": set(), "write": set()}
        self._remarked: set[str] = set()

    def failed(self, operation: Operation, error: MomentoError) -> None:
        """Report that the cache could not be read or written."""
        if not self._first(self._failing[operation], error.code):
            return
        if isinstance(error, _MISTAKES):
            logger.error("cache %r cannot be used: %s%s", self._cache_name, error.message, self._fix(error))
        else:
            logger.warning("cache %r did not answer, going on without it: %s", self._cache_name, error.message)

    def worked(self, operation: Operation) -> None:
        """Note that the cache was read or written."""
        failing = self._failing[operation]
        if failing:
            with self._lock:
                failing.clear()

    def not_invalidated(self, error: MomentoError) -> None:
        """Report that a key could not be invalidated, each time: until its TTL is over, what it holds is wrong."""
        logger.error(
            "cache %r: a key could not be invalidated and is served until its TTL is over: %s",
            self._cache_name,
            error.message,
        )

    def not_loaded_anew(self, error: Exception) -> None:
        """Report that a loader failed where an older value stood in for it: no caller is told."""
        self.remark(f"a value could not be loaded anew ({type(error).__name__}), and the older one stands in for it")

    def remark(self, remark: str) -> None:
        """Say what broke nothing and should be looked at."""
        if self._first(self._remarked, remark):
            logger.warning("cache %r: %s", self._cache_name, remark)

    def _first(self, said: set[str], kind: str) -> bool:
        with self._lock:
            first = kind not in said
            said.add(kind)
        return first

    def _fix(self, error: MomentoError) -> str:
        if isinstance(error, CacheNotFoundError):
            return f". Create it with: momento-lambda cache create {self._cache_name}"
        return ""
