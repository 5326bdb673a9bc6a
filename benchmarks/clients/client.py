"""What a client is asked to do, in the way of its own documentation, and where its server is."""

from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

CACHE = "measured"
TTL_SECONDS = 3_600
TIMEOUT_SECONDS = 15.0


class Place(NamedTuple):
    """Where a server listens on this machine, in plaintext, and the token that it asks for."""

    port: int
    token: str = ""


Values: TypeAlias = Sequence[bytes | None]


class Client(Protocol):
    """A client for threads; several may use it at once."""

    def __init__(self, place: Place) -> None:
        """Connect on first use."""

    def get(self, key: str) -> bytes | None:
        """Return a value, or None where there is none."""

    def set(self, key: str, value: bytes) -> None:
        """Store a value."""

    def get_multi(self, keys: Sequence[str]) -> Values:
        """Return the values of keys, in the fastest way that the client offers."""


class AsyncClient(Protocol):
    """The same for the running event loop."""

    def __init__(self, place: Place) -> None:
        """Connect on first use."""

    def get(self, key: str) -> Awaitable[bytes | None]:
        """Return a value, or None where there is none."""

    def set(self, key: str, value: bytes) -> Awaitable[None]:
        """Store a value."""

    def get_multi(self, keys: Sequence[str]) -> Awaitable[Values]:
        """Return the values of keys."""
