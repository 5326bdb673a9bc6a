"""Slots that move while they are used."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from redis.asyncio.connection import AbstractConnection
from redis.crc import key_slot

from momento_lambda.errors import UnavailableError
from momento_lambda.server.store_url import Address
from momento_lambda.server.valkey.errors import OutcomeUnknownError
from momento_lambda.server.valkey.link import Connect
from momento_lambda.server.valkey.router import Router
from momento_lambda.server.valkey.scripts import EXIST, SET_MANY
from momento_lambda.server.valkey.topology import Cluster, OnePrimary
from momento_lambda.testing import FaultProxy
from momento_lambda.testing.redis_cluster import RedisCluster
from momento_lambda.testing.redis_server import RedisServer, free_port

if TYPE_CHECKING:
    from tests.valkey.conftest import Until

# Two keys of one slot, which begins on the first primary.
KEY, BESIDE = b"{b}1", b"{b}2"
SLOT = key_slot(KEY)


@pytest.fixture
async def router(cluster: RedisCluster, connect: Connect) -> AsyncIterator[Router]:
    """A router that knows where every slot is."""
    router = Router(Cluster([Address("127.0.0.1", cluster.primaries[2].port)]), connect)
    await router.start()
    yield router
    await router.close()


def set_slot(node: RedisServer, *state: str) -> None:
    """Tell a node about the slot."""
    assert b"+OK\r\n" == node.command("CLUSTER", "SETSLOT", str(SLOT), *state)


def name_of(node: RedisServer) -> str:
    """Return what nodes call a node."""
    return node.command("CLUSTER", "MYID").split()[1].decode()


@pytest.fixture
def source(cluster: RedisCluster) -> RedisServer:
    """The node that has the slot."""
    assert SLOT < 16_384 // 3
    return cluster.primaries[0]


@pytest.fixture
def target(cluster: RedisCluster, source: RedisServer) -> Iterator[RedisServer]:
    """The node that the slot moves to; it is moved back when the test ends."""
    target = cluster.primaries[1]
    yield target
    for node in (source, target):
        node.command("FLUSHALL")
        set_slot(node, "STABLE")
    # Refused where it never left. Only a node that imports a slot outbids what others still say of it.
    if b"+OK\r\n" == source.command("CLUSTER", "SETSLOT", str(SLOT), "IMPORTING", name_of(target)):
        set_slot(target, "MIGRATING", name_of(source))
        end_move(target, source)


def begin_move(source: RedisServer, target: RedisServer) -> None:
    """Have the target take what the source does not have any more."""
    set_slot(target, "IMPORTING", name_of(source))
    set_slot(source, "MIGRATING", name_of(target))


def move_key(source: RedisServer, target: RedisServer, key: bytes) -> None:
    """Move one key."""
    assert b"+OK\r\n" == source.command("MIGRATE", "127.0.0.1", str(target.port), key, "0", "1000")


def end_move(source: RedisServer, target: RedisServer) -> None:
    """Have the target own the slot."""
    for node in (target, source):
        set_slot(node, "NODE", name_of(target))


async def test_a_slot_that_has_moved_is_followed(router: Router, source: RedisServer, target: RedisServer) -> None:
    """Its keys are read and written at their new place, by all calls at once, and none of them fails."""
    begin_move(source, target)
    end_move(source, target)
    asked = [router.ask(SLOT, ("INCR", KEY)) for _ in range(50)]
    assert list(range(1, 51)) == sorted(await asyncio.gather(*asked))
    assert b"$2\r\n50\r\n" == target.command("GET", KEY)


async def test_a_slot_on_its_way(router: Router, source: RedisServer, target: RedisServer) -> None:
    """While a slot moves, keys that have moved are found at its new place and the others at the old one."""
    await router.ask(SLOT, ("SET", KEY, "moved"))
    await router.ask(SLOT, ("SET", BESIDE, "still here"))
    begin_move(source, target)
    move_key(source, target, KEY)
    assert b"moved" == await router.ask(SLOT, ("GET", KEY), read=True)
    assert b"still here" == await router.ask(SLOT, ("GET", BESIDE), read=True)
    assert 1 == await router.ask(SLOT, ("UNLINK", KEY))


async def test_keys_that_are_apart(router: Router, source: RedisServer, target: RedisServer) -> None:
    """While some keys of a slot have moved and others not, what needs both cannot be done yet, and soon can."""
    await SET_MANY.run(router, SLOT, [KEY, BESIDE], "1", 60_000, "2", 60_000)
    begin_move(source, target)
    move_key(source, target, KEY)
    with pytest.raises(UnavailableError, match="nothing was done"):
        await EXIST.run(router, SLOT, [KEY, BESIDE])
    asked = asyncio.create_task(EXIST.run(router, SLOT, [KEY, BESIDE]))
    await asyncio.sleep(0)
    move_key(source, target, BESIDE)
    end_move(source, target)
    assert [1, 1] == await asked


async def test_scripts_go_where_slots_go(router: Router, source: RedisServer, target: RedisServer) -> None:
    """A node that has never seen a script is given it."""
    for node in (source, target):
        node.command("SCRIPT", "FLUSH")
    await SET_MANY.run(router, SLOT, [KEY], "1", 60_000)
    begin_move(source, target)
    move_key(source, target, KEY)
    end_move(source, target)
    assert [1] == await EXIST.run(router, SLOT, [KEY])


@pytest.mark.parametrize("read", [True, False], ids=["read", "write"])
async def test_what_is_asked_twice(redis: RedisServer, connect: Connect, until: "Until", *, read: bool) -> None:
    """After a lost reply, what changes nothing is asked again; a write is not: its outcome is said to be unknown."""
    with FaultProxy("127.0.0.1", redis.port) as proxy:
        router = Router(OnePrimary([Address("127.0.0.1", proxy.port)]), connect)
        await router.start()
        await router.ask(0, ("PING",))
        proxy.add_latency(0.1)
        redis.command("CONFIG", "RESETSTAT")
        # Whether it is a read is what the caller says; that it counts shows how often it was done.
        asked = asyncio.create_task(router.ask(0, ("INCR", "count"), read=read))
        await until(lambda: redis.command("GET", "count") == b"$1\r\n1\r\n")
        proxy.reset()
        proxy.heal()
        if read:
            assert 2 == await asked
        else:
            with pytest.raises(OutcomeUnknownError):
                await asked
            assert b"1" == await router.ask(0, ("GET", "count"))
        await router.close()


async def test_slots_that_nobody_has(connect: Connect) -> None:
    """A key whose slot no node has cannot be served, and it is not said to be missing."""
    with RedisCluster("--cluster-require-full-coverage", "no") as cluster:
        router = Router(Cluster([Address("127.0.0.1", cluster.primaries[0].port)]), connect)
        await router.start()
        await router.ask(SLOT, ("SET", KEY, "value"))
        for node in cluster.primaries:
            node.command("CLUSTER", "DELSLOTS", str(SLOT))
        with pytest.raises(UnavailableError):
            await router.ask(SLOT, ("GET", KEY), read=True)
        fresh = Router(Cluster([Address("127.0.0.1", cluster.primaries[0].port)]), connect)
        await fresh.start()
        with pytest.raises(UnavailableError, match="no node of the store's cluster"):
            await fresh.ask(SLOT, ("GET", KEY), read=True)
        await router.close()
        await fresh.close()


async def test_an_outage_is_logged_once(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """While no node answers, each call fails, and the log says so in one line, not in one for each attempt."""
    attempts = 0

    def counted(address: Address) -> AbstractConnection:
        nonlocal attempts
        attempts += 1
        return connect(address)

    with RedisServer() as server:
        router = Router(OnePrimary([Address("127.0.0.1", port) for port in (server.port, free_port())]), counted)
        await router.start()
        server.kill()
        async with asyncio.timeout(20):
            while attempts < 10:
                with pytest.raises(UnavailableError):
                    await router.ask(0, ("PING",), read=True)
                await asyncio.sleep(0.005)
        await router.close()
    assert ["the primaries of the store cannot be found"] == [r.getMessage().split(":")[0] for r in caplog.records]
