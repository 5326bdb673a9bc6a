"""Arguments put into keys: injective, and the same in every process, or refused.

Every encoded value says its type and where it ends, so two different lists of arguments never make one key. Neither
`repr` nor `hash` is asked: the one may leave things out, the other differs from process to process.

Some values that differ make one key on purpose: a set and a frozenset, bytes and a bytearray of the same items, and
moments in time whose time zones differ. Some that Python calls equal make two: 1, 1.0 and True, 0.0 and -0.0, an
object and one of its subclass.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, TypeVar

from momento_lambda.caching.late_types import late_types
from momento_lambda.errors import InvalidArgumentError

Id = TypeVar("Id")

MAX_READABLE_BYTES = 200
"""Longer keys are cut and end in a digest of the whole."""

_KEPT_CHARACTERS = 120
_DIGEST_BYTES = 32
_MAX_DEPTH = 50
_DECIMAL_BITS = 2048
_FIXES = (
    "pass its identifier instead, leave it out with ignore=, write a key= template, "
    "or give its class a __cache_key__() that returns one of the types above"
)
_ALLOWED = (
    "None, bool, int, float, str, bytes, Decimal, UUID, date, datetime, Enum, tuple, list, set, dict, "
    "a frozen dataclass or a pydantic model"
)


def separate(ids: Iterable[Id]) -> Iterable[Id]:
    """Return ids, which are several.

    Raises:
        InvalidArgumentError: They are one text, whose letters are not what was meant.
    """
    if isinstance(ids, (str, bytes)):
        raise InvalidArgumentError(f"the ids are a single {type(ids).__name__}: give a list of them")
    return ids


def encode_argument(name: str, value: Any) -> str:
    """Return an argument's part of a key.

    Args:
        name: The parameter, for the message of the error.
        value: What was passed.

    Raises:
        InvalidArgumentError: The value is of a type whose identity cannot be told from it.
    """
    # What nearly all arguments are, without the way through the table.
    kind = type(value)
    if kind is str and value.isascii():
        return f"s{len(value)}:{value}"
    if kind is int and value.bit_length() <= _DECIMAL_BITS:
        return f"i{value};"
    try:
        return _encode(value, _MAX_DEPTH)
    except _UnusableError as unusable:
        raise InvalidArgumentError(
            f"the argument {name!r} cannot be part of a cache key: {unusable}. Keys are made of {_ALLOWED}; {_FIXES}"
        ) from None


def shorten(key: str) -> str:
    """Return a key of at most 200 bytes as it is, and a longer one as its beginning and a digest.

    A shortened key is longer than any that was not, so the two kinds never meet.

    Raises:
        InvalidArgumentError: The key holds lone surrogates.
    """
    if len(key) <= MAX_READABLE_BYTES and key.isascii():
        return key
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError("a cache key holds lone surrogates, which UTF-8 cannot encode") from None
    if len(encoded) <= MAX_READABLE_BYTES:
        return key
    import hashlib  # noqa: PLC0415  # a cold start need not wait for what few keys want

    digest = hashlib.blake2b(encoded, digest_size=_DIGEST_BYTES).hexdigest()
    beginning = key[:_KEPT_CHARACTERS].encode("ascii", "replace").decode()
    return beginning.ljust(MAX_READABLE_BYTES + 1 - len(digest), "~") + digest


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


def _encode(value: Any, depth: int) -> str:
    if depth == 0:
        raise _UnusableError("it is nested too deeply, or contains itself")
    encode = _ENCODERS.get(type(value)) or _encoder(type(value))
    return encode(value, depth)


def _each(values: Iterable[object], depth: int) -> str:
    return "".join(_encode(value, depth - 1) for value in values)


def _sorted(values: Iterable[object], depth: int) -> str:
    return "".join(sorted(_encode(value, depth - 1) for value in values))


def _text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _UnusableError("it holds lone surrogates, which no key can carry") from None
    return f"{len(text)}:{text}"


def _integer(value: int) -> str:
    # Python writes no decimal number of thousands of digits; hexadecimal ones have no limit.
    return int.__repr__(value) if value.bit_length() <= _DECIMAL_BITS else hex(value)


def _number(text: str) -> str:
    if "nan" in text.lower():
        raise _UnusableError("it is NaN, which does not equal itself")
    return text


def _datetime(value: datetime) -> str:
    if value.utcoffset() is None:
        return f"T{value.replace(tzinfo=None).isoformat()}f{value.fold};"
    try:
        return f"Z{value.astimezone(UTC).isoformat()};"
    except OverflowError:
        raise _UnusableError("it is outside of the years 1 to 9999 in UTC") from None


_ENCODERS: dict[type, Callable[[Any, int], str]] = {
    type(None): lambda _, __: "n",
    bool: lambda value, _: f"b{int(value)}",
    int: lambda value, _: f"i{_integer(value)};",
    float: lambda value, _: f"f{_number(float.__repr__(value))};",
    str: lambda value, _: f"s{_text(str.__str__(value))}",
    bytes: lambda value, _: f"x{_text(value.hex())}",
    bytearray: lambda value, _: f"x{_text(value.hex())}",
    datetime: lambda value, _: _datetime(value),
    date: lambda value, _: f"D{value.isoformat()};",
    tuple: lambda value, depth: f"({_each(value, depth)})",
    list: lambda value, depth: f"[{_each(value, depth)}]",
    set: lambda value, depth: f"{{{_sorted(value, depth)}}}",
    frozenset: lambda value, depth: f"{{{_sorted(value, depth)}}}",
    dict: lambda value, depth: f"<{_sorted(value.items(), depth)}>",
}


def _decimal_text(value: Any) -> str:
    from decimal import Decimal  # noqa: PLC0415  # whoever has one has imported it

    # Not by the way of a subclass, which may leave things out.
    return Decimal.__str__(value)


_LATE_ENCODERS: dict[str, Callable[[Any, int], str]] = {
    "Decimal": lambda value, _: f"d{_number(_decimal_text(value))};",
    "UUID": lambda value, _: f"u{value.hex}",
}
# What a subclass of these is, its class and the value of its base tell, if it holds nothing else. Of mutable
# containers that cannot be said: an OrderedDict has an order too, a defaultdict a factory.
_BASES = {int, float, str, bytes, datetime, date, tuple}


def _encoder(kind: type) -> Callable[[Any, int], str]:
    """Return what encodes a type that is not in the table, once those are in it that came late."""
    for name, late in late_types().items():
        _ENCODERS[late] = _LATE_ENCODERS[name]
        _BASES.add(late)
    return _ENCODERS.get(kind, _encode_object)


def _encode_object(value: Any, depth: int) -> str:
    """Encode what is of none of the types above: by its class, and by what tells it from others of that class."""
    kind = type(value)
    name = _text(f"{kind.__module__}.{kind.__qualname__}")
    own = getattr(kind, "__cache_key__", None)
    if own is not None:
        return f"@{name}({_encode(own(value), depth - 1)})"
    if isinstance(value, Enum):
        # Combined flags may have no name.
        return f"e{name}{_encode(value.value if value.name is None else value.name, depth - 1)}"
    fields = _fields(value)
    if fields is not None:
        return f"@{name}({_encode(fields, depth - 1)})"
    for position, base in enumerate(kind.__mro__):
        if base in _BASES:
            _refuse_attributes(value, kind.__mro__[:position])
            return f"@{name}({_ENCODERS[base](value, depth - 1)})"
    raise _UnusableError(f"it is of type {kind.__name__}")


def _fields(value: Any) -> dict[str, object] | None:
    """Return what a frozen dataclass or a pydantic model holds; None for anything else."""
    kind = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        if not kind.__dataclass_params__.frozen:
            raise _UnusableError(f"{kind.__name__} is a dataclass that is not frozen")
        import dataclasses  # noqa: PLC0415  # whoever has one has imported it

        return {field.name: getattr(value, field.name) for field in dataclasses.fields(kind)}
    if hasattr(kind, "model_fields") and hasattr(kind, "model_dump"):
        declared = {name: getattr(value, name) for name in kind.model_fields}
        return declared | (getattr(value, "model_extra", None) or {})
    return None


def _refuse_attributes(value: object, added: Iterable[type]) -> None:
    """Refuse an object that holds more than the built-in value that it is."""
    if getattr(value, "__dict__", None) or any(vars(kind).get("__slots__") for kind in added):
        raise _UnusableError(f"it is of type {type(value).__name__}, which has attributes of its own")
