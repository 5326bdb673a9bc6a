"""The procedures of the data plane: how each is asked and how its answer reads."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from momento_lambda.errors import InvalidArgumentError, UnknownError
from momento_lambda.responses import MISS, NOT_STORED, STORED, GetResponse, Hit, SetIfResponse, TtlUpdate
from momento_lambda.ttl import Ttl, ttl_milliseconds
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire.arguments import Bytes, Key, OtherKey, item_bytes, key_bytes, many_keys, value_bytes
from momento_lambda.wire.packed import unpack
from momento_lambda.wire.rpc import Rpc

GET: Final = Rpc("/cache_client.Scs/Get", pb.GetRequest, pb.GetResponse, repeatable=True)
GET_BATCH: Final = Rpc("/cache_client.Scs/GetBatch", pb.GetBatchRequest, pb.GetResponse, streams=True, repeatable=True)
SET: Final = Rpc("/cache_client.Scs/Set", pb.SetRequest, pb.SetResponse, repeatable=True)
SET_BATCH: Final = Rpc("/cache_client.Scs/SetBatch", pb.SetBatchRequest, pb.SetResponse, streams=True, repeatable=True)
SET_IF: Final = Rpc("/cache_client.Scs/SetIf", pb.SetIfRequest, pb.SetIfResponse)
# Asked by official clients alone: ours say SetIf with `absent`, which is the same.
SET_IF_NOT_EXISTS: Final = Rpc("/cache_client.Scs/SetIfNotExists", pb.SetIfNotExistsRequest, pb.SetIfNotExistsResponse)
DELETE: Final = Rpc("/cache_client.Scs/Delete", pb.DeleteRequest, pb.DeleteResponse, repeatable=True)
KEYS_EXIST: Final = Rpc("/cache_client.Scs/KeysExist", pb.KeysExistRequest, pb.KeysExistResponse, repeatable=True)
INCREMENT: Final = Rpc("/cache_client.Scs/Increment", pb.IncrementRequest, pb.IncrementResponse)
UPDATE_TTL: Final = Rpc("/cache_client.Scs/UpdateTtl", pb.UpdateTtlRequest, pb.UpdateTtlResponse)
ITEM_GET_TTL: Final = Rpc("/cache_client.Scs/ItemGetTtl", pb.ItemGetTtlRequest, pb.ItemGetTtlResponse, repeatable=True)
ITEM_GET_TYPE: Final = Rpc(
    "/cache_client.Scs/ItemGetType", pb.ItemGetTypeRequest, pb.ItemGetTypeResponse, repeatable=True
)
PING: Final = Rpc("/cache_client.Ping/Ping", pb.PingRequest, pb.PingResponse, repeatable=True)

_INT64 = range(-(2**63), 2**63)

# What one item costs in a batch beyond its key and value: tags, lengths and the time to live, rounded up.
_ITEM_OVERHEAD_BYTES = 40


def get_request(key: Bytes) -> pb.GetRequest:
    """Ask for one item."""
    return pb.GetRequest(cache_key=key_bytes(key))


def read_get(reply: pb.GetResponse) -> GetResponse:
    """Return the item, or that there is none."""
    if reply.result == pb.HIT:
        return Hit(reply.cache_body)
    if reply.result == pb.MISS:
        return MISS
    raise _unexpected("Get", reply.message)


def set_request(key: Bytes, value: Bytes, ttl_ms: int) -> pb.SetRequest:
    """Ask that one item be stored."""
    key, value = item_bytes(key, value)
    return pb.SetRequest(cache_key=key, cache_body=value, ttl_milliseconds=ttl_ms)


def read_set(reply: pb.SetResponse) -> None:
    """Return if the item was stored."""
    if reply.result != pb.OK:
        raise _unexpected("Set", reply.message)


def get_batch_requests(keys: Iterable[Bytes], max_bytes: int) -> list[pb.GetBatchRequest]:
    """Ask for many items in order, in as many requests as the message limit makes of them."""
    encoded = many_keys(keys)
    sizes = [len(key) for key in encoded]
    items = [pb.GetRequest(cache_key=key) for key in encoded]
    return [pb.GetBatchRequest(items=items[part]) for part in _parts(sizes, max_bytes)]


def read_get_batch(asked: int, messages: Sequence[pb.GetResponse]) -> list[GetResponse]:
    """Return the answers of one batch, in the order asked."""
    replies = unpack(messages)
    _check_count("GetBatch", asked, len(replies))
    return [read_get(reply) for reply in replies]


def set_batch_requests(
    items: Mapping[Key, Bytes], ttl_ms: int, ttls: Mapping[OtherKey, Ttl] | None, max_bytes: int
) -> list[pb.SetBatchRequest]:
    """Ask that many items be stored, each with its own time to live where `ttls` has one.

    Raises:
        InvalidArgumentError: `ttls` names a key that is not among the items.
    """
    own = {key_bytes(key): ttl_milliseconds(ttl) for key, ttl in (ttls or {}).items()}
    requests = [set_request(key, value, ttl_ms) for key, value in items.items()]
    for request in requests:
        request.ttl_milliseconds = own.get(request.cache_key, ttl_ms)
    strangers = own.keys() - {request.cache_key for request in requests}
    if strangers:
        raise InvalidArgumentError(
            f"ttls names keys that are not among the items ({len(strangers)} of {len(own)}): give only keys of items"
        )
    sizes = [len(request.cache_key) + len(request.cache_body) for request in requests]
    return [pb.SetBatchRequest(items=requests[part]) for part in _parts(sizes, max_bytes)]


def read_set_batch(asked: int, messages: Sequence[pb.SetResponse]) -> None:
    """Return if every item of one batch was stored."""
    replies = unpack(messages)
    _check_count("SetBatch", asked, len(replies))
    for reply in replies:
        read_set(reply)


def set_if_present_request(key: Bytes, value: Bytes, ttl_ms: int) -> pb.SetIfRequest:
    """Ask that an item be replaced where there is one."""
    return _set_if(key, value, ttl_ms, pb.SetIfRequest(present=pb.Present()))


def set_if_absent_request(key: Bytes, value: Bytes, ttl_ms: int) -> pb.SetIfRequest:
    """Ask that an item be stored where there is none."""
    return _set_if(key, value, ttl_ms, pb.SetIfRequest(absent=pb.Absent()))


def set_if_equal_request(key: Bytes, value: Bytes, equal: Bytes, ttl_ms: int) -> pb.SetIfRequest:
    """Ask that an item be replaced where it is there and its value is `equal`."""
    condition = pb.Equal(value_to_check=value_bytes(equal))
    return _set_if(key, value, ttl_ms, pb.SetIfRequest(equal=condition))


def set_if_not_equal_request(key: Bytes, value: Bytes, not_equal: Bytes, ttl_ms: int) -> pb.SetIfRequest:
    """Ask that an item be stored where there is none, or its value differs."""
    condition = pb.NotEqual(value_to_check=value_bytes(not_equal))
    return _set_if(key, value, ttl_ms, pb.SetIfRequest(not_equal=condition))


def set_if_present_and_not_equal_request(key: Bytes, value: Bytes, not_equal: Bytes, ttl_ms: int) -> pb.SetIfRequest:
    """Ask that an item be replaced where it is there and its value differs."""
    condition = pb.PresentAndNotEqual(value_to_check=value_bytes(not_equal))
    return _set_if(key, value, ttl_ms, pb.SetIfRequest(present_and_not_equal=condition))


def set_if_absent_or_equal_request(key: Bytes, value: Bytes, equal: Bytes, ttl_ms: int) -> pb.SetIfRequest:
    """Ask that an item be stored where there is none, or its value is `equal`."""
    condition = pb.AbsentOrEqual(value_to_check=value_bytes(equal))
    return _set_if(key, value, ttl_ms, pb.SetIfRequest(absent_or_equal=condition))


def read_set_if(reply: pb.SetIfResponse) -> SetIfResponse:
    """Return whether the condition held."""
    match reply.WhichOneof("result"):
        case "stored":
            return STORED
        case "not_stored":
            return NOT_STORED
        case _:
            raise _unexpected("SetIf", "")


def delete_request(key: Bytes) -> pb.DeleteRequest:
    """Ask that an item be gone."""
    return pb.DeleteRequest(cache_key=key_bytes(key))


def keys_exist_requests(keys: Iterable[Bytes], max_bytes: int) -> list[pb.KeysExistRequest]:
    """Ask of many keys whether they exist, in as many requests as the message limit makes of them."""
    encoded = many_keys(keys)
    parts = _parts([len(key) for key in encoded], max_bytes)
    return [pb.KeysExistRequest(cache_keys=encoded[part]) for part in parts]


def read_keys_exist(asked: int, reply: pb.KeysExistResponse) -> list[bool]:
    """Return which keys of one request exist, in the order asked."""
    _check_count("KeysExist", asked, len(reply.exists))
    return list(reply.exists)


def increment_request(key: Bytes, amount: int, ttl_ms: int) -> pb.IncrementRequest:
    """Ask that a number be added to an item.

    Raises:
        InvalidArgumentError: The amount is not an integer of 64 bits.
    """
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise InvalidArgumentError(f"the amount is of type {type(amount).__name__}: give an integer of 64 bits")
    if amount not in _INT64:
        raise InvalidArgumentError("the amount is out of range: give an integer of 64 bits, -(2**63) to 2**63 - 1")
    return pb.IncrementRequest(cache_key=key_bytes(key), amount=amount, ttl_milliseconds=ttl_ms)


def item_get_ttl_request(key: Bytes) -> pb.ItemGetTtlRequest:
    """Ask how long an item has left."""
    return pb.ItemGetTtlRequest(cache_key=key_bytes(key))


def read_item_get_ttl(reply: pb.ItemGetTtlResponse) -> timedelta | None:
    """Return how long an item has left, or None where there is none."""
    match reply.WhichOneof("result"):
        case "found":
            try:
                return timedelta(milliseconds=reply.found.remaining_ttl_millis)
            except OverflowError:
                raise _unexpected("ItemGetTtl", "a time to live of more than a timedelta holds") from None
        case "missing":
            return None
        case _:
            raise _unexpected("ItemGetTtl", "")


def update_ttl_request(key: Bytes, ttl: Ttl) -> pb.UpdateTtlRequest:
    """Ask that an item live this long from now."""
    return pb.UpdateTtlRequest(cache_key=key_bytes(key), overwrite_to_milliseconds=ttl_milliseconds(ttl))


def increase_ttl_request(key: Bytes, ttl: Ttl) -> pb.UpdateTtlRequest:
    """Ask that an item live this long from now, if that is longer than it would."""
    return pb.UpdateTtlRequest(cache_key=key_bytes(key), increase_to_milliseconds=ttl_milliseconds(ttl))


def decrease_ttl_request(key: Bytes, ttl: Ttl) -> pb.UpdateTtlRequest:
    """Ask that an item live this long from now, if that is shorter than it would."""
    return pb.UpdateTtlRequest(cache_key=key_bytes(key), decrease_to_milliseconds=ttl_milliseconds(ttl))


def read_update_ttl(reply: pb.UpdateTtlResponse) -> TtlUpdate:
    """Return what became of the time to live."""
    match reply.WhichOneof("result"):
        case "set":
            return TtlUpdate.SET
        case "not_set":
            return TtlUpdate.NOT_SET
        case "missing":
            return TtlUpdate.MISSING
        case _:
            raise _unexpected("UpdateTtl", "")


def _set_if(key: Bytes, value: Bytes, ttl_ms: int, request: pb.SetIfRequest) -> pb.SetIfRequest:
    request.cache_key, request.cache_body = item_bytes(key, value)
    request.ttl_milliseconds = ttl_ms
    return request


def _parts(sizes: Sequence[int], max_bytes: int) -> list[slice]:
    """Cut a sequence into runs that each fit a message; an item that fits none goes alone, for the wire to refuse."""
    parts: list[slice] = []
    start = used = 0
    for index, size in enumerate(sizes):
        used += size + _ITEM_OVERHEAD_BYTES
        if used > max_bytes and index > start:
            parts.append(slice(start, index))
            start, used = index, size + _ITEM_OVERHEAD_BYTES
    if start < len(sizes):
        parts.append(slice(start, len(sizes)))
    return parts


def _check_count(procedure: str, asked: int, answered: int) -> None:
    if asked != answered:
        raise UnknownError(f"{procedure} answered {answered} of {asked} items")


def _unexpected(procedure: str, message: str) -> UnknownError:
    return UnknownError(f"{procedure} gave an answer that the protocol does not name: {message or 'no reason given'}")
