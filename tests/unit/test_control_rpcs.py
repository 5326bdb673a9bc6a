from collections.abc import Callable
from typing import Any

import pytest

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.responses import CacheInfo, CachePage
from momento_lambda.wire import control_pb2 as pb
from momento_lambda.wire import control_rpcs as rpcs
from momento_lambda.wire.rpc import Rpc

NAMED: list[tuple[Callable[[str], Any], type[Any]]] = [
    (rpcs.create_cache_request, pb.CreateCacheRequest),
    (rpcs.delete_cache_request, pb.DeleteCacheRequest),
    (rpcs.flush_cache_request, pb.FlushCacheRequest),
]
EVERY_NAMED = pytest.mark.parametrize(("ask", "message"), NAMED, ids=[message.__name__ for _, message in NAMED])


@EVERY_NAMED
def test_requests_name_the_cache(ask: Callable[[str], Any], message: type[Any]) -> None:
    """A request for a cache holds its name."""
    assert message(cache_name="users-cache") == ask("users-cache")


@EVERY_NAMED
def test_requests_check_the_name(ask: Callable[[str], Any], message: type[Any]) -> None:
    """A cache that could never be used is refused before it is made."""
    assert message(cache_name="a b") == ask("a b")
    for name in ("", "größe", "a\n"):
        with pytest.raises(
            InvalidArgumentError, match=r"^the cache name .*: give 1 to 1024 printable ASCII characters"
        ):
            ask(name)


@pytest.mark.parametrize(("token", "sent"), [(None, ""), ("", ""), ("page-2", "page-2")])
def test_listing_starts_without_a_token(token: str | None, sent: str) -> None:
    """The first page is asked for without a token, the others with the one before them."""
    assert pb.ListCachesRequest(next_token=sent) == rpcs.list_caches_request(token)


@pytest.mark.parametrize(("token", "read"), [("", None), ("page-2", "page-2")])
def test_listing_ends_without_a_token(token: str, read: str | None) -> None:
    """A page holds its caches in order; one without a token is the last."""
    caches = [pb.Cache(cache_name="b", cache_limits=pb.CacheLimits(max_ttl_seconds=1)), pb.Cache(cache_name="a")]
    reply = pb.ListCachesResponse(cache=caches, next_token=token)
    assert CachePage((CacheInfo("b"), CacheInfo("a")), read) == rpcs.read_list_caches(reply)


def test_nothing_is_sent_twice() -> None:
    """No procedure of the control plane is repeated of its own accord, and none streams."""
    found = [rpc for rpc in vars(rpcs).values() if isinstance(rpc, Rpc)]
    assert [(False, False)] * 4 == [(rpc.repeatable, rpc.streams) for rpc in found]
