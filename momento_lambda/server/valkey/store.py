"""Caches on a Valkey or Redis, which any number of gateways share."""

import logging
import secrets
from typing import Final, final

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server import clock as clocks
from momento_lambda.server.clock import Clock
from momento_lambda.server.store_url import StoreUrl
from momento_lambda.server.valkey.connections import connections
from momento_lambda.server.valkey.generations import LIST_KEY, Generations, cache_names, item_prefix
from momento_lambda.server.valkey.keyspace import ValkeyKeyspace
from momento_lambda.server.valkey.router import Router
from momento_lambda.server.valkey.scripts import DELETE_CACHE, FLUSH_CACHE
from momento_lambda.server.valkey.topology import Cluster, OnePrimary

_log: Final = logging.getLogger("momento_lambda.server")

_TOKEN_BYTES: Final = 9


@final
class ValkeyStore:
    """Caches that outlive this process.

    Args:
        url: Where they are.
        clock: The time by which what is remembered of the list of caches grows old. Items go by the store's own time.
    """

    def __init__(self, url: StoreUrl, *, clock: Clock = clocks.monotonic) -> None:
        self._url = url
        topology = Cluster(url.addresses) if url.cluster else OnePrimary(url.addresses)
        self._router = Router(topology, connections(url))
        self._clock = clock
        self._generations = Generations(self._router, clock)

    async def start(self) -> None:
        """Connect, and see that the store will keep what it is given.

        Raises:
            UnavailableError: It cannot be reached.
            InvalidArgumentError: It is another kind of deployment than the URL says, or it would evict the list of
                caches.
        """
        try:
            await self._router.start()
            for facts in await self._router.ask_each(("INFO",)):
                self._check(_facts(facts))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of all connections."""
        await self._generations.close()
        await self._router.close()

    async def ping(self) -> None:
        """Return once a primary has answered: the keys of those that do can be served.

        Raises:
            UnavailableError: None does.
        """
        await self._router.ask_any(("PING",))

    def usage(self) -> None:
        """Return None: the store would have to look at every item."""

    async def create_cache(self, name: str) -> bool:
        """Create an empty cache, and return False where it existed."""
        return bool(await self._router.ask(self._list_slot, ("HSETNX", LIST_KEY, name, _token())))

    async def delete_cache(self, name: str) -> bool:
        """Delete a cache with its items, and return False where there was none."""
        done = await DELETE_CACHE.run(self._router, self._list_slot, [LIST_KEY], name, _token())
        self._generations.forget()
        return bool(done)

    async def flush_cache(self, name: str) -> bool:
        """Delete a cache's items, and return False where there is no such cache."""
        done = await FLUSH_CACHE.run(self._router, self._list_slot, [LIST_KEY], name, _token(), _token())
        self._generations.forget()
        return bool(done)

    async def cache_names(self) -> list[str]:
        """Return the names of all caches, in the order of the alphabet."""
        return cache_names(await self._router.ask(self._list_slot, ("HKEYS", LIST_KEY), read=True))

    async def open(self, name: str) -> ValkeyKeyspace | None:
        """Return a cache's items for one call, or None where there is no such cache."""
        generation = await self._generations.current(name)
        return None if generation is None else ValkeyKeyspace(self._router, item_prefix(generation))

    @property
    def _list_slot(self) -> int:
        return self._router.slot(LIST_KEY)

    def _check(self, facts: dict[str, str]) -> None:
        if facts.get("cluster_enabled") == "1" and not self._url.cluster:
            raise InvalidArgumentError(
                f"the store at {self._url} is part of a cluster: begin its URL with valkey-cluster://"
            )
        policy = facts.get("maxmemory_policy", "unknown")
        if policy.startswith("allkeys"):
            raise InvalidArgumentError(
                f"the store at {self._url} has the maxmemory-policy {policy}, under which it may evict the list of "
                "caches: set it to noeviction"
            )
        if policy != "noeviction":
            _log.warning(
                "the store at %s has the maxmemory-policy %s, under which items may go before their time: "
                "set it to noeviction, so that a full store refuses writes instead",
                self._url,
                policy,
            )


def _token() -> bytes:
    """Return what no other generation or version is."""
    return secrets.token_urlsafe(_TOKEN_BYTES).encode()


def _facts(info: bytes) -> dict[str, str]:
    """Return what a node says of itself."""
    pairs = (line.partition(":") for line in info.decode().splitlines())
    return {name: value for name, _, value in pairs}
