"""aiocache, as its documentation shows it."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any, final

# Loaded by name, so that types are checked alike where it is installed and where it is not.
aiocache: Any = import_module("aiocache")


@final
class Aiocache:
    """Decorators of aiocache."""

    name = f"aiocache {version('aiocache')}"
    coroutines = True

    def cached(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached in memory."""
        return _decorated(aiocache.cached(ttl=60), function)

    def shared(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose loads are shared by the decorator that is made for it."""
        return _decorated(aiocache.cached_stampede(lease=2, ttl=60), function)

    def batch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of ids by the decorator that is made for it."""
        return _decorated(aiocache.multi_cached(keys_from_attr="ids", ttl=60), function)

    def at(self, port: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached in Redis."""
        remote = aiocache.cached(ttl=60, cache=aiocache.Cache.REDIS, endpoint="127.0.0.1", port=port)
        return _decorated(remote, function)


def _decorated(decorator: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    decorated: Callable[..., Any] = decorator(function)
    return decorated
