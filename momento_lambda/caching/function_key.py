"""From a function and the arguments of one call to a key."""

import inspect
import string
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, final

from momento_lambda.caching.keys import encode_argument, escape, shorten
from momento_lambda.errors import InvalidArgumentError


@final
class FunctionKey:
    """How the calls of one function become keys: every spelling of a call is one key.

    Args:
        function: Whose calls.
        prefix: What all its keys begin with, or what says so at each call.
        template: A key with `{parameter}` in it, or None for the function's name and all its arguments.
        ignore: Parameters that the value does not depend on.

    Raises:
        InvalidArgumentError: The template or `ignore` names a parameter that the function has not, or the function
            has no name that tells it from others.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        prefix: str | Callable[[], str],
        template: str | None = None,
        ignore: Iterable[str] = (),
    ) -> None:
        signature = inspect.signature(function)
        ignored = known_parameters(tuple(ignore), signature, "ignore")
        self._prefix = prefix
        self._template = None if template is None else KeyTemplate(template)
        if self._template is not None:
            used = known_parameters(self._template.names, signature, f"the key template {template!r}")
            warn_of_unused(function, signature, used | ignored, stacklevel=5)
        elif function.__qualname__.endswith("<lambda>"):
            raise InvalidArgumentError("every lambda has the same name: give it a key= template, or use def")
        self._bind = binder(signature, function.__qualname__)
        self._names = tuple(signature.parameters)
        parts = [(index, name) for index, name in enumerate(self._names) if name not in ignored]
        self._used = [(f"{',' if place else ''}{name}=", name, index) for place, (index, name) in enumerate(parts)]
        self._function = escape(f"{function.__module__}.{function.__qualname__}")
        self._begin = f"{self._function}:"

    @property
    def name(self) -> str | None:
        """What tells the function from others in its keys; None where a template does."""
        return self._function if self._template is None else None

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        """Return the key of a call.

        Raises:
            TypeError: The function cannot be called so.
            InvalidArgumentError: An argument cannot be part of a key.
        """
        values = self._bind(*args, **kwargs)
        prefix = self._prefix if isinstance(self._prefix, str) else self._prefix()
        if self._template is not None:
            return shorten(prefix + self._template.fill(dict(zip(self._names, values, strict=True))))
        key = prefix + self._begin
        for begin, name, index in self._used:
            key += begin + encode_argument(name, values[index])
        return shorten(key)


def binder(signature: inspect.Signature, name: str) -> Callable[..., tuple[Any, ...]]:
    """Return a function that takes the arguments of a call and returns the values of all parameters, in order.

    It has the name of the function that it stands for, which Python tells whoever calls it wrongly. It is compiled, as
    dataclasses compile theirs: `Signature.bind` takes longer than all the rest of a key.
    """
    parameters = signature.parameters.values()
    defaults = {
        f"_default_{index}": parameter.default
        for index, parameter in enumerate(parameters)
        if parameter.default is not parameter.empty
    }
    with_defaults = [
        parameter.replace(
            annotation=parameter.empty,
            default=parameter.empty if parameter.default is parameter.empty else _Name(f"_default_{index}"),
        )
        for index, parameter in enumerate(parameters)
    ]
    head = inspect.Signature(with_defaults)
    tuple_of_names = "".join(f"{name}, " for name in signature.parameters)
    compiled: dict[str, Any] = {}
    exec(f"def bind{head}: return ({tuple_of_names})", defaults, compiled)  # noqa: S102  # made of identifiers alone
    bind: Callable[..., tuple[Any, ...]] = compiled["bind"]
    bind.__qualname__ = name
    return bind


class _Name:
    """A default that a signature shows as a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


def warn_of_unused(
    function: Callable[..., Any], signature: inspect.Signature, known: frozenset[str], stacklevel: int
) -> None:
    """Warn whoever decorates a function of parameters that its key template does not tell apart."""
    unused = [name for name in signature.parameters if name not in known and name not in {"self", "cls"}]
    if unused:
        warnings.warn(
            f"the key template of {function.__qualname__} uses none of {', '.join(unused)}: calls that differ in them "
            "share a value, which may leak between callers; name them in the template, or in ignore=",
            stacklevel=stacklevel,
        )


@final
class KeyTemplate:
    """Text with `{name}` in it, or with one `{}`.

    A value that is text stands as it is, but for `%`, `:`, `~` and whatever separates the template's names, which are
    percent-encoded so that it cannot pass for two parts or for another type. Any other value is marked by `~` and
    says its type: 1 and "1" differ.

    Raises:
        InvalidArgumentError: Not a template, one that asks for more than a name, or with nothing between two names
            that would tell where the one ends and the other begins.
    """

    __slots__ = ("_escaped", "_literals", "names")

    def __init__(self, template: str) -> None:
        try:
            parts = list(string.Formatter().parse(template))
        except ValueError as error:
            raise InvalidArgumentError(f"the key template {template!r} is malformed: {error}") from None
        names: list[str] = []
        literals = [""]
        for literal, name, specification, conversion in parts:
            if specification or conversion or (name and not name.isidentifier()):
                raise InvalidArgumentError(f"the key template {template!r} may hold plain names alone, as in {{name}}")
            literals[-1] += literal
            if name is not None:
                names.append(name)
                literals.append("")
        self.names = tuple(names)
        self._literals = literals
        separators = [{char for char in literal if not char.isalnum()} for literal in literals[1:-1]]
        if not all(chars - {"%", "~"} for chars in separators):
            raise InvalidArgumentError(
                f"the key template {template!r} needs a separator between names, such as a colon"
            )
        self._escaped = "".join(sorted({"~"}.union(*separators)))

    def fill(self, values: Mapping[str, object]) -> str:
        """Return the key in which each name is replaced by its value.

        Raises:
            InvalidArgumentError: A value cannot be part of a key.
        """
        filled = [self._fill_one(name, values[name]) for name in self.names]
        return "".join(part for pair in zip(self._literals, [*filled, ""], strict=True) for part in pair)

    def _fill_one(self, name: str, value: object) -> str:
        if type(value) is str:
            return escape(value, self._escaped)
        return f"~{escape(encode_argument(name, value), self._escaped)}"


def known_parameters(names: tuple[str, ...], signature: inspect.Signature, where: str) -> frozenset[str]:
    """Return names of parameters as a set.

    Raises:
        InvalidArgumentError: One is no parameter; `where` says who named it.
    """
    for name in names:
        if name not in signature.parameters:
            raise InvalidArgumentError(
                f"{where} names {name!r}, which is no parameter: there are {', '.join(signature.parameters) or 'none'}"
            )
    return frozenset(names)
