"""What the official client has no method for, asked of our server in the official messages."""

# ruff: noqa: SLF001  # every official message has a name that begins with an underscore

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import trustme
from momento_wire_types import cacheclient_pb2 as pb
from momento_wire_types import cacheclient_pb2_grpc, common_pb2

from momento_lambda import Hit, Miss, SimpleCacheClient
from momento_lambda.server import LocalServer

CACHE = "users-cache"
SCALAR = pb._ItemGetTypeResponse.SCALAR


@pytest.fixture
def stub(server: LocalServer, transport: str, authority: trustme.CA) -> Iterator[Any]:
    """The official stub, connected to our server."""
    if transport == "tls":
        trusted = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        channel = grpc.secure_channel(server.address, trusted)
    else:
        channel = grpc.insecure_channel(server.address)
    with channel:
        yield cacheclient_pb2_grpc.ScsStub(channel)  # type: ignore[no-untyped-call]  # generated without types


@pytest.fixture
def metadata(server: LocalServer) -> tuple[tuple[str, str], ...]:
    """The headers of a call."""
    return ("authorization", server.create_token()), ("cache", CACHE)


CONDITIONS = [
    pytest.param({"present": common_pb2.Present()}, {"same", "other"}, id="present"),
    pytest.param({"absent": common_pb2.Absent()}, {None}, id="absent"),
    pytest.param({"equal": common_pb2.Equal(value_to_check=b"same")}, {"same"}, id="equal"),
    pytest.param({"not_equal": common_pb2.NotEqual(value_to_check=b"same")}, {None, "other"}, id="not equal"),
    pytest.param(
        {"present_and_not_equal": common_pb2.PresentAndNotEqual(value_to_check=b"same")},
        {"other"},
        id="present and not equal",
    ),
    pytest.param(
        {"absent_or_equal": common_pb2.AbsentOrEqual(value_to_check=b"same")}, {None, "same"}, id="absent or equal"
    ),
]


@pytest.mark.parametrize(("condition", "stores_when"), CONDITIONS)
@pytest.mark.parametrize("before", [None, "same", "other"])
def test_set_if(
    stub: Any,
    metadata: Any,
    ours: SimpleCacheClient,
    *,
    condition: Any,
    stores_when: set[str | None],
    before: str | None,
) -> None:
    """Every condition stores in the states that its name says, and in no other."""
    if before is not None:
        ours.set(CACHE, "key", before)
    request = pb._SetIfRequest(cache_key=b"key", cache_body=b"new", ttl_milliseconds=5_000, **condition)

    answer = stub.SetIf(request, metadata=metadata)

    stored = before in stores_when
    unchanged = Miss() if before is None else Hit(before.encode())
    assert ("stored" if stored else "not_stored") == answer.WhichOneof("result")
    assert (Hit(b"new") if stored else unchanged) == ours.get(CACHE, "key")


def test_keys_exist(stub: Any, metadata: Any, ours: SimpleCacheClient) -> None:
    """KeysExist answers in the order asked, and nothing for nothing."""
    ours.set(CACHE, "there", "")

    answer = stub.KeysExist(pb._KeysExistRequest(cache_keys=[b"not", b"there", b"there"]), metadata=metadata)

    assert [False, True, True] == list(answer.exists)
    assert [] == list(stub.KeysExist(pb._KeysExistRequest(), metadata=metadata).exists)


def test_item_get_ttl(stub: Any, metadata: Any, ours: SimpleCacheClient) -> None:
    """ItemGetTtl tells the time left, or that there is no item."""
    ours.set(CACHE, "key", "value", ttl=12.345)

    found = stub.ItemGetTtl(pb._ItemGetTtlRequest(cache_key=b"key"), metadata=metadata)
    missing = stub.ItemGetTtl(pb._ItemGetTtlRequest(cache_key=b"other"), metadata=metadata)

    assert 12_345 == found.found.remaining_ttl_millis
    assert "missing" == missing.WhichOneof("result")


def test_item_get_type(stub: Any, metadata: Any, ours: SimpleCacheClient) -> None:
    """ItemGetType tells that an item is a scalar, or that there is none."""
    ours.set(CACHE, "key", "value")

    found = stub.ItemGetType(pb._ItemGetTypeRequest(cache_key=b"key"), metadata=metadata)
    missing = stub.ItemGetType(pb._ItemGetTypeRequest(cache_key=b"other"), metadata=metadata)

    assert ("found", SCALAR) == (found.WhichOneof("result"), found.found.item_type)
    assert "missing" == missing.WhichOneof("result")


