"""What a library is asked to do, each in the way that its own documentation shows."""

from collections.abc import Callable
from typing import Any, Protocol


class Library(Protocol):
    """A library of decorators for cached functions.

    Attributes:
        name: What the table calls it.
        coroutines: Whether it decorates coroutine functions; else plain ones.
    """

    name: str
    coroutines: bool

    def cached(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached, in a healthy cache with nothing in it."""

    def shared(self, function: Callable[..., Any]) -> Callable[..., Any] | None:
        """Return a function whose loads are shared by concurrent callers; None where that is not offered."""

    def batch(self, function: Callable[..., Any]) -> Callable[..., Any] | None:
        """Return a function of ids that is called with missing ids alone; None where that is not offered.

        The function takes a list named `ids` and returns values by id, without those that are absent.
        """

    def at(self, port: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached on a server at a port of this machine."""
