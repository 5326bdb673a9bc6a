"""The kinds of deployment, and what each must be like for a store to start."""

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
import trustme

from momento_lambda.errors import InvalidArgumentError, LimitExceededError, UnavailableError
from momento_lambda.server.store import Item
from momento_lambda.server.valkey.link import PATIENCE_SECONDS
from momento_lambda.server.valkey.store import ValkeyStore
from momento_lambda.testing.redis_cluster import RedisCluster
from momento_lambda.testing.redis_server import RedisServer, free_port, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.valkey.conftest import Start

SECRET = "s3cret/:@"
ENCODED = "s3cret%2F%3A%40"


async def check_works(store: ValkeyStore) -> None:
    """Store something and read it."""
    await store.create_cache("cache")
    items = await store.open("cache")
    assert items is not None
    await items.set(Item(b"key", b"value", 60_000))
    assert b"value" == await items.get(b"key")


class TestLettingIn:
    async def test_a_password(self, start: "Start") -> None:
        """The password of the URL is used, decoded, for the default user."""
        with RedisServer("--requirepass", SECRET) as server:
            await check_works(await start(f"redis://:{ENCODED}@{server.address}"))

    async def test_a_user_of_its_own(self, start: "Start") -> None:
        """A user who may touch nothing but the keys of this project, and look at the node, is enough."""
        with RedisServer() as server:
            server.command(
                "ACL", "SETUSER", "gateway", "on", f">{SECRET}", "~momento:*", "+@all", "-@dangerous", "+info"
            )
            await check_works(await start(f"valkey://gateway:{ENCODED}@{server.address}"))

    async def test_a_wrong_one(self, start: "Start", caplog: pytest.LogCaptureFixture) -> None:
        """A store that lets nobody in does not start, and the password is told nobody."""
        with RedisServer("--requirepass", "right") as server:
            with pytest.raises(UnavailableError, match=r"password .* give USER:PASSWORD@") as caught:
                await start(f"valkey://:{ENCODED}@{server.address}")
            assert SECRET not in f"{caught.value}{caplog.text}"

    async def test_tls(self, start: "Start", tmp_path: "Path") -> None:
        """With an authority of one's own, named in the URL; not without."""
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
        certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
        tls_port = free_port()
        options = ["--tls-port", str(tls_port), "--tls-auth-clients", "no"]
        for name, file in (("ca-cert", "ca"), ("cert", "cert"), ("key", "key")):
            options += [f"--tls-{name}-file", str(tmp_path / f"{file}.pem")]
        with RedisServer(*options):
            await check_works(await start(f"valkeys://127.0.0.1:{tls_port}?authority={tmp_path / 'ca.pem'}"))
            with pytest.raises(UnavailableError, match="certificate verify failed"):
                await start(f"rediss://127.0.0.1:{tls_port}")

    @pytest.mark.parametrize(("name", "reason"), [("missing.pem", "No such file"), ("empty.pem", "no certificate")])
    async def test_an_authority_that_is_none(self, start: "Start", tmp_path: "Path", name: str, reason: str) -> None:
        """The file is named, before anybody is asked."""
        (tmp_path / "empty.pem").touch()
        with pytest.raises(InvalidArgumentError, match=f"the store's authority .*/{name} cannot be used .*{reason}"):
            await start(f"valkeys://127.0.0.1:{free_port()}?authority={tmp_path / name}")


class TestStarting:
    async def test_nobody_there(self, start: "Start") -> None:
        """A store that cannot be reached does not start, and says where it was looked for."""
        port = free_port()
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port} cannot be reached"):
            await start(f"valkey-cluster://127.0.0.1:{port}")

    async def test_a_cluster_called_one_node(self, start: "Start", cluster: RedisCluster) -> None:
        """The URL of a cluster says so."""
        with pytest.raises(InvalidArgumentError, match="begin its URL with valkey-cluster://"):
            await start(f"valkey://{cluster.primaries[0].address}")

    async def test_one_node_called_a_cluster(self, start: "Start", redis: RedisServer) -> None:
        """And that of a node that is part of none does not."""
        with pytest.raises(InvalidArgumentError, match="begin its URL with valkey:// instead"):
            await start(f"valkey-cluster://{redis.address}")

    async def test_where_the_list_of_caches_may_be_evicted(self, start: "Start") -> None:
        """A store that may evict any key is refused."""
        with (
            RedisServer("--maxmemory-policy", "allkeys-lru") as server,
            pytest.raises(InvalidArgumentError, match=r"allkeys-lru, under which .* set it to noeviction"),
        ):
            await start(f"valkey://{server.address}")

    async def test_where_items_may_be_evicted(self, start: "Start", caplog: pytest.LogCaptureFixture) -> None:
        """Of one that may evict items before their time, the log says so."""
        with RedisServer("--maxmemory-policy", "volatile-ttl") as server:
            await check_works(await start(f"valkey://{server.address}"))
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert ["volatile-ttl, under which items may go before their time" in warnings[0].getMessage()] == [True]

    async def test_a_database_of_its_own(self, start: "Start", redis: RedisServer) -> None:
        """The number in the URL is the database that everything goes to."""
        await check_works(await start(f"valkey://{redis.address}/3"))
        assert b":0\r\n" == redis.command("DBSIZE")