@pytest.mark.parametrize(
    ("change", "answer", "left_ms"),
    [
        ({"overwrite_to_milliseconds": 5_000}, "set", 5_000),
        ({"increase_to_milliseconds": 5_000}, "not_set", 10_000),
        ({"increase_to_milliseconds": 20_000}, "set", 20_000),
        ({"decrease_to_milliseconds": 5_000}, "set", 5_000),
        ({"decrease_to_milliseconds": 20_000}, "not_set", 10_000),
    ],
)
def test_update_ttl(
    stub: Any, metadata: Any, ours: SimpleCacheClient, *, change: dict[str, int], answer: str, left_ms: int
) -> None:
    """UpdateTtl changes the TTL of an item with 10 seconds left as its three ways say."""
    ours.set(CACHE, "key", "value", ttl=10)

    changed = stub.UpdateTtl(pb._UpdateTtlRequest(cache_key=b"key", **change), metadata=metadata)
    missing = stub.UpdateTtl(pb._UpdateTtlRequest(cache_key=b"other", **change), metadata=metadata)

    assert (answer, "missing") == (changed.WhichOneof("result"), missing.WhichOneof("result"))
    left = stub.ItemGetTtl(pb._ItemGetTtlRequest(cache_key=b"key"), metadata=metadata)
    assert left_ms == left.found.remaining_ttl_millis


def test_batches(stub: Any, metadata: Any) -> None:
    """SetBatch and GetBatch stream one answer for each item, in order, each item with its own TTL."""
    items = [
        pb._SetRequest(cache_key=bytes([number]), cache_body=bytes(number), ttl_milliseconds=1_000 + number)
        for number in range(1, 50)
    ]
    stored = list(stub.SetBatch(pb._SetBatchRequest(items=items), metadata=metadata))
    keys = [pb._GetRequest(cache_key=bytes([number])) for number in range(50, 0, -1)]
    found = list(stub.GetBatch(pb._GetBatchRequest(items=keys), metadata=metadata))
    left = stub.ItemGetTtl(pb._ItemGetTtlRequest(cache_key=bytes([7])), metadata=metadata)

    assert [pb.Ok] * 49 == [answer.result for answer in stored]
    assert [pb.Miss] + [pb.Hit] * 49 == [answer.result for answer in found]
    assert [bytes(number) for number in range(49, 0, -1)] == [answer.cache_body for answer in found[1:]]
    assert 1_007 == left.found.remaining_ttl_millis


def test_empty_batches(stub: Any, metadata: Any) -> None:
    """An empty batch is an empty stream."""
    assert [] == list(stub.SetBatch(pb._SetBatchRequest(), metadata=metadata))
    assert [] == list(stub.GetBatch(pb._GetBatchRequest(), metadata=metadata))


@pytest.mark.parametrize("rpc", ["GetBatch", "SetBatch"])
def test_unknown_cache_on_a_stream(stub: Any, metadata: Any, rpc: str) -> None:
    """A batch of a cache that does not exist ends its stream with NOT_FOUND and the trailer `err`."""
    request = pb._GetBatchRequest() if rpc == "GetBatch" else pb._SetBatchRequest()

    with pytest.raises(grpc.RpcError) as caught:
        list(getattr(stub, rpc)(request, metadata=(metadata[0], ("cache", "no-such-cache"))))

    failure: Any = caught.value
    assert grpc.StatusCode.NOT_FOUND == failure.code()
    assert "cache_not_found" == dict(failure.trailing_metadata())["err"]


@pytest.mark.parametrize(
    ("rpc", "request_"),
    [
        ("DictionaryFetch", pb._DictionaryFetchRequest(dictionary_name=b"name")),
        ("ListLength", pb._ListLengthRequest(list_name=b"name")),
        ("SetFetch", pb._SetFetchRequest(set_name=b"name")),
        ("GetWithHash", pb._GetWithHashRequest(cache_key=b"key")),
    ],
)
def test_what_is_not_spoken(stub: Any, metadata: Any, rpc: str, request_: Any) -> None:
    """What our server does not speak is UNIMPLEMENTED, and named."""
    with pytest.raises(grpc.RpcError, match=rpc) as caught:
        getattr(stub, rpc)(request_, metadata=metadata)

    failure: Any = caught.value
    assert grpc.StatusCode.UNIMPLEMENTED == failure.code()


def test_an_item_over_the_limit(stub: Any, metadata: Any) -> None:
    """An item over the limit, within what gRPC lets through, is RESOURCE_EXHAUSTED with the trailer `err`."""
    for size in (5_300_000, 10_500_000):
        request = pb._SetRequest(cache_key=b"key", cache_body=bytes(size), ttl_milliseconds=5_000)

        with pytest.raises(grpc.RpcError) as caught:
            stub.Set(request, metadata=metadata)

        failure: Any = caught.value
        assert grpc.StatusCode.RESOURCE_EXHAUSTED == failure.code()
        assert "request_size_limit_exceeded" == dict(failure.trailing_metadata())["err"]
