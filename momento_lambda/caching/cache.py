"""A cache beside functions: `cached`, `get_or_load` and the handler, on one warm client."""

import os
from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, Protocol, TypeVar, final, overload

from momento_lambda.caching.cached import CachedCoroutine, CachedFunction, check_cacheable
from momento_lambda.caching.function_key import FunctionKey, KeyTemplate
from momento_lambda.caching.handler import wrap_handler
from momento_lambda.caching.keys import escape, shorten
from momento_lambda.caching.lifetime import Lifetime, TtlOfValue
from momento_lambda.caching.outcomes import Cacheable, NoStore
from momento_lambda.caching.read_aside import ReadAside
from momento_lambda.caching.running import CACHE_NAME_VARIABLE, Runner
from momento_lambda.caching.serializers import JSON, Serializer
from momento_lambda.caching.trouble import Trouble
from momento_lambda.configuration import Configuration, on_lambda
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.runtime.clients import Client, ClientSource, GivenClient, shared_clients
from momento_lambda.ttl import Ttl
from momento_lambda.wire.arguments import cache_name as checked_cache_name

Id = TypeVar("Id", bound=Hashable)
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


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


@final
class Cache:
    """Cache-aside for functions, failing open: trouble with the cache is logged, and the loader answers.

    The client is built on first need and kept for the life of the process; on Lambda it starts connecting at once, so
    construct the cache at the top of the module. Caches that are configured alike share one client.

    Args:
        name: The cache on the server; None for what MOMENTO_CACHE_NAME says.
        default_ttl: How long values live where nothing else says: seconds, a timedelta, or text such as "5m".
        namespace: Part of every key, before the rest: values of another namespace are not seen.
        version: Part of every key: a new version sees none of the old one's values.
        serializer: What turns values into bytes and back.
        timeout: Seconds that one operation of the cache may take, retries included.
        connect_timeout: Seconds that the first connection may take.
        client: A client of your own, or a function that builds one, with timeouts of its own; None for the process's
            warm one, with the environment's token.

    Raises:
        InvalidArgumentError: A name that cannot be sent, a TTL that is not above 0, or a timeout that is not.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        default_ttl: Ttl = "5m",
        namespace: str = "",
        version: str = "",
        serializer: Serializer = JSON,
        timeout: float = 0.25,
        connect_timeout: float = 1.5,
        client: "Client | Callable[[], Client] | None" = None,
    ) -> None:
        # A name from the environment is checked on first use: what is set wrong there must not stop the function.
        self._name = os.environ.get(CACHE_NAME_VARIABLE) or None if name is None else checked_cache_name(name)
        self._default_ttl = default_ttl
        self._default_lifetime = Lifetime(None, default_ttl)
        self._prefix = f"{escape(namespace)}:{escape(version)}:" if namespace or version else ""
        self._aside = ReadAside(serializer, Trouble(self._name or ""))
        self._runner = Runner(_client_source(client, timeout, connect_timeout), self._name)
        self.aio = AsyncCache(self)

    @classmethod
    def from_env(cls, *, default_ttl: Ttl = "5m", namespace: str = "", version: str = "") -> "Cache":
        """Return the cache that MOMENTO_CACHE_NAME names, on the warm client with the environment's token.

        Missing variables are no error here: they are logged on first use, and the loaders answer.
        """
        return cls(default_ttl=default_ttl, namespace=namespace, version=version)

    @property
    def name(self) -> str | None:
        """The cache on the server, or None where the environment should have named it."""
        return self._name

    # A coroutine function is a function too: the first signature that fits is meant.
    @overload
    def cached(  # type: ignore[overload-overlap]  # see above
        self, function: Callable[P, Coroutine[Any, Any, Cacheable[T] | NoStore[T]]], /
    ) -> CachedCoroutine[P, T]: ...
    @overload
    def cached(  # type: ignore[overload-overlap]  # see above
        self, function: Callable[P, Coroutine[Any, Any, T]], /
    ) -> CachedCoroutine[P, T]: ...
    @overload
    def cached(self, function: Callable[P, Cacheable[T] | NoStore[T]], /) -> CachedFunction[P, T]: ...
    @overload
    def cached(self, function: Callable[P, T], /) -> CachedFunction[P, T]: ...
    @overload
    def cached(
        self,
        function: None = None,
        /,
        *,
        ttl: Ttl | TtlOfValue | None = None,
        key: str | None = None,
        ignore: Iterable[str] = (),
    ) -> CachedDecorator: ...
    def cached(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        ttl: Ttl | TtlOfValue | None = None,
        key: str | None = None,
        ignore: Iterable[str] = (),
    ) -> Any:
        """Decorate a function so that it is called only where the cache does not hold the value for its arguments.

        Works bare and called, on plain functions, coroutine functions and methods; None is a value like any other.
        A function may return `Cacheable(value, ttl=...)` or `NoStore(value)`, of which callers get the value.

        Args:
            function: What to decorate, where the decorator stands without parentheses.
            ttl: How long values live, or a function of the value; None for the cache's default.
            key: A template of the key, as in "article:{slug}"; None for the function's name and all its arguments.
            ignore: Parameters that the value does not depend on.

        Raises:
            InvalidArgumentError: A TTL that is not above 0, a template that names no parameter, or not a function.
                When called: an argument that cannot be part of a key.
        """

        def decorate(function: Callable[..., Any]) -> Any:
            check_cacheable(function)
            function_key = FunctionKey(function, prefix=self._prefix, template=key, ignore=ignore)
            lifetime = self._lifetime(ttl)
            handle = CachedCoroutine if iscoroutinefunction(function) else CachedFunction
            return handle(function, function_key, lambda key: self._aside.one(key, lifetime), self._runner)

        return decorate if function is None else decorate(function)

    def get_or_load(self, key: str, loader: Callable[[], Any], *, ttl: Ttl | TtlOfValue | None = None) -> Any:
        """Return the value under a key; where it is missing, call the loader and store what it returns.

        Args:
            key: The key, to which namespace and version are added.
            loader: Called without arguments, at most once. What it raises is raised here.
            ttl: How long the value lives, or a function of the value; None for the cache's default.
        """
        read = self._aside.one(self._key(key), self._lifetime(ttl))
        return self._runner.run(read, loader).value

    def get_or_load_many(
        self,
        ids: Iterable[Id],
        loader: Callable[[list[Id]], Mapping[Id, Any]],
        *,
        key: str,
        ttl: Ttl | TtlOfValue | None = None,
    ) -> dict[Id, Any]:
        """Return the values of many ids: one round trip to read, one call for all that are missing, one to store.

        Args:
            ids: What to return the values of, in this order; an id named twice is answered once.
            loader: Called with the list of missing ids, at most once; returns values by id, and leaves out what is
                absent. What it raises is raised here.
            key: A template of the key with one `{}` for the id, as in "user:{}".
            ttl: How long values live, or a function of each value; None for the cache's default.
        """
        read = self._aside.many(self._keys(ids, key), self._lifetime(ttl))
        return self._runner.run(read, loader)

    @overload
    def handler(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R]: ...
    @overload
    def handler(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    def handler(self, function: Callable[..., Any], /) -> Callable[..., Any]:
        """Decorate a function's handler, plain or coroutine; the result is what Lambda calls.

        Event, context, return value and exceptions pass through untouched. A coroutine function runs on one event
        loop for the life of the process, so that its connections stay warm. A handler with a keyword-only parameter
        named `cache` is passed this cache.
        """
        return wrap_handler(function, self)

    def __repr__(self) -> str:
        return f"Cache({self._name!r})"

    def _lifetime(self, ttl: Ttl | TtlOfValue | None) -> Lifetime:
        return self._default_lifetime if ttl is None else Lifetime(ttl, self._default_ttl)

    def _key(self, key: str) -> str:
        if not isinstance(key, str):
            raise InvalidArgumentError(f"the key is of type {type(key).__name__}: give text")
        return shorten(self._prefix + key)

    def _keys(self, ids: Iterable[Id], template: str) -> dict[Id, str]:
        parsed = KeyTemplate(template)
        if parsed.names != ("",):
            raise InvalidArgumentError(f"the key template {template!r} needs exactly one {{}}, for the id")
        keys: dict[Id, str] = {}
        for id_ in ids:
            # The first of equal ids names the key: of 1 and True, a mapping holds one.
            if id_ not in keys:
                keys[id_] = self._key(parsed.fill({"": id_}))
        return keys


@final
class AsyncCache:
    """The helpers of a cache as coroutines, with the same configuration. Take it from `Cache.aio`."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def get_or_load(
        self, key: str, loader: Callable[[], Coroutine[Any, Any, Any]], *, ttl: Ttl | TtlOfValue | None = None
    ) -> Any:
        """Do what `Cache.get_or_load` does, with a loader that is awaited."""
        cache = self._cache
        read = cache._aside.one(cache._key(key), cache._lifetime(ttl))  # noqa: SLF001  # its other half
        return (await cache._runner.run_async(read, loader)).value  # noqa: SLF001  # as above

    async def get_or_load_many(
        self,
        ids: Iterable[Id],
        loader: Callable[[list[Id]], Coroutine[Any, Any, Mapping[Id, Any]]],
        *,
        key: str,
        ttl: Ttl | TtlOfValue | None = None,
    ) -> dict[Id, Any]:
        """Do what `Cache.get_or_load_many` does, with a loader that is awaited."""
        cache = self._cache
        read = cache._aside.many(cache._keys(ids, key), cache._lifetime(ttl))  # noqa: SLF001  # its other half
        return await cache._runner.run_async(read, loader)  # noqa: SLF001  # as above


def _client_source(
    client: "Client | Callable[[], Client] | None", timeout: float, connect_timeout: float
) -> ClientSource:
    if client is not None:
        return GivenClient(client)
    clients = shared_clients(Configuration.detect().replace(timeout=timeout), connect_timeout)
    if on_lambda():
        clients.start()
    return clients
