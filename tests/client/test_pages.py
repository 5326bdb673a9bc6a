"""Listings of caches that take several pages, which our own server never sends."""

from typing import TYPE_CHECKING

import pytest

from momento_lambda import CacheInfo, CachePage, SimpleCacheClientAsync
from momento_lambda.wire import control_pb2 as pb
from momento_lambda.wire import control_rpcs

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer

PAGES = {
    "": (["a", "b"], "second"),
    "second": ([], "third"),
    "third": (["c"], ""),
}


@pytest.fixture(autouse=True)
def pages(server: "ScriptedServer") -> None:
    """Three pages, one of them empty."""

    def page(request: pb.ListCachesRequest) -> pb.ListCachesResponse:
        names, next_token = PAGES[request.next_token]
        return pb.ListCachesResponse(cache=[pb.Cache(cache_name=name) for name in names], next_token=next_token)

    server.replies[control_rpcs.LIST_CACHES] = page


async def test_iterating_walks_all_pages(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """Iterating asks for one page after another, an empty one included, and yields every cache once."""
    assert ["a", "b", "c"] == [cache.name async for cache in client.iter_caches()]

    assert list(PAGES) == [attempt.request.next_token for attempt in server.attempts]


async def test_pages_one_by_one(client: SimpleCacheClientAsync) -> None:
    """A page has the token of the next one, and the last page has none."""
    assert CachePage((CacheInfo("a"), CacheInfo("b")), "second") == await client.list_caches()
    assert CachePage((), "third") == await client.list_caches("second")
    assert CachePage((CacheInfo("c"),), None) == await client.list_caches("third")
