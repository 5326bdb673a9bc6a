"""The data plane: what is asked of the items of one cache."""

from collections.abc import Iterable, Sequence
from typing import Final

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.permissions import Right
from momento_lambda.responses import TtlUpdate
from momento_lambda.server.integers import LONGEST_INTEGER
from momento_lambda.server.limits import check_integer_size, check_item_size, stored_ttl_ms
from momento_lambda.server.procedure import Procedure, batch_procedure, cache_procedure
from momento_lambda.server.store import Condition, Item, ItemType, Keyspace, TtlChange
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs

_TYPES: Final = {ItemType.SCALAR: pb.ItemGetTypeResponse.SCALAR}
_CHANGES: Final = {
    "overwrite_to_milliseconds": TtlChange.OVERWRITE,
    "increase_to_milliseconds": TtlChange.INCREASE,
    "decrease_to_milliseconds": TtlChange.DECREASE,
}


async def get(items: Keyspace, request: pb.GetRequest) -> pb.GetResponse:
    """Answer Get."""
    return _got(await items.get(request.cache_key))


async def get_batch(items: Keyspace, request: pb.GetBatchRequest) -> Iterable[pb.GetResponse]:
    """Answer GetBatch: one reply for each item, in order.

    Each reply is made when it is sent. A message copies its value, and a short request can ask for one large item
    very often.
    """
    return map(_got, await items.get_many([item.cache_key for item in request.items]))


async def set_item(items: Keyspace, request: pb.SetRequest) -> pb.SetResponse:
    """Answer Set."""
    await items.set(_item(request))
    return pb.SetResponse(result=pb.OK)


async def set_batch(items: Keyspace, request: pb.SetBatchRequest) -> Iterable[pb.SetResponse]:
    """Answer SetBatch: one reply for each item, in order.

    Every item is checked before any is stored, so that one that is refused fails the call and changes nothing.
    """
    await items.set_many([_item(item) for item in request.items])
    return [pb.SetResponse(result=pb.OK)] * len(request.items)


async def set_if(items: Keyspace, request: pb.SetIfRequest) -> pb.SetIfResponse:
    """Answer SetIf."""
    item = _item(request)
    condition, compared = _condition(request)
    if await items.set_if(item, condition, compared):
        return pb.SetIfResponse(stored=pb.SetIfResponse.Stored())
    return pb.SetIfResponse(not_stored=pb.SetIfResponse.NotStored())


async def set_if_not_exists(items: Keyspace, request: pb.SetIfNotExistsRequest) -> pb.SetIfNotExistsResponse:
    """Answer SetIfNotExists."""
    if await items.set_if(_item(request), Condition.ABSENT, b""):
        return pb.SetIfNotExistsResponse(stored=pb.SetIfNotExistsResponse.Stored())
    return pb.SetIfNotExistsResponse(not_stored=pb.SetIfNotExistsResponse.NotStored())


async def delete(items: Keyspace, request: pb.DeleteRequest) -> pb.DeleteResponse:
    """Answer Delete."""
    await items.delete(request.cache_key)
    return pb.DeleteResponse()


async def keys_exist(items: Keyspace, request: pb.KeysExistRequest) -> pb.KeysExistResponse:
    """Answer KeysExist, in the order asked."""
    return pb.KeysExistResponse(exists=await items.exist(request.cache_keys))


async def increment(items: Keyspace, request: pb.IncrementRequest) -> pb.IncrementResponse:
    """Answer Increment."""
    ttl_ms = stored_ttl_ms(request.ttl_milliseconds)
    check_integer_size(request.cache_key)
    return pb.IncrementResponse(value=await items.increment(request.cache_key, request.amount, ttl_ms))


async def update_ttl(items: Keyspace, request: pb.UpdateTtlRequest) -> pb.UpdateTtlResponse:
    """Answer UpdateTtl."""
    field = request.WhichOneof("update_ttl")
    if field is None:
        raise InvalidArgumentError(f"UpdateTtl without a time to live: set one of {', '.join(_CHANGES)}")
    ttl_ms = stored_ttl_ms(getattr(request, field))
    match await items.update_ttl(request.cache_key, ttl_ms, _CHANGES[field]):
        case TtlUpdate.SET:
            return pb.UpdateTtlResponse(set=pb.UpdateTtlResponse.Set())
        case TtlUpdate.NOT_SET:
            return pb.UpdateTtlResponse(not_set=pb.UpdateTtlResponse.NotSet())
        case TtlUpdate.MISSING:
            return pb.UpdateTtlResponse(missing=pb.UpdateTtlResponse.Missing())


