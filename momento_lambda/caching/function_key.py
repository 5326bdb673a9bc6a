"""From a function and the arguments of one call to a key."""

import inspect
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, final

from momento_lambda.caching.keys import encode_argument, escape, shorten
from momento_lambda.errors import InvalidArgumentError


@final
class FunctionKey:
    """How the calls of one function become keys: every spelling of a call is one key.

    Args:
        function: Whose calls.
        prefix: What all its keys begin with.
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
        prefix: str,
        template: str | None = None,
        ignore: Iterable[str] = (),
    ) -> None:
        self._signature = inspect.signature(function)
        self._prefix = prefix
        self._ignored = _known(tuple(ignore), self._signature, "ignore")
        self._template = None if template is None else KeyTemplate(template)
        if self._template is not None:
            _known(self._template.names, self._signature, f"the key template {template!r}")
        elif function.__qualname__.endswith("<lambda>"):
            raise InvalidArgumentError("every lambda has the same name: give it a key= template, or use def")
        self._function = escape(f"{function.__module__}.{function.__qualname__}")

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        """Return the key of a call.

        Raises:
            TypeError: The function cannot be called so.
            InvalidArgumentError: An argument cannot be part of a key.
        """
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if self._template is not None:
            return shorten(self._prefix + self._template.fill(bound.arguments))
        parts = [
            f"{name}={encode_argument(name, value)}"
            for name, value in bound.arguments.items()
            if name not in self._ignored
        ]
        return shorten(f"{self._prefix}{self._function}:{','.join(parts)}")


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


def _known(names: tuple[str, ...], signature: inspect.Signature, where: str) -> frozenset[str]:
    for name in names:
        if name not in signature.parameters:
            raise InvalidArgumentError(
                f"{where} names {name!r}, which is no parameter: there are {', '.join(signature.parameters) or 'none'}"
            )
    return frozenset(names)
