"""A batch function whose values are cached one by one: what `@cache.cached_many` makes of it."""

import functools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, final, overload

from momento_lambda.caching.batch_keys import BatchKeys
from momento_lambda.caching.bound import Bound
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.workings import Workings

P = ParamSpec("P")
Q = ParamSpec("Q")
S = TypeVar("S")
M = TypeVar("M", bound=Mapping[Any, Any])


class _CachedMany(Bound, Generic[P, M]):
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
        return self._keys(*self._bound, *args, **kwargs)[0]


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
