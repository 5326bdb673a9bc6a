"""A short lock beside a key in the cache itself, so that of many processes one loads it."""

import os
from typing import Final, final

from momento_lambda.caching.steps import Claim, Exchange
from momento_lambda.responses import GetResponse, Hit
from momento_lambda.ttl import MIN_TTL_MS

LEASE_SUFFIX: Final = ":lease"

LINGER_SECONDS: Final = MIN_TTL_MS / 1000
"""How long it is seen of a lease that its holder let go of it: the shortest time that an item may live."""

_TOKEN_BYTES: Final = 16
# Both are marks of a holder that let go. Neither can be a token, which has another length.
_STORED: Final = b"stored "
_NOTHING: Final = b"nothing"


@final
class Lease:
    """One caller's part in the lease of a key.

    Its holder does not delete it, but leaves for a moment what it came to. So whoever missed before the value was
    stored, and asks for the lease after that, is told to look again, and does not load the value a second time. Where
    nothing was stored, nobody has to wait for it.

    Args:
        key: What is to be loaded.
        seconds: How long the holder may take.
    """

    __slots__ = ("_token", "key", "seconds")

    def __init__(self, key: str, seconds: float) -> None:
        self.key = key + LEASE_SUFFIX
        self.seconds = seconds
        self._token = os.urandom(_TOKEN_BYTES)

    def claim(self) -> Claim:
        """Return what takes the lease where nobody has it."""
        return Claim(self.key, self._token, self.seconds)

    def succeed(self, left: GetResponse) -> Claim | Exchange | None:
        """Return what takes the lease after its last holder, unless another is faster; None where it is held.

        Args:
            left: What the holder left, seen before the cache was last seen not to hold the value.
        """
        if not isinstance(left, Hit):
            return self.claim()
        if not left.value_bytes.startswith(_STORED):
            return None
        return Exchange(self.key, self._token, left.value_bytes, self.seconds)

    def let_go(self, *, stored: bool) -> Exchange:
        """Return what gives the lease back, unless it ran out and is another's by now.

        Args:
            stored: Whether the value is in the cache.
        """
        return Exchange(self.key, _STORED + self._token if stored else _NOTHING, self._token, LINGER_SECONDS)


def left_value(left: GetResponse) -> bool:
    """Whether the holder of a lease has stored the value."""
    return isinstance(left, Hit) and left.value_bytes.startswith(_STORED)


def left_nothing(left: GetResponse) -> bool:
    """Whether the holder of a lease came to nothing that could be stored."""
    return isinstance(left, Hit) and left.value_bytes == _NOTHING
