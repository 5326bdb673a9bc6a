"""A function whose values are cached: what `@cache.cached` makes of it."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, final, overload

from momento_lambda.caching.bound import Bound
from momento_lambda.caching.function_key import FunctionKey
from momento_lambda.caching.outcomes import Result
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.workings import Workings
from momento_lambda.errors import InvalidArgumentError

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")


class _Cached(Bound, Generic[P, T]):
    """What both kinds share: the key of a call, and binding to an object.

    Args:
        function: What loads a value.
        key: The key of a call.
        policy: How its values are kept.
        workings: The parts of its cache.
    """

    def __init__(self, function: Callable[P, Any], key: FunctionKey, policy: Policy, workings: Workings) -> None:
        functools.update_wrapper(cast("Callable[..., Any]", self), function)
        self._function = function
        self._key = key
        self._policy = policy
        self._workings = workings

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key under which the value of this call is stored."""
        return self._key(*self._bound, *args, **kwargs)


@final
class CachedFunction(_Cached[P, T]):
    """A function that is called only where the cache does not hold the value for its arguments.

    Calling it does what the function does; its methods take the same arguments.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the value, from the cache or from the function."""
        arguments = (*self._bound, *args)
        key = self._key(*arguments, **kwargs)
        kept = self._workings.reads.kept(key, self._policy) if self._policy.local else None
        value: T = self._read(key, arguments, kwargs).value if kept is None else kept[0]
        return value

    def result(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Return the value and where it came from."""
        arguments = (*self._bound, *args)
        key = self._key(*arguments, **kwargs)
        local = self._workings.reads.local(key, self._policy) if self._policy.local else None
        return self._read(key, arguments, kwargs) if local is None else local

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function and store its value, whatever the cache holds; return the value."""
        refreshed: Result[T] = self._run(self._workings.loading.refresh, args, kwargs)
        return refreshed.value

    def peek(self, *args: P.args, **kwargs: P.kwargs) -> Result[T] | None:
        """Return what the cache holds, or None; the function is not called."""
        held: Result[T] | None = self._run(self._workings.reads.peek, args, kwargs)
        return held

    def put(self, value: T, /, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Store a value for these arguments, and return whether the cache took it."""
        plan = self._workings.writes.put(self.key(*args, **kwargs), value, self._policy)
        return bool(self._workings.runner.run(plan, self._function))

    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Remove the value for these arguments, and return whether the cache did. A failure is logged as an error."""
        plan = self._workings.writes.invalidate(self.key(*args, **kwargs), strict=False)
        return bool(self._workings.runner.run(plan, self._function))

    def write_through(self, value: T, writer: Callable[[Any], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Have the writer write a value where it belongs, then store it for these arguments; return what it returned.

        What the writer raises is raised, and the cache is as it was. A cache that cannot be updated is invalidated.
        """
        plan = self._workings.writes.write_through(self.key(*args, **kwargs), value, self._policy)
        written: R = self._workings.runner.run(plan, writer)
        return written

    def _read(self, key: str, arguments: tuple[Any, ...], kwargs: dict[str, Any]) -> Result[T]:
        """Ask the remote cache; a hit is served without a plan, which would make it slower."""
        workings = self._workings
        look = workings.loading.look(key, self._policy)
        after = workings.reads.after(look, workings.remote.ask(look))
        if isinstance(after, Result):
            return after
        result: Result[T] = workings.runner.run(after, lambda: self._function(*arguments, **kwargs))
        return result

    def _run(self, read: Callable[[str, Policy], Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = (*self._bound, *args)
        plan = read(self._key(*arguments, **kwargs), self._policy)
        return self._workings.runner.run(plan, lambda: self._function(*arguments, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type) -> "CachedFunction[P, T]": ...
    @overload
    def __get__(
        self: "CachedFunction[Concatenate[S, Q], T]", instance: S, owner: type | None = None
    ) -> "CachedFunction[Q, T]": ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind the method to its object."""
        return self._bind(instance)


@final
class CachedCoroutine(_Cached[P, T]):
    """A coroutine function that is called only where the cache does not hold the value for its arguments.

    Calling it does what the function does; its methods take the same arguments.
    """

    def __init__(self, function: Callable[P, Any], key: FunctionKey, policy: Policy, workings: Workings) -> None:
        super().__init__(function, key, policy, workings)
        if hasattr(inspect, "markcoroutinefunction"):
            # Since Python 3.12 an object can say so of itself.
            inspect.markcoroutinefunction(self)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the value, from the cache or from the function."""
        arguments = (*self._bound, *args)
        key = self._key(*arguments, **kwargs)
        kept = self._workings.reads.kept(key, self._policy) if self._policy.local else None
        value: T = (await self._read(key, arguments, kwargs)).value if kept is None else kept[0]
        return value

    async def result(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Return the value and where it came from."""
        arguments = (*self._bound, *args)
        key = self._key(*arguments, **kwargs)
        local = self._workings.reads.local(key, self._policy) if self._policy.local else None
        return await self._read(key, arguments, kwargs) if local is None else local

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function and store its value, whatever the cache holds; return the value."""
        refreshed: Result[T] = await self._run(self._workings.loading.refresh, args, kwargs)
        return refreshed.value

    async def peek(self, *args: P.args, **kwargs: P.kwargs) -> Result[T] | None:
        """Return what the cache holds, or None; the function is not called."""
        held: Result[T] | None = await self._run(self._workings.reads.peek, args, kwargs)
        return held

    async def put(self, value: T, /, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Store a value for these arguments, and return whether the cache took it."""
        plan = self._workings.writes.put(self.key(*args, **kwargs), value, self._policy)
        return bool(await self._workings.runner.run_async(plan, self._function))

    async def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Remove the value for these arguments, and return whether the cache did. A failure is logged as an error."""
        plan = self._workings.writes.invalidate(self.key(*args, **kwargs), strict=False)
        return bool(await self._workings.runner.run_async(plan, self._function))

    async def write_through(
        self, value: T, writer: Callable[[Any], Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Have the writer write a value where it belongs, then store it for these arguments; return what it returned.

        What the writer raises is raised, and the cache is as it was. A cache that cannot be updated is invalidated.
        """
        plan = self._workings.writes.write_through(self.key(*args, **kwargs), value, self._policy)
        written: R = await self._workings.runner.run_async(plan, writer)
        return written

    async def _read(self, key: str, arguments: tuple[Any, ...], kwargs: dict[str, Any]) -> Result[T]:
        """Ask the remote cache; a hit is served without a plan, which would make it slower."""
        workings = self._workings
        look = workings.loading.look(key, self._policy)
        after = workings.reads.after(look, await workings.remote.ask_async(look))
        if isinstance(after, Result):
            return after
        result: Result[T] = await workings.runner.run_async(after, lambda: self._function(*arguments, **kwargs))
        return result

    async def _run(self, read: Callable[[str, Policy], Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = (*self._bound, *args)
        plan = read(self._key(*arguments, **kwargs), self._policy)
        return await self._workings.runner.run_async(plan, lambda: self._function(*arguments, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type) -> "CachedCoroutine[P, T]": ...
    @overload
    def __get__(
        self: "CachedCoroutine[Concatenate[S, Q], T]", instance: S, owner: type | None = None
    ) -> "CachedCoroutine[Q, T]": ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind the method to its object."""
        return self._bind(instance)


def check_cacheable(function: Any) -> None:
    """Refuse what returns no value that could be kept.

    Raises:
        InvalidArgumentError: A generator, a class method, what is cached already, or no function at all.
    """
    if isinstance(function, (classmethod, staticmethod)):
        raise InvalidArgumentError(f"put @{type(function).__name__} above @cached, not below it")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidArgumentError(f"{function.__qualname__} is a generator: return a list to have it cached")
    if isinstance(function, _Cached):
        raise InvalidArgumentError("the function is cached already: one @cached is enough")
    if not (inspect.isroutine(function) and callable(function) and hasattr(function, "__module__")):
        raise InvalidArgumentError(f"@cached is for functions, not for {type(function).__name__}")
