from collections.abc import Callable
from typing import Any

import pytest

from momento_lambda.wire import cache_pb2, cache_rpcs
from momento_lambda.wire import control_pb2 as pb
from momento_lambda.wire import control_rpcs as rpcs

Call = Callable[..., Any]


def names(call: Call) -> list[str]:
    """Return the names that a listing shows."""
    return [cache.cache_name for cache in call(rpcs.LIST_CACHES, pb.ListCachesRequest()).cache]


def set_item(call: Call) -> None:
    """Store an item in the cache."""
    call(cache_rpcs.SET, cache_pb2.SetRequest(cache_key=b"key", ttl_milliseconds=60_000))


def exists(call: Call) -> bool:
    """Return whether the item is there."""
    answers: list[bool] = call(cache_rpcs.KEYS_EXIST, cache_pb2.KeysExistRequest(cache_keys=[b"key"])).exists
    return answers[0]


def test_a_new_cache_is_listed_and_used_at_once(call: Call) -> None:
    """Create, list and use, in this order and without a pause."""
    call(rpcs.CREATE_CACHE, pb.CreateCacheRequest(cache_name="another one"))
    assert ["another one", "cache"] == names(call)
    call(cache_rpcs.GET, cache_pb2.GetRequest(cache_key=b"key"), cache="another one")


def test_a_cache_is_created_once(refusal: Call) -> None:
    """A second creation is ALREADY_EXISTS."""
    status, _, words = refusal(rpcs.CREATE_CACHE, pb.CreateCacheRequest(cache_name="cache"))
    assert "ALREADY_EXISTS" == status
    assert "'cache'" in words


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00", "zażółć", "x" * 1_025, " edge", "edge "])
@pytest.mark.parametrize("rpc", [rpcs.CREATE_CACHE, rpcs.DELETE_CACHE, rpcs.FLUSH_CACHE], ids=lambda rpc: rpc.name)
def test_a_name_that_no_header_carries_is_refused(refusal: Call, rpc: Any, name: str) -> None:
    """Such a cache could be created and never used."""
    status, _, words = refusal(rpc, rpc.request(cache_name=name))
    assert "INVALID_ARGUMENT" == status
    assert "printable ASCII" in words


def test_a_deleted_cache_is_gone_with_its_items(call: Call, refusal: Call) -> None:
    """It can be neither listed nor used; made anew, it is empty."""
    set_item(call)
    call(rpcs.DELETE_CACHE, pb.DeleteCacheRequest(cache_name="cache"))
    assert [] == names(call)
    assert "NOT_FOUND" == refusal(cache_rpcs.GET, cache_pb2.GetRequest())[0]
    call(rpcs.CREATE_CACHE, pb.CreateCacheRequest(cache_name="cache"))
    assert not exists(call)


def test_a_flushed_cache_is_empty_and_stays(call: Call) -> None:
    """Flushing removes the items and keeps the cache."""
    set_item(call)
    call(rpcs.FLUSH_CACHE, pb.FlushCacheRequest(cache_name="cache"))
    assert ["cache"] == names(call)
    assert not exists(call)


@pytest.mark.parametrize("rpc", [rpcs.DELETE_CACHE, rpcs.FLUSH_CACHE], ids=lambda rpc: rpc.name)
def test_an_unknown_cache_is_not_found(refusal: Call, rpc: Any) -> None:
    """Deleting or flushing it is NOT_FOUND, with the trailer that says it is a cache."""
    status, err, words = refusal(rpc, rpc.request(cache_name="none such"))
    assert ("NOT_FOUND", "cache_not_found") == (status, err)
    assert "'none such'" in words


def test_a_listing_is_one_page_with_limits(call: Call) -> None:
    """Every cache is on the first page, with the limits that official clients look at."""
    for number in range(150):
        call(rpcs.CREATE_CACHE, pb.CreateCacheRequest(cache_name=f"cache-{number:03}"))
    page = call(rpcs.LIST_CACHES, pb.ListCachesRequest())
    assert (151, "") == (len(page.cache), page.next_token)
    limits, topics = page.cache[0].cache_limits, page.cache[0].topic_limits
    assert (4883, 86_400) == (limits.max_item_size_kb, limits.max_ttl_seconds)
    assert 500 <= limits.max_traffic_rate
    assert 10_240 <= limits.max_throughput_kbps
    assert [100, 100, 100] == [
        topics.max_publish_rate,
        topics.max_subscription_count,
        topics.max_publish_message_size_kb,
    ]


def test_ping_asks_for_nothing(call: Call) -> None:
    """A ping is answered without a token and without a cache."""
    assert cache_pb2.PingResponse() == call(cache_rpcs.PING, cache_pb2.PingRequest(), token=None, cache=None)
