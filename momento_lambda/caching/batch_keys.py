"""The keys of a batch: one for each id of a call."""

import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, final

from momento_lambda.caching.function_key import KeyTemplate, binder, known_parameters, warn_of_unused
from momento_lambda.caching.keys import separate, shorten
from momento_lambda.errors import InvalidArgumentError

OtherIds: TypeAlias = Callable[[list[Any]], tuple[tuple[Any, ...], dict[str, Any]]]
"""The arguments of a call, by position and by name, with other ids in place of its own."""

_ID = "id"


@final
class BatchKeys:
    """The keys of the parts of one call.

    Args:
        function: Whose calls.
        param: The parameter that takes the ids.
        template: A key with `{id}` in it, and with other parameters.
        prefix: What all keys begin with, or what says so at each call.
        ignore: Parameters that the values do not depend on.

    Raises:
        InvalidArgumentError: The function has no such parameter, or the template names another one or no id.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        param: str,
        template: str,
        prefix: str | Callable[[], str],
        ignore: Iterable[str] = (),
    ) -> None:
        signature = inspect.signature(function)
        ids = known_parameters((param,), signature, "param=")
        ignored = known_parameters(tuple(ignore), signature, "ignore")
        self._template = KeyTemplate(template)
        others = tuple(name for name in self._template.names if name != _ID)
        used = known_parameters(others, signature, f"the key template {template!r}")
        if _ID not in self._template.names:
            raise InvalidArgumentError(f"the key template {template!r} needs {{id}}, the id of each part")
        warn_of_unused(function, signature, ids | ignored | used, stacklevel=4)
        self._names = tuple(signature.parameters)
        self._param = param
        self._bind = binder(signature, function.__qualname__)
        self._prefix = prefix
        self._signature = signature

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[dict[Any, str], OtherIds]:
        """Return the key of each id of a call, and what makes the arguments of a call for other ids."""
        named = dict(zip(self._names, self._bind(*args, **kwargs), strict=True))
        prefix = self._prefix if isinstance(self._prefix, str) else self._prefix()
        keys: dict[Any, str] = {}
        for id_ in separate(named[self._param]):
            # The first of equal ids names the key: of 1 and True, a mapping holds one.
            if id_ not in keys:
                keys[id_] = shorten(prefix + self._template.fill(named | {_ID: id_}))

        def with_ids(ids: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            call = inspect.BoundArguments(self._signature, OrderedDict(named | {self._param: ids}))
            return call.args, call.kwargs

        return keys, with_ids
