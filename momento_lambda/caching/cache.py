"""A cache beside functions, on one warm client."""

# What not every function uses is imported where it is used: a cold start waits for what is imported here.

import contextlib
import functools
import os
import time
from collections.abc import Callable, Coroutine, Hashable, Iterable, Iterator, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, final, overload

from momento_lambda.caching.breaker import Breaker
from momento_lambda.caching.cache_keys import CacheKeys, Namespace
from momento_lambda.caching.cached import CachedCoroutine, CachedFunction, check_cacheable
from momento_lambda.caching.events import Observer, Observers, Recording, Statistics
from momento_lambda.caching.handler import wrap_handler
from momento_lambda.caching.lifetime import TtlOfValue
from momento_lambda.caching.local_tier import LocalTier
from momento_lambda.caching.options import INHERIT, EarlyRefresh, Inherit, OnCacheError, Options, default_policy
from momento_lambda.caching.outcomes import Cacheable, NoStore
from momento_lambda.caching.remote import CACHE_NAME_VARIABLE
from momento_lambda.caching.return_types import return_type, value_type
from momento_lambda.caching.serializers import JSON, Serializer
from momento_lambda.caching.workings import assemble
from momento_lambda.chance import system_chance
from momento_lambda.configuration import on_lambda
from momento_lambda.runtime.clients import Client, client_source
from momento_lambda.runtime.credential_source import FindCredentials
from momento_lambda.ttl import Ttl
from momento_lambda.wire.arguments import cache_name as checked_cache_name

if TYPE_CHECKING:
    from momento_lambda.caching.async_cache import AsyncCache
    from momento_lambda.caching.decorators import CachedDecorator, CachedManyDecorator, HandlerDecorator

_METRICS_NAMESPACE_VARIABLE = "MOMENTO_METRICS_NAMESPACE"

Id = TypeVar("Id", bound=Hashable)
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


