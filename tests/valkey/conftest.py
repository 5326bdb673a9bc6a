"""Parts of the store on Redis, each against real nodes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import pytest

from momento_lambda.server import clock as clocks
from momento_lambda.server.clock import Clock
from momento_lambda.server.store_url import Address, StoreUrl
from momento_lambda.server.valkey.connections import connections
from momento_lambda.server.valkey.link import PATIENCE_SECONDS, Connect, Link
from momento_lambda.server.valkey.store import ValkeyStore
from momento_lambda.testing.redis_cluster import RedisCluster
from momento_lambda.testing.redis_server import RedisServer

MakeLink: TypeAlias = Callable[..., Link]
Start: TypeAlias = Callable[..., Awaitable[ValkeyStore]]
Until: TypeAlias = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """One node, empty."""
    redis_server.command("FLUSHALL")
    return redis_server


@pytest.fixture
def cluster(redis_cluster: RedisCluster) -> RedisCluster:
    """Three primaries, empty."""
    for node in redis_cluster.primaries:
        node.command("FLUSHALL")
    return redis_cluster


@pytest.fixture
def connect() -> Connect:
    """Make connections without a name and password."""
    return connections(StoreUrl((Address("127.0.0.1", 1),)))


@pytest.fixture
async def link(connect: Connect) -> AsyncIterator[MakeLink]:
    """Make links to a port of this machine, which are closed when the test ends."""
    async with AsyncExitStack() as stack:

        def make(port: int, *, patience: float = PATIENCE_SECONDS) -> Link:
            link = Link(Address("127.0.0.1", port), connect, patience=patience)
            stack.push_async_callback(link.close)
            return link

        yield make


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start stores at URLs, which are closed when the test ends."""
    async with AsyncExitStack() as stack:

        async def make(url: str, *, clock: Clock = clocks.monotonic) -> ValkeyStore:
            store = ValkeyStore(StoreUrl.parse(url), clock=clock)
            await store.start()
            stack.push_async_callback(store.close)
            return store

        yield make


@pytest.fixture
def until() -> Until:
    """Wait until something is true that nobody is told of."""

    async def wait(true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not true():  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.002)

    return wait