async def item_get_ttl(items: Keyspace, request: pb.ItemGetTtlRequest) -> pb.ItemGetTtlResponse:
    """Answer ItemGetTtl."""
    remaining = await items.remaining_ttl_ms(request.cache_key)
    if remaining is None:
        return pb.ItemGetTtlResponse(missing=pb.ItemGetTtlResponse.Missing())
    return pb.ItemGetTtlResponse(found=pb.ItemGetTtlResponse.Found(remaining_ttl_millis=remaining))


async def item_get_type(items: Keyspace, request: pb.ItemGetTypeRequest) -> pb.ItemGetTypeResponse:
    """Answer ItemGetType."""
    found = await items.type_of(request.cache_key)
    if found is None:
        return pb.ItemGetTypeResponse(missing=pb.ItemGetTypeResponse.Missing())
    return pb.ItemGetTypeResponse(found=pb.ItemGetTypeResponse.Found(item_type=_TYPES[found]))


def _got(value: bytes | None) -> pb.GetResponse:
    return pb.GetResponse(result=pb.MISS) if value is None else pb.GetResponse(result=pb.HIT, cache_body=value)


def _item(request: pb.SetRequest | pb.SetIfRequest | pb.SetIfNotExistsRequest) -> Item:
    key, value = request.cache_key, request.cache_body
    check_item_size(key, value)
    return Item(key, value, stored_ttl_ms(request.ttl_milliseconds))


def _condition(request: pb.SetIfRequest) -> tuple[Condition, bytes]:
    name = request.WhichOneof("condition")
    if name is None:
        allowed = ", ".join(condition.value for condition in Condition)
        raise InvalidArgumentError(f"SetIf without a condition: set one of {allowed}")
    return Condition(name), getattr(getattr(request, name), "value_to_check", b"")


def _size(request: pb.SetRequest | pb.SetIfRequest | pb.SetIfNotExistsRequest) -> Iterable[int]:
    return (len(request.cache_key) + len(request.cache_body),)


def _sizes(request: pb.SetBatchRequest) -> Iterable[int]:
    return [len(item.cache_key) + len(item.cache_body) for item in request.items]


def _size_of_integer(request: pb.IncrementRequest) -> Iterable[int]:
    return (len(request.cache_key) + LONGEST_INTEGER,)


# Whoever learns from a call what was there has read it: conditions, sums and times to live tell.
_BOTH: Final = Right.READ | Right.WRITE

PROCEDURES: Final[Sequence[Procedure]] = (
    cache_procedure(cache_rpcs.GET, Right.READ, get),
    batch_procedure(cache_rpcs.GET_BATCH, Right.READ, get_batch),
    cache_procedure(cache_rpcs.SET, Right.WRITE, set_item, sizes=_size),
    batch_procedure(cache_rpcs.SET_BATCH, Right.WRITE, set_batch, _sizes),
    cache_procedure(cache_rpcs.SET_IF, _BOTH, set_if, sizes=_size),
    cache_procedure(cache_rpcs.SET_IF_NOT_EXISTS, _BOTH, set_if_not_exists, sizes=_size),
    cache_procedure(cache_rpcs.DELETE, Right.WRITE, delete),
    cache_procedure(cache_rpcs.KEYS_EXIST, Right.READ, keys_exist, lambda request: request.cache_keys),
    cache_procedure(cache_rpcs.INCREMENT, _BOTH, increment, sizes=_size_of_integer),
    cache_procedure(cache_rpcs.UPDATE_TTL, _BOTH, update_ttl),
    cache_procedure(cache_rpcs.ITEM_GET_TTL, Right.READ, item_get_ttl),
    cache_procedure(cache_rpcs.ITEM_GET_TYPE, Right.READ, item_get_type),
)
