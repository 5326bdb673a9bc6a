"""A batch function whose values are cached one by one: what `@cache.cached_many` makes of it."""

import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, cast, final

from momento_lambda.caching.function_key import KeyTemplate, binder, known_parameters
from momento_lambda.caching.keys import shorten
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.workings import Workings
from momento_lambda.errors import InvalidArgumentError

P = ParamSpec("P")
M = TypeVar("M", bound=Mapping[Any, Any])

_ID = "id"


@final
class BatchKeys:
    """The keys of the parts of one call.

    Args:
        function: Whose calls.
        param: The parameter that takes the ids.
        template: A key with `{id}` in it, and with other parameters.
        prefix: What all keys begin with, or what says so at each call.

    Raises:
        InvalidArgumentError: The function has no such parameter, or the template names another one or no id.
    """

    def __init__(
        self, function: Callable[..., Any], *, param: str, template: str, prefix: str | Callable[[], str]
    ) -> None:
        signature = inspect.signature(function)
        known_parameters((param,), signature, "param=")
        self._template = KeyTemplate(template)
        others = tuple(name for name in self._template.names if name != _ID)
        known_parameters(others, signature, f"the key template {template!r}")
        if _ID not in self._template.names:
            raise InvalidArgumentError(f"the key template {template!r} needs {{id}}, the id of each part")
        self._names = tuple(signature.parameters)
        self._at = self._names.index(param)
        self._bind = binder(signature)
        self._prefix = prefix
        self._signature = signature

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[dict[Any, str], Callable[[list[Any]], tuple[Any, ...]]]:
        """Return the key of each id of a call, and what makes the arguments of a call for other ids."""
        values = self._bind(*args, **kwargs)
        named = dict(zip(self._names, values, strict=True))
        prefix = self._prefix if isinstance(self._prefix, str) else self._prefix()
        keys: dict[Any, str] = {}
        for id_ in values[self._at]:
            # The first of equal ids names the key: of 1 and True, a mapping holds one.
            if id_ not in keys:
                keys[id_] = shorten(prefix + self._template.fill(named | {_ID: id_}))
        return keys, lambda ids: (*values[: self._at], ids, *values[self._at + 1 :])


class _CachedMany(Generic[P, M]):
    """What both kinds share.

    Args:
        function: Takes ids among its arguments, and returns values by id.
        keys: The keys of a call.
        policy: How values are kept.
        workings: The parts of the cache.
    """

    def __init__(self, function: Callable[P, Any], keys: BatchKeys, policy: Policy, workings: Workings) -> None:
        functools.update_wrapper(cast("Callable[..., Any]", self), function)
        self._function = cast("Callable[..., Any]", function)
        self._keys = keys
        self._policy = policy
        self._workings = workings

    def keys(self, *args: P.args, **kwargs: P.kwargs) -> dict[Any, str]:
        """Return the key under which each id's value is stored."""
        return self._keys(*args, **kwargs)[0]


@final
class CachedManyFunction(_CachedMany[P, M]):
    """A batch function that is called with the ids alone that the cache does not hold."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """Return values by id, in the order asked, without those that are absent."""
        keys, arguments = self._keys(*args, **kwargs)
        plan = self._workings.batches.many(keys, self._policy)
        found: M = self._workings.runner.run(plan, lambda ids: self._function(*arguments(ids)))
        return found


@final
class CachedManyCoroutine(_CachedMany[P, M]):
    """A batch coroutine function that is called with the ids alone that the cache does not hold."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """Return values by id, in the order asked, without those that are absent."""
        keys, arguments = self._keys(*args, **kwargs)
        plan = self._workings.batches.many(keys, self._policy)

        def load(ids: list[Any]) -> Coroutine[Any, Any, Any]:
            loading: Coroutine[Any, Any, Any] = self._function(*arguments(ids))
            return loading

        found: M = await self._workings.runner.run_async(plan, load)
        return found
