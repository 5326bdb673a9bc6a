"""What the decorators of a cache are to a type checker, where they are called with options."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar, overload

from momento_lambda.caching.cached import CachedCoroutine, CachedFunction
from momento_lambda.caching.cached_many import CachedManyCoroutine, CachedManyFunction
from momento_lambda.caching.outcomes import Cacheable, NoStore

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")
R = TypeVar("R")


class CachedDecorator(Protocol):
    """What `cached(...)` returns: a decorator for plain and coroutine functions alike."""

    # A coroutine function is a function too: the first signature that fits is meant.
    @overload
    def __call__(  # type: ignore[overload-overlap]  # see above
        self, function: Callable[P, Coroutine[Any, Any, Cacheable[T] | NoStore[T]]], /
    ) -> CachedCoroutine[P, T]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # see above
        self, function: Callable[P, Coroutine[Any, Any, T]], /
    ) -> CachedCoroutine[P, T]: ...
    @overload
    def __call__(self, function: Callable[P, Cacheable[T] | NoStore[T]], /) -> CachedFunction[P, T]: ...
    @overload
    def __call__(self, function: Callable[P, T], /) -> CachedFunction[P, T]: ...


class CachedManyDecorator(Protocol):
    """What `cached_many(...)` returns: a decorator for plain and coroutine functions alike."""

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, Mapping[K, Cacheable[T] | NoStore[T]]]], /
    ) -> CachedManyCoroutine[P, dict[K, T]]: ...
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, Mapping[K, T]]], /
    ) -> CachedManyCoroutine[P, dict[K, T]]: ...
    @overload
    def __call__(
        self, function: Callable[P, Mapping[K, Cacheable[T] | NoStore[T]]], /
    ) -> CachedManyFunction[P, dict[K, T]]: ...
    @overload
    def __call__(self, function: Callable[P, Mapping[K, T]], /) -> CachedManyFunction[P, dict[K, T]]: ...


class HandlerDecorator(Protocol):
    """What `handler(...)` returns: a decorator that makes a plain function of both kinds."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...
