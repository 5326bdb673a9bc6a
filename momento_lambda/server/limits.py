"""What a request may ask for: sizes and times to live."""

from typing import Final

from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import InvalidArgumentError, LimitExceededError
from momento_lambda.server.integers import LONGEST_INTEGER
from momento_lambda.ttl import MAX_TTL_MS

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Far above the item limit, so that an item that is too large is answered by this server and not by its transport."""


class ItemTooLargeError(LimitExceededError):
    """A key and value that together are over the limit of an item."""


class TokenItemTooLargeError(LimitExceededError):
    """An item over the limit of the token that it is written with."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the item size is over the {limit} bytes, key plus value, that this token may write")


class RequestRateError(LimitExceededError):
    """More calls than the token allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are more operations than the {limit} a second that this token may ask for: slow down")


class ThroughputError(LimitExceededError):
    """More bytes than the token allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the throughput is over the {limit} bytes a second that this token may move: slow down")


def check_item_size(key: bytes, value: bytes) -> None:
    """Return if a key and its value fit.

    Raises:
        ItemTooLargeError: They do not.
    """
    _check_size(len(key) + len(value))


def check_integer_size(key: bytes) -> None:
    """Return if a key fits together with any integer.

    Raises:
        ItemTooLargeError: It does not.
    """
    _check_size(len(key) + LONGEST_INTEGER)


def stored_ttl_ms(ttl_ms: int) -> int:
    """Return the time to live that an item gets: what was asked, and at most one day.

    Raises:
        InvalidArgumentError: It is 0.
    """
    if ttl_ms < 1:
        raise InvalidArgumentError(
            f"ttl_milliseconds is {ttl_ms}: give 1 to {MAX_TTL_MS}; less than a millisecond is sent as 0"
        )
    return min(ttl_ms, MAX_TTL_MS)


def _check_size(size: int) -> None:
    if size > MAX_ITEM_BYTES:
        raise ItemTooLargeError(
            f"the item size is {size} bytes, key plus value, over the request limit of {MAX_ITEM_BYTES} bytes: "
            "store less, or in several items"
        )
