"""The keys of one cache: namespace and version before the rest."""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar, final

from momento_lambda.caching.function_key import FunctionKey, KeyTemplate
from momento_lambda.caching.keys import escape, separate, shorten
from momento_lambda.errors import InvalidArgumentError

Id = TypeVar("Id")

Namespace: TypeAlias = str | Callable[[], str]
"""Text, or what says it at each call: the tenant of the request, say."""


@final
class CacheKeys:
    """The keys of one cache.

    Args:
        namespace: Values of another namespace are not seen.
        version: A new version sees none of the old one's values.

    Raises:
        InvalidArgumentError: One of them is not text.
    """

    __slots__ = ("_functions", "_namespace", "_version", "prefix")

    prefix: str | Callable[[], str]
    """What every key begins with, or what says so at each call."""

    def __init__(self, namespace: Namespace, version: str) -> None:
        for name, value in (("namespace", namespace), ("version", version)):
            if not isinstance(value, str) and not (name == "namespace" and callable(value)):
                raise InvalidArgumentError(f"the {name} is of type {type(value).__name__}: give text")
        self._namespace = namespace
        self._version = escape(version)
        self._functions: dict[str, bool] = {}
        if callable(namespace):
            self.prefix = self._prefix_of_call
        else:
            self.prefix = f"{escape(namespace)}:{self._version}:" if namespace or version else ""

    def key(self, key: str) -> str:
        """Return the whole of a key that a caller gave.

        Raises:
            InvalidArgumentError: It is not text.
        """
        if not isinstance(key, str):
            raise InvalidArgumentError(f"the key is of type {type(key).__name__}: give text")
        return shorten(self._current_prefix() + key)

    def by_id(self, ids: Iterable[Id], template: str) -> dict[Id, str]:
        """Return the key of each id, in order; an id that is named twice has one.

        Raises:
            InvalidArgumentError: The template has not exactly one `{}`, or the ids are one text.
        """
        parsed = KeyTemplate(template)
        if parsed.names != ("",):
            raise InvalidArgumentError(f"the key template {template!r} needs exactly one {{}}, for the id")
        prefix = self._current_prefix()
        keys: dict[Id, str] = {}
        for id_ in separate(ids):
            # The first of equal ids names the key: of 1 and True, a mapping holds one.
            if id_ not in keys:
                keys[id_] = shorten(prefix + parsed.fill({"": id_}))
        return keys

    def of_function(self, function: Callable[..., object], template: str | None, ignore: Iterable[str]) -> FunctionKey:
        """Return what makes the keys of a function's calls.

        Raises:
            InvalidArgumentError: As `FunctionKey`; or another function of this cache makes the same keys, and what
                tells the two apart is what they closed over.
        """
        key = FunctionKey(function, prefix=self.prefix, template=template, ignore=ignore)
        if key.name is not None:
            closure = bool(getattr(function, "__closure__", None))
            if closure and self._functions.get(key.name):
                raise InvalidArgumentError(
                    f"{function.__qualname__} is cached here already, and what this one closed over is no part of its "
                    "key: the two would share values. Pass that as an argument, or give each a key= template of its own"
                )
            self._functions[key.name] = closure
        return key

    def _prefix_of_call(self) -> str:
        namespace = self._namespace() if callable(self._namespace) else self._namespace
        if not isinstance(namespace, str):
            raise InvalidArgumentError(f"the namespace is of type {type(namespace).__name__}: return text")
        return f"{escape(namespace)}:{self._version}:"

    def _current_prefix(self) -> str:
        return self.prefix if isinstance(self.prefix, str) else self.prefix()
