"""A batch function whose values are cached one by one: what `@cache.cached_many` makes of it."""

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, cast, final, overload

from momento_lambda.caching.function_key import KeyTemplate, binder, known_parameters, warn_of_unused
from momento_lambda.caching.keys import separate, shorten
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.workings import Workings
from momento_lambda.errors import InvalidArgumentError

P = ParamSpec("P")
Q = ParamSpec("Q")
S = TypeVar("S")
M = TypeVar("M", bound=Mapping[Any, Any])

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


class _CachedMany(Generic[P, M]):
    """What both kinds share.

    Args:
        function: Takes ids among its arguments, and returns values by id.
        keys: The keys of a call.
        policy: How values are kept.
        workings: The parts of the cache.
    """

    _bound: tuple[Any, ...] = ()

    def __init__(self, function: Callable[P, Any], keys: BatchKeys, policy: Policy, workings: Workings) -> None:
        functools.update_wrapper(cast("Callable[..., Any]", self), function)
        self._function = cast("Callable[..., Any]", function)
        self._keys = keys
        self._policy = policy
        self._workings = workings

    def keys(self, *args: P.args, **kwargs: P.kwargs) -> dict[Any, str]:
        """Return the key under which each id's value is stored."""
        return self._keys(*self._bound, *args, **kwargs)[0]

    def _bind(self, instance: object) -> Any:
        """Return this for the method of one object; for the class itself, this as it is."""
        if instance is None:
            return self
        method = object.__new__(type(self))
        method.__dict__.update(self.__dict__, _bound=(instance,))
        return method


@final
class CachedManyFunction(_CachedMany[P, M]):
    """A batch function that is called with the ids alone that the cache does not hold."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """Return values by id, in the order asked, without those that are absent."""
        keys, other_ids = self._keys(*self._bound, *args, **kwargs)
        plan = self._workings.batches.many(keys, self._policy)

        def load(ids: list[Any]) -> Any:
            positional, named = other_ids(ids)
            return self._function(*positional, **named)

        found: M = self._workings.runner.run(plan, load)
        return found

    @overload
    def __get__(self, instance: None, owner: type) -> "CachedManyFunction[P, M]": ...
    @overload
    def __get__(
        self: "CachedManyFunction[Concatenate[S, Q], M]", instance: S, owner: type | None = None
    ) -> "CachedManyFunction[Q, M]": ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind the method to its object."""
        return self._bind(instance)


@final
class CachedManyCoroutine(_CachedMany[P, M]):
    """A batch coroutine function that is called with the ids alone that the cache does not hold."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> M:
        """Return values by id, in the order asked, without those that are absent."""
        keys, other_ids = self._keys(*self._bound, *args, **kwargs)
        plan = self._workings.batches.many(keys, self._policy)

        def load(ids: list[Any]) -> Coroutine[Any, Any, Any]:
            positional, named = other_ids(ids)
            loading: Coroutine[Any, Any, Any] = self._function(*positional, **named)
            return loading

        found: M = await self._workings.runner.run_async(plan, load)
        return found

    @overload
    def __get__(self, instance: None, owner: type) -> "CachedManyCoroutine[P, M]": ...
    @overload
    def __get__(
        self: "CachedManyCoroutine[Concatenate[S, Q], M]", instance: S, owner: type | None = None
    ) -> "CachedManyCoroutine[Q, M]": ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind the method to its object."""
        return self._bind(instance)
