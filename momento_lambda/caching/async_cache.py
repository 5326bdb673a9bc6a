"""What a cache does by key, as coroutines."""

from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping
from typing import Any, TypeVar, final, overload

from momento_lambda.caching.cache_keys import CacheKeys
from momento_lambda.caching.lifetime import TtlOfValue
from momento_lambda.caching.outcomes import Cacheable, NoStore
from momento_lambda.caching.workings import Workings
from momento_lambda.ttl import Ttl

Id = TypeVar("Id", bound=Hashable)
R = TypeVar("R")
T = TypeVar("T")


@final
class AsyncCache:
    """The same names as on `Cache`, as coroutines, with its configuration, breaker and statistics."""

    def __init__(self, workings: Workings, keys: CacheKeys) -> None:
        self._workings = workings
        self._keys = keys

    @overload
    async def get_or_load(
        self,
        key: str,
        loader: Callable[[], Coroutine[Any, Any, Cacheable[T] | NoStore[T]]],
        *,
        ttl: Ttl | TtlOfValue | None = None,
    ) -> T: ...
    @overload
    async def get_or_load(
        self, key: str, loader: Callable[[], Coroutine[Any, Any, T]], *, ttl: Ttl | TtlOfValue | None = None
    ) -> T: ...
    async def get_or_load(
        self, key: str, loader: Callable[[], Coroutine[Any, Any, Any]], *, ttl: Ttl | TtlOfValue | None = None
    ) -> Any:
        """Do what `Cache.get_or_load` does, with a loader that is awaited."""
        plan = self._workings.reads.one(self._keys.key(key), self._workings.policy(ttl))
        return (await self._workings.runner.run_async(plan, loader)).value

    async def get_or_load_many(
        self,
        ids: Iterable[Id],
        loader: Callable[[list[Id]], Coroutine[Any, Any, Mapping[Id, Any]]],
        *,
        key: str,
        ttl: Ttl | TtlOfValue | None = None,
    ) -> dict[Id, Any]:
        """Do what `Cache.get_or_load_many` does, with a loader that is awaited."""
        plan = self._workings.batches.many(self._keys.by_id(ids, key), self._workings.policy(ttl))
        found: dict[Id, Any] = await self._workings.runner.run_async(plan, loader)
        return found

    async def get(self, key: str, default: Any = None) -> Any:
        """Return the value under a key; the default where there is none, or the cache does not answer."""
        plan = self._workings.reads.peek(self._keys.key(key), self._workings.default_policy)
        found = await self._workings.runner.run_async(plan, _no_loader)
        return default if found is None else found.value

    async def put(self, key: str, value: Any, *, ttl: Ttl | TtlOfValue | None = None) -> bool:
        """Store a value, and return whether the cache took it."""
        plan = self._workings.writes.put(self._keys.key(key), value, self._workings.policy(ttl))
        return bool(await self._workings.runner.run_async(plan, _no_loader))

    async def invalidate(self, key: str, *, strict: bool = False) -> bool:
        """Do what `Cache.invalidate` does."""
        plan = self._workings.writes.invalidate(self._keys.key(key), strict=strict)
        return bool(await self._workings.runner.run_async(plan, _no_loader))

    async def write_through(
        self,
        key: str,
        value: T,
        writer: Callable[[T], Coroutine[Any, Any, R]],
        *,
        ttl: Ttl | TtlOfValue | None = None,
    ) -> R:
        """Do what `Cache.write_through` does, with a writer that is awaited."""
        plan = self._workings.writes.write_through(self._keys.key(key), value, self._workings.policy(ttl))
        written: R = await self._workings.runner.run_async(plan, writer)
        return written


async def _no_loader(*_: object) -> None:
    raise AssertionError("nothing is loaded here")
