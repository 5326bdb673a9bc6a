"""Reads carried out: the steps of `read_aside` with a client and a loader, for threads and for coroutines."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar, final

from momento_lambda.caching.read_aside import Get, Load, Step, Store
from momento_lambda.errors import InvalidArgumentError, MomentoError
from momento_lambda.runtime.clients import ClientSource

T = TypeVar("T")

CACHE_NAME_VARIABLE = "MOMENTO_CACHE_NAME"


@final
class Runner:
    """Carries out reads of one cache.

    Only what the client raises counts as trouble with the cache; what the loader raises is the caller's.

    Args:
        clients: Where the client comes from.
        cache_name: The cache; None when the environment should have named it and did not.
    """

    __slots__ = ("_cache_name", "_clients")

    def __init__(self, clients: ClientSource, cache_name: str | None) -> None:
        self._clients = clients
        self._cache_name = cache_name

    def run(self, read: Generator[Step, Any, T], load: Callable[..., Any]) -> T:
        """Carry out a read with the client for threads."""
        outcome: Any = None
        while True:
            try:
                step = read.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            # Outside the try: a loader may raise StopIteration too.
            outcome = load(*step.arguments) if isinstance(step, Load) else self._ask(step)

    async def run_async(self, read: Generator[Step, Any, T], load: Callable[..., Awaitable[Any]]) -> T:
        """Carry out a read with the client of the running event loop."""
        outcome: Any = None
        while True:
            try:
                step = read.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            outcome = await load(*step.arguments) if isinstance(step, Load) else await self._ask_async(step)

    def _ask(self, step: Get | Store) -> Any:
        try:
            name, client = self._name(), self._clients.for_threads()
            match step:
                case Get(keys=[key]):
                    return (client.get(name, key),)
                case Get(keys=keys):
                    return client.get_multi(name, keys)
                case Store(items=items, ttls=ttls) if len(items) == 1:
                    ((key, value),) = items.items()
                    return client.set(name, key, value, ttls[key])
                case Store(items=items, ttls=ttls):
                    return client.set_multi(name, items, ttls=ttls)
        except MomentoError as error:
            return error

    async def _ask_async(self, step: Get | Store) -> Any:
        try:
            name, client = self._name(), await self._clients.for_loop()
            match step:
                case Get(keys=[key]):
                    return (await client.get(name, key),)
                case Get(keys=keys):
                    return await client.get_multi(name, keys)
                case Store(items=items, ttls=ttls) if len(items) == 1:
                    ((key, value),) = items.items()
                    return await client.set(name, key, value, ttls[key])
                case Store(items=items, ttls=ttls):
                    return await client.set_multi(name, items, ttls=ttls)
        except MomentoError as error:
            return error

    def _name(self) -> str:
        if self._cache_name is None:
            raise InvalidArgumentError(f"no cache is named: set {CACHE_NAME_VARIABLE}, or pass a name to Cache()")
        return self._cache_name