async def test_a_full_store_refuses_writes(start: "Start") -> None:
    """Writes are refused, single ones, batches and those on a condition; nothing is evicted, and reads go on."""
    with RedisServer() as server:
        store = await start(f"valkey://{server.address}")
        await check_works(store)
        items = await store.open("cache")
        assert items is not None
        await items.set_many([Item(b"a", b"old", 60_000), Item(b"b", b"old", 60_000)])
        server.command("CONFIG", "SET", "maxmemory", "1")
        for write in (
            items.set(Item(b"a", b"new", 60_000)),
            items.set_many([Item(b"a", b"new", 60_000), Item(b"b", b"new", 60_000)]),
            items.increment(b"count", 1, 60_000),
            store.create_cache("another"),
        ):
            with pytest.raises(LimitExceededError, match="the store is full"):
                await write
        assert [b"value", b"old", b"old", None] == await items.get_many([b"key", b"a", b"b", b"count"])
        await items.delete(b"key")
        server.command("CONFIG", "SET", "maxmemory", "0")
        await items.set(Item(b"a", b"new", 60_000))


class TestReplicas:
    async def test_the_one_that_takes_over_is_found(self, start: "Start") -> None:
        """Of a primary and its replicas, named in any order, writes go to the primary, and to its successor later."""
        with RedisServer() as first, RedisServer("--replicaof", f"127.0.0.1 {first.port}") as second:
            wait_for([second], b"master_link_status:up", "INFO", "replication")
            store = await start(f"valkey://{second.address},{first.address}")
            await check_works(store)
            wait_for([second], b"$", "HGET", "momento:caches", "cache")
            first.kill()
            second.command("REPLICAOF", "NO", "ONE")
            await self.works_soon(store)

    async def test_two_primaries_are_no_store(self, start: "Start") -> None:
        """Where several say that they are the primary, none is taken: gateways could take different ones."""
        with (
            RedisServer() as first,
            RedisServer() as second,
            pytest.raises(InvalidArgumentError, match=r"2 primaries.*: name one and its replicas"),
        ):
            await start(f"valkey://{first.address},{second.address}")

    async def test_a_start_without_a_replica(self, start: "Start") -> None:
        """A replica that is gone keeps no store from starting."""
        with RedisServer() as primary:
            await check_works(await start(f"valkey://127.0.0.1:{free_port()},{primary.address}"))

    async def test_a_primary_that_is_one_no_more_is_left(self, start: "Start") -> None:
        """A node that became a replica takes no writes, so the primary is looked for."""
        with RedisServer() as first, RedisServer("--replicaof", f"127.0.0.1 {first.port}") as second:
            wait_for([second], b"master_link_status:up", "INFO", "replication")
            store = await start(f"valkey://{first.address},{second.address}")
            await check_works(store)
            wait_for([second], b"$", "HGET", "momento:caches", "cache")
            second.command("REPLICAOF", "NO", "ONE")
            first.command("REPLICAOF", "127.0.0.1", str(second.port))
            await self.works_soon(store)
            assert b"role:master" in second.command("INFO", "replication")

    async def works_soon(self, store: ValkeyStore) -> None:
        """Try until it works, failing in no other way than that it does not yet."""
        async with asyncio.timeout(20):
            while True:
                try:
                    await check_works(store)
                except UnavailableError:
                    await asyncio.sleep(0.01)
                else:
                    return


async def test_a_store_answers_while_one_primary_does(start: "Start") -> None:
    """A ping fails only when no primary of a cluster answers: the keys of the others can be served."""
    with RedisCluster("--cluster-require-full-coverage", "no") as cluster:
        store = await start(f"valkey-cluster://{cluster.addresses}")
        cluster.primaries[0].pause()
        async with asyncio.timeout(PATIENCE_SECONDS):
            # The one that says nothing is not waited for.
            await store.ping()
        for primary in cluster.primaries[:2]:
            primary.kill()
            await store.ping()
        cluster.primaries[2].kill()
        with pytest.raises(UnavailableError):
            await store.ping()
