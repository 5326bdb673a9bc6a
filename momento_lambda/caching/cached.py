"""A function whose values are cached: what `@cache.cached` makes of it."""

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, cast, final, overload

from momento_lambda.caching.function_key import FunctionKey
from momento_lambda.caching.outcomes import Result
from momento_lambda.caching.read_aside import Step
from momento_lambda.caching.running import Runner
from momento_lambda.errors import InvalidArgumentError

P = ParamSpec("P")
Q = ParamSpec("Q")
S = TypeVar("S")
T = TypeVar("T")

Read: TypeAlias = Generator[Step, Any, Result[Any]]


class _Cached(Generic[P, T]):
    """What both kinds share: the key of a call, and how one is read.

    Args:
        function: What loads a value.
        key: The key of a call.
        read: The steps of reading a key.
        runner: What carries them out.
    """

    _bound: tuple[Any, ...] = ()

    def __init__(
        self,
        function: Callable[P, Any],
        key: FunctionKey,
        read: Callable[[str], Read],
        runner: Runner,
    ) -> None:
        functools.update_wrapper(cast("Callable[..., Any]", self), function)
        self._function = function
        self._key = key
        self._read = read
        self._runner = runner

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key under which the value of this call is stored."""
        return self._key(*self._bound, *args, **kwargs)

    def _bind(self, instance: object) -> Any:
        """Return this for the method of one object; for the class itself, this as it is."""
        if instance is None:
            return self
        # Every call of a method comes here, so this costs as little as it can.
        method = object.__new__(type(self))
        method.__dict__.update(self.__dict__, _bound=(instance,))
        return method


@final
class CachedFunction(_Cached[P, T]):
    """A function that is called only where the cache does not hold the value for its arguments.

    Calling it does what the function does; its methods take the same arguments.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the value, from the cache or from the function."""
        return self.result(*args, **kwargs).value

    def result(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Return the value and where it came from."""
        arguments = (*self._bound, *args)
        read = self._read(self._key(*arguments, **kwargs))
        return self._runner.run(read, lambda: self._function(*arguments, **kwargs))

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

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the value, from the cache or from the function."""
        return (await self.result(*args, **kwargs)).value

    async def result(self, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Return the value and where it came from."""
        arguments = (*self._bound, *args)
        read = self._read(self._key(*arguments, **kwargs))
        return await self._runner.run_async(read, lambda: self._function(*arguments, **kwargs))

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
