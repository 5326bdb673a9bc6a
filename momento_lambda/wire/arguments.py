"""What callers pass, checked and put into the protocol's form before anything is sent."""

from collections.abc import Iterable
from typing import TypeAlias, TypeVar

from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import InvalidArgumentError, LimitExceededError

Bytes: TypeAlias = str | bytes
"""A key or a value: text is sent as UTF-8."""

# The key type of a mapping is invariant: a variable takes str, bytes and a mixture of both.
Key = TypeVar("Key", bound=Bytes)
OtherKey = TypeVar("OtherKey", bound=Bytes)

MAX_CACHE_NAME_CHARACTERS = 1024
_CACHE_NAME = f"give 1 to {MAX_CACHE_NAME_CHARACTERS} printable ASCII characters, with no space at either end"


def cache_name(name: str) -> str:
    """Return a cache's name if it can travel in a header.

    Raises:
        InvalidArgumentError: Empty, too long, not printable ASCII, or with a space at an end.
    """
    if not isinstance(name, str):
        raise InvalidArgumentError(f"the cache name is of type {type(name).__name__}: {_CACHE_NAME}")
    if not 0 < len(name) <= MAX_CACHE_NAME_CHARACTERS:
        raise InvalidArgumentError(f"the cache name has {len(name)} characters: {_CACHE_NAME}")
    if not (name.isascii() and name.isprintable()) or name != name.strip():
        raise InvalidArgumentError(f"the cache name {name[:100]!r} cannot be sent: {_CACHE_NAME}")
    return name


def key_bytes(key: Bytes) -> bytes:
    """Return a key as bytes.

    Raises:
        InvalidArgumentError: Neither str nor bytes, or text that UTF-8 cannot hold.
    """
    return _bytes(key, "key")


def many_keys(keys: Iterable[Bytes]) -> list[bytes]:
    """Return keys as bytes, in their order.

    Raises:
        InvalidArgumentError: One key in place of many, or as `key_bytes`.
    """
    if isinstance(keys, (str, bytes)):
        raise InvalidArgumentError(f"keys is a single {type(keys).__name__}: give a list of keys")
    return [_bytes(key, "key") for key in keys]


def value_bytes(value: Bytes) -> bytes:
    """Return a value as bytes.

    Raises:
        InvalidArgumentError: Neither str nor bytes, or text that UTF-8 cannot hold.
    """
    return _bytes(value, "value")


def item_bytes(key: Bytes, value: Bytes) -> tuple[bytes, bytes]:
    """Return a key and its value as bytes, together within the limit of an item.

    Raises:
        InvalidArgumentError: As `key_bytes` and `value_bytes`.
        LimitExceededError: Larger than an item may be.
    """
    key, value = _bytes(key, "key"), _bytes(value, "value")
    size = len(key) + len(value)
    if size > MAX_ITEM_BYTES:
        raise LimitExceededError(f"the item has {size} bytes, key plus value: at most {MAX_ITEM_BYTES} can be stored")
    return key, value


def _bytes(given: Bytes, what: str) -> bytes:
    if isinstance(given, bytes):
        return given
    if isinstance(given, str):
        try:
            return given.encode()
        except UnicodeEncodeError:
            # The original names the text itself, which is nobody's business in a log.
            raise InvalidArgumentError(
                f"the {what} holds lone surrogates, which UTF-8 cannot encode: give bytes"
            ) from None
    raise InvalidArgumentError(f"the {what} is of type {type(given).__name__}: give str or bytes")
