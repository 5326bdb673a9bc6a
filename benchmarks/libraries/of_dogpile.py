"""dogpile.cache, as its documentation shows it."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any, final

# Loaded by name, so that types are checked alike where it is installed and where it is not.
make_region: Any = import_module("dogpile.cache").make_region


@final
class Dogpile:
    """Decorators of dogpile.cache."""

    name = f"dogpile.cache {version('dogpile.cache')}"
    coroutines = False

    def cached(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached in memory."""
        return _decorated(_in_memory(), function)

    def shared(self, function: Callable[..., Any]) -> None:
        """Return nothing: it is for threads, which nobody cancels."""

    def batch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of ids by the decorator that is made for it, which takes ids as arguments."""

        def load(*ids: str) -> Any:
            return function(list(ids))

        many = _in_memory().cache_multi_on_arguments(asdict=True)(load)
        return lambda ids: many(*ids)

    def at(self, port: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached in Redis."""
        return _decorated(
            make_region().configure(
                "dogpile.cache.redis", expiration_time=60, arguments={"host": "127.0.0.1", "port": port}
            ),
            function,
        )


def _in_memory() -> Any:
    return make_region().configure("dogpile.cache.memory", expiration_time=60)


def _decorated(region: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    decorated: Callable[..., Any] = region.cache_on_arguments()(function)
    return decorated
