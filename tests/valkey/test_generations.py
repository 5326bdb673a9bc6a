"""What gateways that share a store see of each other's changes to the list of caches."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from momento_lambda.errors import UnavailableError
from momento_lambda.server import ManualClock
from momento_lambda.server.store import Item
from momento_lambda.server.valkey.generations import BOUND_SECONDS, OUTAGE_SECONDS, item_prefix
from momento_lambda.server.valkey.keyspace import ValkeyKeyspace
from momento_lambda.server.valkey.store import ValkeyStore
from momento_lambda.testing.redis_cluster import RedisCluster
from momento_lambda.testing.redis_server import RedisServer

if TYPE_CHECKING:
    from tests.valkey.conftest import Start

ITEM = Item(b"key", b"value", 60_000)


@pytest.fixture
def clock() -> ManualClock:
    """The time of the other gateway."""
    return ManualClock()


@pytest.fixture
async def gateway(redis: RedisServer, start: "Start") -> ValkeyStore:
    """A gateway that makes changes."""
    return await start(f"valkey://{redis.address}")


@pytest.fixture
async def other(redis: RedisServer, start: "Start", clock: ManualClock) -> ValkeyStore:
    """A gateway that should see them."""
    return await start(f"valkey://{redis.address}", clock=clock)


async def opened(store: ValkeyStore, name: str = "cache") -> ValkeyKeyspace:
    """Return the items of a cache that is there."""
    items = await store.open(name)
    assert items is not None
    return items


async def test_a_new_cache_is_seen_at_once(gateway: ValkeyStore, other: ValkeyStore) -> None:
    """Also by a gateway that was just told that there is none, and however little time has passed."""
    assert await other.open("cache") is None
    assert await gateway.create_cache("cache")
    await (await opened(gateway)).set(ITEM)
    assert b"value" == await (await opened(other)).get(b"key")
    assert not await other.create_cache("cache")
    assert ["cache"] == await other.cache_names()


@pytest.mark.parametrize("change", ["delete_cache", "flush_cache"])
async def test_what_is_gone_is_seen_within_the_bound(
    gateway: ValkeyStore, other: ValkeyStore, clock: ManualClock, change: str
) -> None:
    """A cache that was deleted or flushed is served as it was for no longer than the bound, by another gateway."""
    await gateway.create_cache("cache")
    await (await opened(gateway)).set(ITEM)
    assert b"value" == await (await opened(other)).get(b"key")

    assert await getattr(gateway, change)("cache")

    mine = await gateway.open("cache")
    assert mine is None if change == "delete_cache" else await opened(gateway)
    assert b"value" == await (await opened(other)).get(b"key")
    clock.advance(BOUND_SECONDS + 0.001)
    if change == "delete_cache":
        assert await other.open("cache") is None
    else:
        assert await (await opened(other)).get(b"key") is None


async def test_a_busy_gateway_sees_it_sooner(gateway: ValkeyStore, other: ValkeyStore, clock: ManualClock) -> None:
    """From half of the bound on a call has the list asked for, without waiting for the answer."""
    await gateway.create_cache("cache")
    await opened(other)
    await gateway.delete_cache("cache")
    clock.advance(BOUND_SECONDS * 0.6)
    assert await other.open("cache") is not None
    async with asyncio.timeout(20):
        while await other.open("cache") is not None:  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)


async def test_a_cache_made_anew_is_another(gateway: ValkeyStore, other: ValkeyStore, clock: ManualClock) -> None:
    """Of the items of a deleted cache, one of the same name has none, although they still are in the store."""
    await gateway.create_cache("cache")
    await (await opened(gateway)).set(ITEM)
    await opened(other)
    await gateway.delete_cache("cache")
    await gateway.create_cache("cache")
    clock.advance(BOUND_SECONDS + 0.001)
    for store in (gateway, other):
        assert await (await opened(store)).get(b"key") is None


async def test_other_caches_are_left_alone(gateway: ValkeyStore, other: ValkeyStore, clock: ManualClock) -> None:
    """A change of one cache makes nobody lose another."""
    for name in ("cache", "kept"):
        await gateway.create_cache(name)
    await (await opened(gateway, "kept")).set(ITEM)
    await opened(other, "kept")
    await gateway.flush_cache("cache")
    clock.advance(BOUND_SECONDS + 0.001)
    assert b"value" == await (await opened(other, "kept")).get(b"key")


async def test_flushing_does_not_take_longer_with_more_items(redis: RedisServer, gateway: ValkeyStore) -> None:
    """What was flushed is not touched: it stays until its time is over."""
    await gateway.create_cache("cache")
    await (await opened(gateway)).set_many([Item(b"%d" % number, b"", 60_000) for number in range(1_000)])
    redis.command("CONFIG", "RESETSTAT")
    await gateway.flush_cache("cache")
    assert b":1001\r\n" == redis.command("DBSIZE")
    # The scripts, and what they ask for.
    assert calls(redis) <= 6


async def test_a_read_is_one_round_trip(redis: RedisServer, gateway: ValkeyStore) -> None:
    """However many reads there are, the list is asked for a few times in a bound, whatever the number of caches."""
    names = [f"cache-{number}" for number in range(20)]
    for name in names:
        await gateway.create_cache(name)
        await opened(gateway, name)
    redis.command("CONFIG", "RESETSTAT")
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(1_000):
        await (await opened(gateway, names[number % 20])).get(b"key")
    passed = loop.time() - began
    assert 1_000 == calls(redis, "get")
    assert calls(redis, "hmget") <= 1 + passed / (BOUND_SECONDS / 2)


async def test_an_outage_of_the_list_is_outlived(start: "Start", clock: ManualClock) -> None:
    """While the node that keeps the list is gone, a cache that is known is served, for as long as a failover takes."""
    with RedisServer() as server:
        store = await start(f"valkey://{server.address}", clock=clock)
        await store.create_cache("cache")
        await opened(store)
        server.kill()
        for _ in range(3):
            clock.advance(OUTAGE_SECONDS / 4)
            await opened(store)
        with pytest.raises(UnavailableError):
            await store.open("never-seen")
        clock.advance(OUTAGE_SECONDS / 4 + 0.001)
        with pytest.raises(UnavailableError):
            await store.open("cache")


def test_no_caller_chooses_a_slot(cluster: RedisCluster) -> None:
    """Items are spread over the nodes of a cluster, also those whose keys have braces, by which a cluster groups."""
    node = cluster.primaries[0]
    slots = {node.command("CLUSTER", "KEYSLOT", item_prefix(b"g") + b"{same}%d" % number) for number in range(20)}
    assert len(slots) > 15


def calls(redis: RedisServer, command: str | None = None) -> int:
    """Return how many commands a node was sent since that was last forgotten, of one kind or of all."""
    lines = redis.command("INFO", "commandstats").decode().splitlines()
    counts = {
        line.split(":")[0].removeprefix("cmdstat_"): int(line.split("=")[1].split(",")[0])
        for line in lines[2:]
        if "=" in line
    }
    return counts.get(command, 0) if command else sum(counts.values())
