"""Arguments put into keys: injective, and the same in every process, or refused.

Every encoded value says its type and where it ends, so two different lists of arguments never make one key. Neither
`repr` nor `hash` is asked: the one may leave things out, the other differs from process to process.
"""

import dataclasses
import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

from momento_lambda.errors import InvalidArgumentError

MAX_READABLE_BYTES = 200
"""Longer keys are cut and end in a digest of the whole."""

_KEPT_CHARACTERS = 120
_DIGEST_BYTES = 32
_MAX_DEPTH = 50
_FIXES = (
    "pass its identifier instead, leave it out with ignore=, write a key= template, "
    "or give its class a __cache_key__() that returns one of the types above"
)
_ALLOWED = (
    "None, bool, int, float, str, bytes, Decimal, UUID, date, datetime, Enum, tuple, list, set, dict, "
    "a frozen dataclass or a pydantic model"
)


def encode_argument(name: str, value: object) -> str:
    """Return an argument's part of a key.

    Args:
        name: The parameter, for the message of the error.
        value: What was passed.

    Raises:
        InvalidArgumentError: The value is of a type whose identity cannot be told from it.
    """
    try:
        return _encode(value, _MAX_DEPTH)
    except _UnusableError as unusable:
        raise InvalidArgumentError(
            f"the argument {name!r} cannot be part of a cache key: {unusable}. Keys are made of {_ALLOWED}; {_FIXES}"
        ) from None


def shorten(key: str) -> str:
    """Return a key of at most 200 bytes as it is, and a longer one as its beginning and a digest.

    A shortened key is longer than any that was not, so the two kinds never meet.
    """
    encoded = key.encode()
    if len(encoded) <= MAX_READABLE_BYTES:
        return key
    digest = hashlib.blake2b(encoded, digest_size=_DIGEST_BYTES).hexdigest()
    beginning = key[:_KEPT_CHARACTERS].encode("ascii", "replace").decode()
    filler = "~" * (MAX_READABLE_BYTES - _KEPT_CHARACTERS - len(digest) + 1)
    return f"{beginning}{filler}{digest}"


def escape(text: str, also: str = "") -> str:
    """Return text in which `%`, `:`, control characters and the characters of `also` are percent-encoded."""
    if text.isalnum() and text.isascii():
        return text
    return "".join(
        "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
        if char in "%:" or char in also or not char.isprintable()
        else char
        for char in text
    )


class _UnusableError(Exception):
    """What is wrong with a value."""


def _encode(value: object, depth: int) -> str:  # noqa: C901, PLR0911, PLR0912  # a table of types, in the order that subclasses ask for
    if depth == 0:
        raise _UnusableError("it is nested too deeply, or contains itself")
    match value:
        case None:
            return "n"
        case Enum():
            return f"e{_text(_name(value))}{_text(value.name)}"
        case bool():
            return f"b{int(value)}"
        case int():
            return f"i{int(value)};"
        case float():
            return f"f{_number(float(value), value != value)};"  # noqa: PLR0124  # NaN alone differs from itself
        case str():
            return f"s{_text(value)}"
        case bytes() | bytearray():
            return f"x{_text(value.hex())}"
        case Decimal():
            return f"d{_number(value, value.is_nan())};"
        case UUID():
            return f"u{value.hex}"
        case datetime():
            return _encode_datetime(value)
        case date():
            return f"D{value.isoformat()};"
        case tuple():
            return f"({_each(value, depth)})"
        case list():
            return f"[{_each(value, depth)}]"
        case set() | frozenset():
            return f"{{{''.join(sorted(_encode(item, depth - 1) for item in value))}}}"
        case dict():
            return f"<{''.join(sorted(_each(pair, depth) for pair in value.items()))}>"
        case _:
            return f"@{_text(_name(value))}({_encode(_identity(value), depth - 1)})"


def _each(values: Iterable[object], depth: int) -> str:
    return "".join(_encode(value, depth - 1) for value in values)


def _text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _UnusableError("it holds lone surrogates, which no key can carry") from None
    return f"{len(text)}:{text}"


def _name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _number(value: float | Decimal, is_nan: bool) -> str:  # noqa: FBT001  # private, and named where it is passed
    if is_nan:
        raise _UnusableError("it is NaN, which does not equal itself")
    return float.__repr__(value) if isinstance(value, float) else str(value)


def _encode_datetime(value: datetime) -> str:
    if value.tzinfo is None:
        return f"T{value.isoformat()}f{value.fold};"
    return f"Z{value.astimezone(UTC).isoformat()};"


def _identity(value: object) -> object:
    """Return what stands for an object: what it says itself, or all its fields where they cannot change."""
    kind = type(value)
    own = getattr(kind, "__cache_key__", None)
    if own is not None:
        return own(value)
    if dataclasses.is_dataclass(value):
        if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # typeshed leaves it out
            raise _UnusableError(f"{kind.__name__} is a dataclass that is not frozen")
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(kind, "model_fields") and hasattr(kind, "model_dump"):
        return {name: getattr(value, name) for name in kind.model_fields}
    raise _UnusableError(f"it is of type {kind.__name__}")
