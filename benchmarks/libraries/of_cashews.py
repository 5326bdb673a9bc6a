"""cashews, as its documentation shows it."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any, final

# Loaded by name, so that types are checked alike where it is installed and where it is not.
cashews: Any = import_module("cashews")


@final
class Cashews:
    """Decorators of cashews."""

    name = f"cashews {version('cashews')}"
    coroutines = True

    def cached(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached in memory."""
        return _decorated("mem://", function)

    def shared(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose loads are shared, as they are unless one asks for it not to be so."""
        return _decorated("mem://", function)

    def batch(self, function: Callable[..., Any]) -> None:
        """Return nothing: many keys are read and written by hand."""

    def at(self, port: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached in Redis."""
        return _decorated(f"redis://127.0.0.1:{port}", function)


def _decorated(address: str, function: Callable[..., Any]) -> Callable[..., Any]:
    cache = cashews.Cache()
    cache.setup(address)
    decorated: Callable[..., Any] = cache(ttl="1m")(function)
    return decorated