@final
class Cache:
    """Cache-aside for functions, failing open: trouble with the cache is logged, and the loader answers.

    The client is built on first need and kept for the life of the process; on Lambda it starts connecting at once, so
    construct the cache at the top of the module. Caches that are configured alike share one client.

    Args:
        name: The cache on the server; None for what MOMENTO_CACHE_NAME says.
        default_ttl: How long values live where nothing else says: seconds, a timedelta, or text such as "5m".
        max_ttl: The longest that any value lives, `stale` included; what asks for more is cut, with a remark.
        negative_ttl: How long None and what a batch left out are remembered; None for as long as any other value.
        namespace: Part of every key, before the rest, or a function that says it at each call (the tenant, say).
        version: Part of every key: a new version sees none of the old one's values.
        jitter: The part by which a TTL is shortened at most, so that what was stored together is not gone together.
        stale: How long past its TTL a value may be served while it is loaded anew, or when its loader fails.
        early_refresh: How early a value is loaded anew before its TTL is over: a factor, 1 for the rule of XFetch;
            "auto" for 1 where that can run beside a handler and not at all elsewhere; None for not at all.
        lease: Whether one process loads while the others wait for it, or how long that may take at most.
        local_tier: Values kept in this process, in front of the remote cache; None for none.
        serializer: What turns values into bytes and back.
        compress_over: Values of more bytes than this are compressed; None for never.
        raw: Whether values are stored without a header, for readers in other languages; without a header nothing is
            served stale, refreshed early or remembered as absent.
        on_cache_error: "load" to call the loader when the cache cannot be read, "raise" to raise instead. With
            "raise", `put` raises too what keeps it from storing, a value that cannot be stored included. A value that
            a loader has returned reaches its caller either way, whatever becomes of storing it.
        timeout: Seconds that one operation of the cache may take, retries included.
        connect_timeout: Seconds that the first connection may take.
        breaker: What leaves the cache alone after failures in a row; None for one of its own.
        client: A client of your own, or a function that builds one, with timeouts of its own; None for the process's
            warm one, with the environment's token.
        credentials: Returns the token, or a CredentialProvider, for the process's warm client; None for what the
            environment says. It is asked again when the server refuses what it returned.
        observers: Who is told of everything that happens.
        decode_loaded: Whether a loaded value is passed through its bytes before callers get it, as a hit would be.
            For tests: what does not come back as it was is seen at once.
        now_ms: Milliseconds since 1970, for tests.
        chance: A number in [0, 1), for tests.

    Raises:
        InvalidArgumentError: A name that cannot be sent, a TTL that is not above 0, or another option out of range.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        default_ttl: Ttl = "5m",
        max_ttl: Ttl = "1d",
        negative_ttl: Ttl | None = "30s",
        namespace: Namespace = "",
        version: str = "",
        jitter: float = 0.1,
        stale: Ttl = 0,
        early_refresh: EarlyRefresh = "auto",
        lease: bool | Ttl = False,
        local_tier: LocalTier | None = None,
        serializer: Serializer = JSON,
        compress_over: int | None = 8192,
        raw: bool = False,
        on_cache_error: OnCacheError = "load",
        timeout: float = 0.25,
        connect_timeout: float = 1.5,
        breaker: Breaker | None = None,
        client: "Client | Callable[[], Client] | None" = None,
        credentials: FindCredentials | None = None,
        observers: Sequence[Observer] = (),
        decode_loaded: bool = False,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        chance: Callable[[], float] = system_chance,
    ) -> None:
        # A name from the environment is checked on first use: what is set wrong there must not stop the function.
        self._name = os.environ.get(CACHE_NAME_VARIABLE) or None if name is None else checked_cache_name(name)
        options = Options(
            default_ttl=default_ttl,
            max_ttl=max_ttl,
            negative_ttl=negative_ttl,
            jitter=jitter,
            stale=stale,
            early_refresh=early_refresh,
            lease=lease,
            serializer=serializer,
            compress_over=compress_over,
            raw=raw,
            local_tier=local_tier is not None,
            on_cache_error=on_cache_error,
            decode_loaded=decode_loaded,
            chance=chance,
        )
        policy = default_policy(options)
        self._keys = CacheKeys(namespace, version)
        self._breaker = breaker or Breaker()
        self._observers = Observers(self._name or "", tuple(observers))
        self._clients = client_source(client, timeout, connect_timeout, credentials)
        self._workings = assemble(
            self._name,
            self._clients,
            options,
            default_policy=policy,
            breaker=self._breaker,
            tier=local_tier,
            observers=self._observers,
            now_ms=now_ms,
        )

    @functools.cached_property
    def aio(self) -> "AsyncCache":
        """The same cache for coroutines."""
        from momento_lambda.caching.async_cache import AsyncCache  # noqa: PLC0415  # see the module's head

        return AsyncCache(self._workings, self._keys)

    @classmethod
    def from_env(cls, *, default_ttl: Ttl = "5m", namespace: Namespace = "", version: str = "") -> "Cache":
        """Return the cache that MOMENTO_CACHE_NAME names, on the warm client with the environment's token.

        Missing variables are no error here: they are logged on first use, and the loaders answer.
        """
        return cls(default_ttl=default_ttl, namespace=namespace, version=version)

    @property
    def name(self) -> str | None:
        """The cache on the server, or None where the environment should have named it."""
        return self._name

    @property
    def stats(self) -> Statistics:
        """What was counted, since the process began or the handler's invocation did."""
        return self._observers.statistics

    @contextlib.contextmanager
    def observe(self) -> Iterator[Recording]:
        """Record what happens while the block lasts.

        Example:
            with cache.observe() as seen:
                get_user("1")
            assert seen.kinds == ["hit"]
        """
        recording = Recording()
        with self._observers.listening(recording):
            yield recording

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
        negative_ttl: Ttl | Inherit | None = INHERIT,
        stale: Ttl | None = None,
        early_refresh: EarlyRefresh | Inherit = INHERIT,
        lease: bool | Ttl | None = None,
        local_ttl: Ttl | None = None,
        serializer: Serializer | None = None,
        store_if: Callable[[Any], bool] | None = None,
        raw: bool | None = None,
    ) -> "CachedDecorator": ...
    def cached(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        ttl: Ttl | TtlOfValue | None = None,
        key: str | None = None,
        ignore: Iterable[str] = (),
        negative_ttl: Ttl | Inherit | None = INHERIT,
        stale: Ttl | None = None,
        early_refresh: EarlyRefresh | Inherit = INHERIT,
        lease: bool | Ttl | None = None,
        local_ttl: Ttl | None = None,
        serializer: Serializer | None = None,
        store_if: Callable[[Any], bool] | None = None,
        raw: bool | None = None,
    ) -> Any:
        """Decorate a function so that it is called only where the cache does not hold the value for its arguments.

        Works bare and called, on plain functions, coroutine functions and methods; None is a value like any other.
        Every caller gets an object of its own, also where several wait for one load, unless the value is not stored.
        A function may return `Cacheable(value, ttl=...)` or `NoStore(value)`, of which callers get the value.
        Options that are not given are the cache's own.

        Args:
            function: What to decorate, where the decorator stands without parentheses.
            ttl: How long values live, or a function of the value.
            key: A template of the key, as in "article:{slug}"; None for the function's name and all its arguments.
            ignore: Parameters that the value does not depend on.
            negative_ttl: How long a None lives; None for as long as any other value.
            stale: How long past its TTL a value may be served in need.
            early_refresh: How early a value is loaded anew before its time.
            lease: Whether, or for how long, one process loads while others wait for it.
            local_ttl: The longest time that the tier in this process serves a value.
            serializer: What turns values into bytes and back.
            store_if: Asked of each value, whether to store it.
            raw: Whether values are stored without a header.

        Raises:
            InvalidArgumentError: A TTL that is not above 0, a template that names no parameter, or not a function.
                When called: an argument that cannot be part of a key.
        """

        def decorate(function: Callable[..., Any]) -> Any:
            check_cacheable(function)
            policy = self._workings.options.policy(
                ttl=ttl,
                negative_ttl=negative_ttl,
                stale=stale,
                early_refresh=early_refresh,
                lease=lease,
                local_ttl=local_ttl,
                serializer=serializer,
                store_if=store_if,
                raw=raw,
                returns=return_type(function),
            )
            handle = CachedCoroutine if iscoroutinefunction(function) else CachedFunction
            return handle(function, self._keys.of_function(function, key, ignore), policy, self._workings)

        return decorate if function is None else decorate(function)

    def cached_many(
        self,
        *,
        key: str,
        param: str = "ids",
        ignore: Iterable[str] = (),
        ttl: Ttl | TtlOfValue | None = None,
        negative_ttl: Ttl | Inherit | None = INHERIT,
        stale: Ttl | None = None,
        local_ttl: Ttl | None = None,
        serializer: Serializer | None = None,
        store_if: Callable[[Any], bool] | None = None,
        raw: bool | None = None,
    ) -> "CachedManyDecorator":
        """Decorate a function that takes ids and returns values by id, so that it is called with missing ids alone.

        Ids that it leaves out are absent from the answer too, and remembered as absent for `negative_ttl`.

        Args:
            key: A template of the key with `{id}` in it, and with other parameters, as in "price:{region}:{id}".
            param: The parameter that takes the ids.
            ignore: Parameters that the values do not depend on.
            ttl: How long values live, or a function of id and value.
            negative_ttl: How long absences and None live.
            stale: How long past its TTL a value may be served in need.
            local_ttl: The longest time that the tier in this process serves a value.
            serializer: What turns values into bytes and back.
            store_if: Asked of each value, whether to store it.
            raw: Whether values are stored without a header.

        Raises:
            InvalidArgumentError: As `cached`; or the function has no such parameter.
        """
        from momento_lambda.caching.batch_keys import BatchKeys  # noqa: PLC0415  # see the module's head
        from momento_lambda.caching.cached_many import CachedManyCoroutine, CachedManyFunction  # noqa: PLC0415  # as above

        def decorate(function: Callable[..., Any]) -> Any:
            check_cacheable(function)
            policy = self._workings.options.policy(
                ttl=ttl,
                negative_ttl=negative_ttl,
                stale=stale,
                local_ttl=local_ttl,
                serializer=serializer,
                store_if=store_if,
                raw=raw,
                returns=value_type(return_type(function)),
            )
            keys = BatchKeys(function, param=param, template=key, prefix=self._keys.prefix, ignore=ignore)
            handle = CachedManyCoroutine if iscoroutinefunction(function) else CachedManyFunction
            return handle(function, keys, policy, self._workings)

        return decorate

    @overload
    def get_or_load(
        self, key: str, loader: Callable[[], Cacheable[T] | NoStore[T]], *, ttl: Ttl | TtlOfValue | None = None
    ) -> T: ...
    @overload
    def get_or_load(self, key: str, loader: Callable[[], T], *, ttl: Ttl | TtlOfValue | None = None) -> T: ...
    def get_or_load(self, key: str, loader: Callable[[], Any], *, ttl: Ttl | TtlOfValue | None = None) -> Any:
        """Return the value under a key; where it is missing, call the loader and store what it returns.

        Args:
            key: The key, to which namespace and version are added.
            loader: Called without arguments, at most once. What it raises is raised here.
            ttl: How long the value lives, or a function of the value; None for the cache's default.
        """
        plan = self._workings.reads.one(self._keys.key(key), self._workings.policy(ttl))
        return self._workings.runner.run(plan, loader).value

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
                absent, which is then remembered. What it raises is raised here.
            key: A template of the key with one `{}` for the id, as in "user:{}".
            ttl: How long values live, or a function of id and value; None for the cache's default.
        """
        plan = self._workings.batches.many(self._keys.by_id(ids, key), self._workings.policy(ttl))
        found: dict[Id, Any] = self._workings.runner.run(plan, loader)
        return found

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value under a key; the default where there is none, or the cache does not answer."""
        plan = self._workings.reads.peek(self._keys.key(key), self._workings.default_policy)
        found = self._workings.runner.run(plan, _no_loader)
        return default if found is None else found.value

    def put(self, key: str, value: Any, *, ttl: Ttl | TtlOfValue | None = None) -> bool:
        """Store a value, and return whether the cache took it."""
        plan = self._workings.writes.put(self._keys.key(key), value, self._workings.policy(ttl))
        return bool(self._workings.runner.run(plan, _no_loader))

    def invalidate(self, key: str, *, strict: bool = False) -> bool:
        """Remove the value under a key, and return whether the cache did.

        Loads of the key that are under way in this process return to their callers and are not stored.

        Args:
            key: The key.
            strict: Whether a failure is raised; else it is logged as an error, since what is stored is then wrong.
        """
        plan = self._workings.writes.invalidate(self._keys.key(key), strict=strict)
        return bool(self._workings.runner.run(plan, _no_loader))

    def write_through(self, key: str, value: T, writer: Callable[[T], R], *, ttl: Ttl | TtlOfValue | None = None) -> R:
        """Have a value written where it belongs, then store it, and return what the writer returned.

        Args:
            key: The key.
            value: The value.
            writer: Writes it where it belongs. What it raises is raised here, and the cache is as it was.
            ttl: How long the value lives in the cache.
        """
        plan = self._workings.writes.write_through(self._keys.key(key), value, self._workings.policy(ttl))
        written: R = self._workings.runner.run(plan, writer)
        return written

    @overload
    def handler(self, function: None = None, /, *, metrics_namespace: str | None = None) -> "HandlerDecorator": ...
    @overload
    def handler(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Callable[P, R]: ...
    @overload
    def handler(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    def handler(
        self, function: Callable[..., Any] | None = None, /, *, metrics_namespace: str | None = None
    ) -> Callable[..., Any]:
        """Decorate a function's handler, plain or coroutine; the result is what Lambda calls.

        Event, context, return value and exceptions pass through untouched. A coroutine function runs on one event
        loop for the life of the process, so that its connections stay warm; on Lambda that loop begins to connect when
        the function is decorated. A handler with a keyword-only parameter named `cache` is passed this cache. Values
        that are loaded anew beside the handler are joined before it returns. `stats` count from nothing in each
        invocation.

        Args:
            function: The handler, where the decorator stands without parentheses.
            metrics_namespace: The CloudWatch namespace under which the metrics of each invocation are printed in the
                embedded metric format; None for what MOMENTO_METRICS_NAMESPACE says, and for none where that is not
                set.
        """
        namespace = metrics_namespace or os.environ.get(_METRICS_NAMESPACE_VARIABLE)

        def connect() -> None:
            if on_lambda():
                self._clients.start_for_loop()

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            return wrap_handler(function, self, connect=connect, measured=lambda: self._measured(namespace))

        return decorate if function is None else decorate(function)

    @contextlib.contextmanager
    def _measured(self, namespace: str | None) -> Iterator[None]:
        """Count an invocation from nothing, and print its metrics where they have a namespace."""
        self.stats.reset()
        if not namespace:
            yield
            return
        from momento_lambda.caching.emf import InvocationMetrics  # noqa: PLC0415  # see the module's head

        metrics = InvocationMetrics(self._name or "", namespace, self._breaker)
        with self._observers.listening(metrics):
            try:
                yield
            finally:
                metrics.write()

    def __repr__(self) -> str:
        return f"Cache({self._name!r})"


def _no_loader(*_: object) -> None:
    raise AssertionError("nothing is loaded here")
