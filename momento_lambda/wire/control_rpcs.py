"""The procedures of the control plane: caches themselves. None is repeated of its own accord."""

from typing import Final

from momento_lambda.responses import CacheInfo, CachePage
from momento_lambda.wire import control_pb2 as pb
from momento_lambda.wire.arguments import cache_name
from momento_lambda.wire.rpc import Rpc

CREATE_CACHE: Final = Rpc("/control_client.ScsControl/CreateCache", pb.CreateCacheRequest, pb.CreateCacheResponse)
DELETE_CACHE: Final = Rpc("/control_client.ScsControl/DeleteCache", pb.DeleteCacheRequest, pb.DeleteCacheResponse)
FLUSH_CACHE: Final = Rpc("/control_client.ScsControl/FlushCache", pb.FlushCacheRequest, pb.FlushCacheResponse)
LIST_CACHES: Final = Rpc("/control_client.ScsControl/ListCaches", pb.ListCachesRequest, pb.ListCachesResponse)


def create_cache_request(name: str) -> pb.CreateCacheRequest:
    """Ask for a new cache."""
    return pb.CreateCacheRequest(cache_name=cache_name(name))


def delete_cache_request(name: str) -> pb.DeleteCacheRequest:
    """Ask that a cache and all its items be gone."""
    return pb.DeleteCacheRequest(cache_name=cache_name(name))


def flush_cache_request(name: str) -> pb.FlushCacheRequest:
    """Ask that a cache be emptied."""
    return pb.FlushCacheRequest(cache_name=cache_name(name))


def list_caches_request(next_token: str | None) -> pb.ListCachesRequest:
    """Ask for a page of caches, the first where there is no token."""
    return pb.ListCachesRequest(next_token=next_token or "")


def read_list_caches(reply: pb.ListCachesResponse) -> CachePage:
    """Return the page that a listing holds."""
    return CachePage(tuple(CacheInfo(cache.cache_name) for cache in reply.cache), reply.next_token or None)
