"""What is asked of the server rather than of one cache: the control plane, and the ping."""

from collections.abc import Sequence
from typing import Final

from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import AlreadyExistsError, CacheNotFoundError
from momento_lambda.server.procedure import Audience, Procedure, store_procedure
from momento_lambda.server.store import Store
from momento_lambda.ttl import MAX_TTL_MS
from momento_lambda.wire import cache_pb2, cache_rpcs, control_rpcs
from momento_lambda.wire import control_pb2 as pb
from momento_lambda.wire.arguments import cache_name

_SHOWN_NAME = 100

# Clients show these and none depends on them. The rates are what an account of the hosted service has at the least;
# this server does not slow anyone down.
_CACHE_LIMITS: Final = pb.CacheLimits(
    max_traffic_rate=500,
    max_throughput_kbps=10_240,
    max_item_size_kb=MAX_ITEM_BYTES // 1024,
    max_ttl_seconds=MAX_TTL_MS // 1000,
)
_TOPIC_LIMITS: Final = pb.TopicLimits(max_publish_rate=100, max_subscription_count=100, max_publish_message_size_kb=100)


def unknown_cache(name: str) -> CacheNotFoundError:
    """Return the error that names a cache which does not exist."""
    shown = repr(name if len(name) <= _SHOWN_NAME else name[:_SHOWN_NAME] + "...")
    return CacheNotFoundError(f"there is no cache {shown}: check the name, or create it first")


async def create_cache(store: Store, request: pb.CreateCacheRequest) -> pb.CreateCacheResponse:
    """Answer CreateCache."""
    name = cache_name(request.cache_name)
    if not await store.create_cache(name):
        raise AlreadyExistsError(f"there is a cache {name!r} already")
    return pb.CreateCacheResponse()


async def delete_cache(store: Store, request: pb.DeleteCacheRequest) -> pb.DeleteCacheResponse:
    """Answer DeleteCache."""
    name = cache_name(request.cache_name)
    if not await store.delete_cache(name):
        raise unknown_cache(name)
    return pb.DeleteCacheResponse()


async def flush_cache(store: Store, request: pb.FlushCacheRequest) -> pb.FlushCacheResponse:
    """Answer FlushCache."""
    name = cache_name(request.cache_name)
    if not await store.flush_cache(name):
        raise unknown_cache(name)
    return pb.FlushCacheResponse()


async def list_caches(store: Store, _request: pb.ListCachesRequest) -> pb.ListCachesResponse:
    """Answer ListCaches: all on one page, since there are official clients that read no other."""
    caches = [
        pb.Cache(cache_name=name, cache_limits=_CACHE_LIMITS, topic_limits=_TOPIC_LIMITS)
        for name in await store.cache_names()
    ]
    return pb.ListCachesResponse(cache=caches)


async def ping(_store: Store, _request: cache_pb2.PingRequest) -> cache_pb2.PingResponse:
    """Answer Ping."""
    return cache_pb2.PingResponse()


PROCEDURES: Final[Sequence[Procedure]] = (
    store_procedure(control_rpcs.CREATE_CACHE, create_cache),
    store_procedure(control_rpcs.DELETE_CACHE, delete_cache),
    store_procedure(control_rpcs.FLUSH_CACHE, flush_cache),
    store_procedure(control_rpcs.LIST_CACHES, list_caches),
    store_procedure(cache_rpcs.PING, ping, Audience.ANYONE),
)
