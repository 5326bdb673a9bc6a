"""What a return annotation says of the values: their serializer, and a mark that changes when the type does."""

import functools
import types
import typing
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, Union, final, get_args, get_origin

from momento_lambda.caching.outcomes import Cacheable, NoStore
from momento_lambda.caching.serializers import JsonSerializer, Serializer
from momento_lambda.errors import InvalidArgumentError

Convert: TypeAlias = Callable[[Any], Any]

_UNIONS = (Union, types.UnionType)


def return_type(function: Callable[..., Any]) -> object:
    """Return the type of a function's values, out of `Cacheable` and `NoStore`; None where it does not say."""
    try:
        annotation = typing.get_type_hints(function).get("return")
    except (AttributeError, NameError, SyntaxError, TypeError):
        # A name that exists for type checkers alone.
        return None
    return _unwrapped(annotation)


def value_type(annotation: object) -> object:
    """Return the type of the values of a mapping, which is what a batch loader returns; None where it is none."""
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
    return _unwrapped(arguments[1]) if is_mapping and len(arguments) == 2 else None  # noqa: PLR2004  # key and value


def fingerprint(annotation: object) -> int:
    """Return a number that differs for different types, the same in every process; 0 where there is no type."""
    return 0 if annotation is None else zlib.crc32(_described(annotation, set()).encode()) or 1


def serializer_for(serializer: Serializer, annotation: object) -> Serializer:
    """Return a serializer for values of a type: JSON learns of the dataclasses and pydantic models in it."""
    if not isinstance(serializer, JsonSerializer):
        return serializer
    shape = _shape(annotation)
    return serializer if shape is None else ShapedSerializer(serializer, *shape)


@final
class ShapedSerializer:
    """JSON for values that a type gives a shape.

    Args:
        plain: What turns plain data into bytes.
        to_plain: Makes plain data of a value.
        from_plain: Makes a value of plain data.
    """

    def __init__(self, plain: Serializer, to_plain: Convert, from_plain: Convert) -> None:
        self.identity = ord("s")
        self._plain = plain
        self._to_plain = to_plain
        self._from_plain = from_plain

    def dumps(self, value: Any) -> bytes:
        """Return the value as bytes.

        Raises:
            InvalidArgumentError: The value is not of the type that its function says it returns.
        """
        return self._plain.dumps(self._to_plain(value))

    def loads(self, data: bytes) -> Any:
        """Return the value that the bytes stand for.

        Raises:
            ValueError: No value of the type has these bytes.
        """
        plain = self._plain.loads(data)
        try:
            return self._from_plain(plain)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("not a value of the type") from error


def _unwrapped(annotation: object) -> object:
    """Return an annotation without the wrappers that callers do not see."""
    if get_origin(annotation) in _UNIONS:
        members = [_unwrapped(member) for member in get_args(annotation)]
        return Union[tuple(members)]  # noqa: UP007  # made of what was read
    if get_origin(annotation) in {Cacheable, NoStore}:
        return get_args(annotation)[0]
    return annotation


def _described(annotation: object, seen: set[object]) -> str:
    """Return a text that names a type and, for classes with fields, what they hold."""
    arguments = get_args(annotation)
    if arguments:
        inside = ",".join(_described(argument, seen) for argument in arguments)
        return f"{_name(get_origin(annotation))}[{inside}]"
    if isinstance(annotation, type) and hasattr(annotation, "__dataclass_fields__") and annotation not in seen:
        seen.add(annotation)
        fields = ",".join(f"{name}:{_described(kind, seen)}" for name, kind in _field_types(annotation).items())
        return f"{_name(annotation)}({fields})"
    fields_of_model = getattr(annotation, "model_fields", None)
    if isinstance(fields_of_model, dict) and annotation not in seen:
        seen.add(annotation)
        fields = ",".join(f"{name}:{_described(field.annotation, seen)}" for name, field in fields_of_model.items())
        return f"{_name(annotation)}({fields})"
    return _name(annotation)


def _name(annotation: object) -> str:
    name = getattr(annotation, "__qualname__", None)
    return str(annotation) if name is None else f"{getattr(annotation, '__module__', '')}.{name}"


def _field_types(kind: type) -> dict[str, object]:
    import dataclasses  # noqa: PLC0415  # whoever has one has imported it

    try:
        hints = typing.get_type_hints(kind)
    except (AttributeError, NameError, SyntaxError, TypeError):
        hints = {}
    return {field.name: hints.get(field.name, field.type) for field in dataclasses.fields(kind)}


def _shape(annotation: object) -> tuple[Convert, Convert] | None:
    """Return how values of a type become plain data and back; None where they are plain already."""
    if isinstance(annotation, type):
        if hasattr(annotation, "__dataclass_fields__"):
            return _dataclass_shape(annotation)
        if hasattr(annotation, "model_validate") and hasattr(annotation, "model_dump"):
            return _model_shape(annotation)
    arguments = get_args(annotation)
    if get_origin(annotation) in _UNIONS:
        inside = [argument for argument in arguments if argument is not type(None)]
        shape = _shape(inside[0]) if len(inside) == 1 else None
        return None if shape is None else (_optional(shape[0]), _optional(shape[1]))
    return _container_shape(get_origin(annotation), arguments)


def _container_shape(origin: object, arguments: Sequence[object]) -> tuple[Convert, Convert] | None:
    if origin is list:
        shape = _shape(arguments[0])
        return None if shape is None else (_each(shape[0]), _each(shape[1]))
    if origin is dict:
        shape = _shape(arguments[1])
        return None if shape is None else (_each_value(shape[0]), _each_value(shape[1]))
    return None


def _dataclass_shape(kind: type) -> tuple[Convert, Convert]:
    @functools.cache
    def shapes() -> dict[str, tuple[Convert, Convert] | None]:
        # Not before a value asks for them: a field may be of the very same type.
        return {name: _shape(field_type) for name, field_type in _field_types(kind).items()}

    def to_plain(value: Any) -> Any:
        _check_kind(value, kind)
        return {
            name: getattr(value, name) if shape is None else shape[0](getattr(value, name))
            for name, shape in shapes().items()
        }

    def from_plain(plain: Any) -> Any:
        fields = {name: item if (shape := shapes()[name]) is None else shape[1](item) for name, item in plain.items()}
        value: Any = object.__new__(kind)
        for name in shapes():
            object.__setattr__(value, name, fields[name])
        return value

    return to_plain, from_plain


def _model_shape(kind: Any) -> tuple[Convert, Convert]:
    def to_plain(value: Any) -> Any:
        _check_kind(value, kind)
        plain = value.model_dump(mode="json", by_alias=True, round_trip=True)
        if from_plain(plain) != value:
            raise InvalidArgumentError(f"a value of type {kind.__qualname__} would not come back as it was")
        return plain

    def from_plain(plain: Any) -> Any:
        # A ValidationError is a ValueError: what was stored by another version of the model is not read.
        return kind.model_validate(plain)

    return to_plain, from_plain


def _check_kind(value: Any, kind: type) -> None:
    if type(value) is not kind:
        raise InvalidArgumentError(
            f"the function says that it returns {kind.__qualname__} and returned {type(value).__qualname__}, "
            "which would not come back as it was"
        )


def _optional(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _each(convert: Convert) -> Convert:
    def each(values: Any) -> Any:
        _check_kind(values, list)
        return [convert(value) for value in values]

    return each


def _each_value(convert: Convert) -> Convert:
    def each_value(values: Any) -> Any:
        _check_kind(values, dict)
        return {key: convert(value) for key, value in values.items()}

    return each_value
