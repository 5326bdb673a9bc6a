"""The official client, momento 1.29.1 from the package index, drives our server."""

from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from momento import CacheClientAsync
from momento.errors import MomentoErrorCode
from momento.responses import (
    CacheDelete,
    CacheFlush,
    CacheGet,
    CacheIncrement,
    CacheSet,
    CacheSetIfNotExists,
    CreateCache,
    DeleteCache,
    ListCaches,
)

from momento_lambda import Hit, Miss, SimpleCacheClient
from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.interop.conftest import Connect

CACHE = "users-cache"


def test_version() -> None:
    """The official client is the release that these facts were found with."""
    assert "1.29.1" == version("momento")


@pytest.mark.parametrize("key", ["key", b"\x00\xff"], ids=["text", "bytes"])
@pytest.mark.parametrize("value", ["значение", b"\x00\xfe", ""], ids=["text", "bytes", "empty"])
async def test_set_get_delete(official: CacheClientAsync, key: str | bytes, value: str | bytes) -> None:
    """It stores, reads back and deletes items of text and of bytes."""
    assert isinstance(await official.get(CACHE, key), CacheGet.Miss)
    assert isinstance(await official.set(CACHE, key, value), CacheSet.Success)

    found = await official.get(CACHE, key)
    assert isinstance(found, CacheGet.Hit)
    assert value == (found.value_string if isinstance(value, str) else found.value_bytes)

    assert isinstance(await official.delete(CACHE, key), CacheDelete.Success)
    assert isinstance(await official.delete(CACHE, key), CacheDelete.Success)
    assert isinstance(await official.get(CACHE, key), CacheGet.Miss)


async def test_set_if_not_exists(official: CacheClientAsync, ours: SimpleCacheClient) -> None:
    """It stores where there is nothing, and is told where there is something."""
    assert isinstance(await official.set_if_not_exists(CACHE, "key", "first"), CacheSetIfNotExists.Stored)
    assert isinstance(await official.set_if_not_exists(CACHE, "key", "second"), CacheSetIfNotExists.NotStored)

    assert Hit(b"first") == ours.get(CACHE, "key")


async def test_increment(official: CacheClientAsync) -> None:
    """It counts, reads numbers as text, and is told where there is no number."""
    assert CacheIncrement.Success(41) == await official.increment(CACHE, "counter", 41)
    assert CacheIncrement.Success(42) == await official.increment(CACHE, "counter")
    assert CacheIncrement.Success(0) == await official.increment(CACHE, "counter", -42)
    assert CacheGet.Hit(b"0") == await official.get(CACHE, "counter")

    await official.set(CACHE, "text", "no number")
    refused = await official.increment(CACHE, "text")
    assert isinstance(refused, CacheIncrement.Error)
    assert MomentoErrorCode.FAILED_PRECONDITION_ERROR == refused.error_code


async def test_caches(official: CacheClientAsync) -> None:
    """It creates, lists, flushes and deletes caches."""
    assert isinstance(await official.create_cache("new-cache"), CreateCache.Success)
    assert isinstance(await official.create_cache("new-cache"), CreateCache.CacheAlreadyExists)
    listed = await official.list_caches()
    assert isinstance(listed, ListCaches.Success)
    assert {CACHE, "new-cache"} == {cache.name for cache in listed.caches}

    await official.set("new-cache", "key", "value")
    assert isinstance(await official.flush_cache("new-cache"), CacheFlush.Success)
    assert isinstance(await official.get("new-cache", "key"), CacheGet.Miss)

    assert isinstance(await official.delete_cache("new-cache"), DeleteCache.Success)
    assert isinstance(await official.get("new-cache", "key"), CacheGet.Error)


async def test_unknown_cache(official: CacheClientAsync) -> None:
    """It is told that a cache does not exist, and which."""
    answers = [
        await official.get("no-such-cache", "key"),
        await official.set("no-such-cache", "key", "value"),
        await official.delete("no-such-cache", "key"),
        await official.increment("no-such-cache", "key"),
        await official.set_if_not_exists("no-such-cache", "key", "value"),
        await official.flush_cache("no-such-cache"),
        await official.delete_cache("no-such-cache"),
    ]

    for answer in answers:
        assert MomentoErrorCode.NOT_FOUND_ERROR == getattr(answer, "error_code", answer)
        assert "'no-such-cache'" in getattr(answer, "message", "")


