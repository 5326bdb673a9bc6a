"""Caches themselves: create, list, flush, delete; and the client as a whole."""

from typing import TYPE_CHECKING

from momento_lambda import (
    AlreadyExists,
    CacheInfo,
    CachePage,
    ClientStateError,
    Created,
    CredentialProvider,
    Hit,
    Miss,
    SimpleCacheClientAsync,
)

if TYPE_CHECKING:
    from tests.twins import Connect

import pytest

CACHE = "users-cache"
OTHER_CACHE = "orders-cache"


async def test_create(client: SimpleCacheClientAsync) -> None:
    """A cache is Created once, AlreadyExists from then on, and usable at once."""
    assert Created() == await client.create_cache("new-cache")
    await client.set("new-cache", "key", "value")

    assert AlreadyExists() == await client.create_cache("new-cache")
    assert Hit(b"value") == await client.get("new-cache", "key")


@pytest.mark.parametrize("name", ["a", "~!@#$%^&*()", "with some spaces", "n" * 1024], ids=lambda name: name[:20])
async def test_names(client: SimpleCacheClientAsync, name: str) -> None:
    """A cache's name is any printable ASCII."""
    assert Created() == await client.create_cache(name)
    await client.set(name, "key", "value")

    assert Hit(b"value") == await client.get(name, "key")
    assert CacheInfo(name) in (await client.list_caches()).caches


async def test_list(client: SimpleCacheClientAsync) -> None:
    """A listing names every cache, and the last page has no token."""
    await client.create_cache("new-cache")

    page = await client.list_caches()

    assert {CacheInfo(CACHE), CacheInfo(OTHER_CACHE), CacheInfo("new-cache")} == set(page.caches)
    assert CachePage(page.caches, None) == page


async def test_iterate(client: SimpleCacheClientAsync) -> None:
    """Iterating yields every cache once."""
    names = [cache.name async for cache in client.iter_caches()]

    assert [OTHER_CACHE, CACHE] == sorted(names)


async def test_flush(client: SimpleCacheClientAsync) -> None:
    """A flushed cache has no items and stays; other caches keep theirs."""
    await client.set(CACHE, "key", "value")
    await client.set(OTHER_CACHE, "key", "value")

    await client.flush_cache(CACHE)

    assert Miss() == await client.get(CACHE, "key")
    assert Hit(b"value") == await client.get(OTHER_CACHE, "key")
    await client.set(CACHE, "key", "again")
    assert Hit(b"again") == await client.get(CACHE, "key")


async def test_delete(client: SimpleCacheClientAsync) -> None:
    """A deleted cache is listed no more, and one of the same name begins empty."""
    await client.set(CACHE, "key", "value")

    await client.delete_cache(CACHE)

    assert (CacheInfo(OTHER_CACHE),) == (await client.list_caches()).caches
    assert Created() == await client.create_cache(CACHE)
    assert Miss() == await client.get(CACHE, "key")


async def test_ping(client: SimpleCacheClientAsync) -> None:
    """A ping returns once the server has answered."""
    await client.ping()
    await client.ping(timeout=10)


async def test_context_manager(connect: "Connect", credentials: CredentialProvider) -> None:
    """A client is its own context manager, and closed at the end of the block."""
    async with connect(credentials) as client:
        await client.set(CACHE, "key", "value")

    with pytest.raises(ClientStateError, match="closed"):
        await client.get(CACHE, "key")


async def test_clients_share_the_server(connect: "Connect", credentials: CredentialProvider) -> None:
    """What one client stores, another reads; closing one leaves the other connected."""
    writer, reader = connect(credentials), connect(credentials)
    await writer.set(CACHE, "key", "value")
    assert Hit(b"value") == await reader.get(CACHE, "key")

    await writer.close()

    assert Hit(b"value") == await reader.get(CACHE, "key")
