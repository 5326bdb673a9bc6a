"""Values as bytes: JSON that gives back what it was given, or refuses it."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final, Protocol, final

from momento_lambda.caching.late_types import late_types
from momento_lambda.errors import InvalidArgumentError


class Serializer(Protocol):
    """What turns values into bytes and back.

    Attributes:
        identity: One byte, different for every serializer, kept beside the stored value so that a value is never
            read by another serializer than wrote it.
    """

    identity: int

    def dumps(self, value: Any) -> bytes:
        """Return the value as bytes.

        Raises:
            InvalidArgumentError: The value is of a type that would not come back as it was.
        """

    def loads(self, data: bytes) -> Any:
        """Return the value that the bytes stand for.

        Raises:
            ValueError: No value has these bytes.
        """


# A dict with this key alone is no dict: it holds another type's name and text. A real dict with this key is wrapped.
_MARK = "$type"
_MAX_DEPTH = 200
_TOO_DEEP = "the value is nested too deeply for JSON, or contains itself"
# Longer integers Python neither writes nor reads as decimal numbers.
_MAX_INTEGER_BITS = 14_000

_TO_JSON: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bytes: ("bytes", bytes.hex),
    datetime: ("datetime", datetime.isoformat),
    date: ("date", date.isoformat),
}
_LATE_TO_JSON = {"Decimal": "decimal", "UUID": "uuid"}


def _decimal(text: str) -> object:
    from decimal import Decimal  # noqa: PLC0415  # a cold start need not wait for what few values are

    return Decimal(text)


def _uuid(text: str) -> object:
    from uuid import UUID  # noqa: PLC0415  # as above

    return UUID(text)


_FROM_JSON: dict[str, Callable[[Any], Any]] = {
    "decimal": _decimal,
    "bytes": bytes.fromhex,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "uuid": _uuid,
    "set": set,
    "frozenset": frozenset,
    "tuple": tuple,
    "dict": dict,
}
_PLAIN = frozenset({type(None), bool, int, float, str})
_CONTAINERS = frozenset({set, frozenset, tuple})


@final
class JsonSerializer:
    """JSON, lossless: also Decimal, bytes, set, frozenset, tuple, datetime, date and UUID, at any depth.

    What JSON would change in silence is refused: keys that are not text, subclasses of the types above, other types.
    A datetime keeps its offset from UTC, and loses the name of its zone.
    """

    identity = ord("j")

    def dumps(self, value: Any) -> bytes:
        """Return the value as UTF-8 JSON.

        Raises:
            InvalidArgumentError: The value would not come back as it was.
        """
        try:
            return json.dumps(_to_json(value, _MAX_DEPTH), ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError("the value holds lone surrogates, which UTF-8 cannot encode") from None
        except RecursionError:
            raise InvalidArgumentError(_TOO_DEEP) from None

    def loads(self, data: bytes) -> Any:
        """Return the value that was dumped.

        Raises:
            ValueError: Not something that `dumps` made.
        """
        try:
            # Without a mark there is nothing to convert, and no need to look at every dict.
            # What others wrote may have white space around it.
            text = data.decode().strip()
            value, end = (_SCAN_MARKED if _MARK in text else _SCAN)(text, 0)
        except (ArithmeticError, AttributeError, KeyError, RecursionError, StopIteration, TypeError) as error:
            raise ValueError("not a value that was stored as JSON") from error
        if end != len(text):
            raise ValueError("more than the JSON of one value")
        return value


JSON: Final = JsonSerializer()


@final
class BytesSerializer:
    """Values that are bytes already."""

    identity = ord("b")

    def dumps(self, value: Any) -> bytes:
        """Return the value.

        Raises:
            InvalidArgumentError: It is not bytes.
        """
        if type(value) is not bytes:
            raise InvalidArgumentError(f"a value of type {type(value).__qualname__} is not bytes")
        return value

    def loads(self, data: bytes) -> bytes:
        """Return the value."""
        return data


BYTES: Final = BytesSerializer()


@final
class TextSerializer:
    """Values that are text, as UTF-8."""

    identity = ord("t")

    def dumps(self, value: Any) -> bytes:
        """Return the value as UTF-8.

        Raises:
            InvalidArgumentError: It is not text, or holds lone surrogates.
        """
        if type(value) is not str:
            raise InvalidArgumentError(f"a value of type {type(value).__qualname__} is not text")
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError("the value holds lone surrogates, which UTF-8 cannot encode") from None

    def loads(self, data: bytes) -> str:
        """Return the text.

        Raises:
            ValueError: Not UTF-8.
        """
        return data.decode()


TEXT: Final = TextSerializer()


def _to_json(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        if kind is int and value.bit_length() > _MAX_INTEGER_BITS:
            raise InvalidArgumentError("the value holds an integer of thousands of digits, which JSON cannot carry")
        return value
    if depth == 0:
        raise InvalidArgumentError(_TOO_DEEP)
    if kind is list:
        return [_to_json(item, depth - 1) for item in value]
    if kind is dict:
        return _dict_to_json(value, depth)
    if kind in _CONTAINERS:
        return {_MARK: kind.__name__, "value": [_to_json(item, depth - 1) for item in value]}
    if kind in _TO_JSON:
        name, convert = _TO_JSON[kind]
        return {_MARK: name, "value": convert(value)}
    for name, late in late_types().items():
        if kind is late:
            return {_MARK: _LATE_TO_JSON[name], "value": str(value)}
    raise InvalidArgumentError(
        f"a value of type {kind.__qualname__} cannot be stored as JSON: return plain data "
        "(None, bool, int, float, str, list, dict, Decimal, bytes, set, tuple, datetime, date, UUID)"
    )


def _dict_to_json(value: dict[Any, Any], depth: int) -> dict[str, Any]:
    for key in value:
        if type(key) is not str:
            raise InvalidArgumentError(
                f"a dict with a key of type {type(key).__qualname__} cannot be stored as JSON, "
                "which would turn the key into text: use text as keys"
            )
    plain = {key: _to_json(item, depth - 1) for key, item in value.items()}
    return {_MARK: "dict", "value": [[key, item] for key, item in plain.items()]} if _MARK in plain else plain


def _from_json(pairs: dict[str, Any]) -> Any:
    return _FROM_JSON[pairs[_MARK]](pairs["value"]) if _MARK in pairs else pairs


# Made once, where `json.loads` with a hook makes one for every value; and without its search for white space, of which
# `dumps` writes none.
_SCAN_MARKED = json.JSONDecoder(object_hook=_from_json).scan_once  # type: ignore[attr-defined]  # typeshed leaves it out
_SCAN = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # as above