@pytest.mark.parametrize("token", ["", "x.y.z"], ids=["none", "nonsense"])
async def test_wrong_token(connect: "Connect", token: str) -> None:
    """It is refused without a token of this server, whether or not the cache exists."""
    client = connect(token)

    for answer in (
        await client.get(CACHE, "key"),
        await client.get("no-such-cache", "key"),
        await client.list_caches(),
    ):
        assert MomentoErrorCode.AUTHENTICATION_ERROR == getattr(answer, "error_code", answer)


async def test_token_that_reads(connect: "Connect", server: LocalServer) -> None:
    """It is told what its token does not allow."""
    client = connect(server.create_token(allow="read:*"))

    assert isinstance(await client.get(CACHE, "key"), CacheGet.Miss)
    denied = await client.set(CACHE, "key", "value")
    assert isinstance(denied, CacheSet.Error)
    assert MomentoErrorCode.PERMISSION_ERROR == denied.error_code


async def test_large_values(official: CacheClientAsync, ours: SimpleCacheClient) -> None:
    """It stores and reads back five million bytes, and our client reads the same."""
    value = b"\xa5" * 5_000_000

    assert isinstance(await official.set(CACHE, "large", value), CacheSet.Success)

    assert CacheGet.Hit(value) == await official.get(CACHE, "large")
    assert Hit(value) == ours.get(CACHE, "large")


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        pytest.param(MAX_ITEM_BYTES, "the item size is 5000197 bytes", id="our server's limit"),
        pytest.param(5_300_000, "Sent message larger than max", id="its own limit"),
    ],
)
async def test_values_over_the_limit(
    official: CacheClientAsync, ours: SimpleCacheClient, size: int, reason: str
) -> None:
    """It is told that a value is too large: by our server, or beyond 5 243 000 bytes by itself."""
    refused = await official.set(CACHE, "large", bytes(size))

    assert isinstance(refused, CacheSet.Error)
    assert MomentoErrorCode.LIMIT_EXCEEDED_ERROR == refused.error_code
    assert reason in refused.message
    assert Miss() == ours.get(CACHE, "large")


async def test_times_to_live(official: CacheClientAsync, ours: SimpleCacheClient) -> None:
    """Its default TTL and that of a call are the item's, to the millisecond and from one millisecond on."""
    await official.set(CACHE, "default", "value")
    await official.set(CACHE, "own", "value", ttl=timedelta(milliseconds=1_234))
    await official.set(CACHE, "shortest", "value", ttl=timedelta(milliseconds=1))
    await official.increment(CACHE, "counter", ttl=timedelta(seconds=7))
    await official.set_if_not_exists(CACHE, "absent", "value", ttl=timedelta(days=2))

    keys = ["default", "own", "shortest", "counter", "absent"]
    assert [
        timedelta(seconds=60),
        timedelta(milliseconds=1_234),
        timedelta(milliseconds=1),
        timedelta(seconds=7),
        timedelta(days=1),
    ] == [ours.item_get_ttl(CACHE, key) for key in keys]


async def test_both_clients_see_the_same(official: CacheClientAsync, ours: SimpleCacheClient) -> None:
    """What either client stores, counts, creates or deletes, the other sees."""
    ours.create_cache("new-cache")
    ours.set_multi("new-cache", {"a": "1", "b": "2"})
    assert CacheGet.Hit(b"1") == await official.get("new-cache", "a")

    await official.set("new-cache", "b", "changed")
    assert (Hit(b"1"), Hit(b"changed")) == ours.get_multi("new-cache", ["a", "b"])

    assert 10 == ours.increment("new-cache", "counter", 10)
    assert CacheIncrement.Success(11) == await official.increment("new-cache", "counter")

    await official.delete("new-cache", "a")
    assert (False, True) == ours.keys_exist("new-cache", ["a", "b"])
    ours.delete_cache("new-cache")
    assert isinstance(await official.get("new-cache", "b"), CacheGet.Error)
