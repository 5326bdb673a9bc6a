"""Our client, understood by a server made of the official definition alone."""

# ruff: noqa: SLF001  # every official message has a name that begins with an underscore

from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf.message import Message
from momento.auth.access_control.disposable_token_scopes import DisposableTokenScopes
from momento.internal._utilities._permissions import permissions_from_disposable_token_scope
from momento_wire_types import cacheclient_pb2 as pb
from momento_wire_types import cacheclient_pb2_grpc, common_pb2, controlclient_pb2_grpc, token_pb2_grpc
from momento_wire_types import controlclient_pb2 as control_pb
from momento_wire_types import token_pb2 as token_pb

from momento_lambda import (
    CacheInfo,
    CachePage,
    Created,
    CredentialProvider,
    DisposableToken,
    Hit,
    Miss,
    NewSigningKey,
    NotStored,
    SigningKeyInfo,
    SimpleCacheClient,
    Stored,
    TtlUpdate,
)

Call: TypeAlias = Callable[[SimpleCacheClient], object]

# What our client is asked, the official message that must arrive, the official answers, and what our client returns.
SCALARS: dict[str, tuple[str, Call, Message, list[Message], object]] = {
    "get a hit": (
        "Get",
        lambda client: client.get("cache", "key"),
        pb._GetRequest(cache_key=b"key"),
        [pb._GetResponse(result=pb.Hit, cache_body=b"value")],
        Hit(b"value"),
    ),
    "get a miss": (
        "Get",
        lambda client: client.get("cache", b"\xff"),
        pb._GetRequest(cache_key=b"\xff"),
        [pb._GetResponse(result=pb.Miss)],
        Miss(),
    ),
    "set": (
        "Set",
        lambda client: client.set("cache", "key", "value", 1.5),
        pb._SetRequest(cache_key=b"key", cache_body=b"value", ttl_milliseconds=1_500),
        [pb._SetResponse(result=pb.Ok)],
        None,
    ),
    "delete": (
        "Delete",
        lambda client: client.delete("cache", "key"),
        pb._DeleteRequest(cache_key=b"key"),
        [pb._DeleteResponse()],
        None,
    ),
    "get_multi": (
        "GetBatch",
        lambda client: client.get_multi("cache", ["a", "b"]),
        pb._GetBatchRequest(items=[pb._GetRequest(cache_key=b"a"), pb._GetRequest(cache_key=b"b")]),
        [pb._GetResponse(result=pb.Miss), pb._GetResponse(result=pb.Hit, cache_body=b"2")],
        (Miss(), Hit(b"2")),
    ),
    "set_multi": (
        "SetBatch",
        lambda client: client.set_multi("cache", {"a": "1", "b": "2"}, ttl=5, ttls={"b": 7}),
        pb._SetBatchRequest(
            items=[
                pb._SetRequest(cache_key=b"a", cache_body=b"1", ttl_milliseconds=5_000),
                pb._SetRequest(cache_key=b"b", cache_body=b"2", ttl_milliseconds=7_000),
            ]
        ),
        [pb._SetResponse(result=pb.Ok)] * 2,
        None,
    ),
    "set_if_absent": (
        "SetIf",
        lambda client: client.set_if_absent("cache", "key", "value"),
        pb._SetIfRequest(cache_key=b"key", cache_body=b"value", ttl_milliseconds=60_000, absent=common_pb2.Absent()),
        [pb._SetIfResponse(stored=pb._SetIfResponse._Stored())],
        Stored(),
    ),
    "set_if_present": (
        "SetIf",
        lambda client: client.set_if_present("cache", "key", "value"),
        pb._SetIfRequest(cache_key=b"key", cache_body=b"value", ttl_milliseconds=60_000, present=common_pb2.Present()),
        [pb._SetIfResponse(not_stored=pb._SetIfResponse._NotStored())],
        NotStored(),
    ),
    "set_if_equal": (
        "SetIf",
        lambda client: client.set_if_equal("cache", "key", "value", "old"),
        pb._SetIfRequest(
            cache_key=b"key",
            cache_body=b"value",
            ttl_milliseconds=60_000,
            equal=common_pb2.Equal(value_to_check=b"old"),
        ),
        [pb._SetIfResponse(stored=pb._SetIfResponse._Stored())],
        Stored(),
    ),
    "set_if_not_equal": (
        "SetIf",
        lambda client: client.set_if_not_equal("cache", "key", "value", "old"),
        pb._SetIfRequest(
            cache_key=b"key",
            cache_body=b"value",
            ttl_milliseconds=60_000,
            not_equal=common_pb2.NotEqual(value_to_check=b"old"),
        ),
        [pb._SetIfResponse(stored=pb._SetIfResponse._Stored())],
        Stored(),
    ),
    "set_if_present_and_not_equal": (
        "SetIf",
        lambda client: client.set_if_present_and_not_equal("cache", "key", "value", "old"),
        pb._SetIfRequest(
            cache_key=b"key",
            cache_body=b"value",
            ttl_milliseconds=60_000,
            present_and_not_equal=common_pb2.PresentAndNotEqual(value_to_check=b"old"),
        ),
        [pb._SetIfResponse(stored=pb._SetIfResponse._Stored())],
        Stored(),
    ),
    "set_if_absent_or_equal": (
        "SetIf",
        lambda client: client.set_if_absent_or_equal("cache", "key", "value", "old"),
        pb._SetIfRequest(
            cache_key=b"key",
            cache_body=b"value",
            ttl_milliseconds=60_000,
            absent_or_equal=common_pb2.AbsentOrEqual(value_to_check=b"old"),
        ),
        [pb._SetIfResponse(stored=pb._SetIfResponse._Stored())],
        Stored(),
    ),
    "increment": (
        "Increment",
        lambda client: client.increment("cache", "key", -3, 9),
        pb._IncrementRequest(cache_key=b"key", amount=-3, ttl_milliseconds=9_000),
        [pb._IncrementResponse(value=-4)],
        -4,
    ),
    "keys_exist": (
        "KeysExist",
        lambda client: client.keys_exist("cache", ["a", "b"]),
        pb._KeysExistRequest(cache_keys=[b"a", b"b"]),
        [pb._KeysExistResponse(exists=[True, False])],
        (True, False),
    ),
    "item_get_ttl": (
        "ItemGetTtl",
        lambda client: client.item_get_ttl("cache", "key"),
        pb._ItemGetTtlRequest(cache_key=b"key"),
        [pb._ItemGetTtlResponse(found=pb._ItemGetTtlResponse._Found(remaining_ttl_millis=1_234))],
        timedelta(milliseconds=1_234),
    ),
    "item_get_ttl of nothing": (
        "ItemGetTtl",
        lambda client: client.item_get_ttl("cache", "key"),
        pb._ItemGetTtlRequest(cache_key=b"key"),
        [pb._ItemGetTtlResponse(missing=pb._ItemGetTtlResponse._Missing())],
        None,
    ),
    "update_ttl": (
        "UpdateTtl",
        lambda client: client.update_ttl("cache", "key", 3),
        pb._UpdateTtlRequest(cache_key=b"key", overwrite_to_milliseconds=3_000),
        [pb._UpdateTtlResponse(set=pb._UpdateTtlResponse._Set())],
        TtlUpdate.SET,
    ),
    "increase_ttl": (
        "UpdateTtl",
        lambda client: client.increase_ttl("cache", "key", 3),
        pb._UpdateTtlRequest(cache_key=b"key", increase_to_milliseconds=3_000),
        [pb._UpdateTtlResponse(not_set=pb._UpdateTtlResponse._NotSet())],
        TtlUpdate.NOT_SET,
    ),
    "decrease_ttl": (
        "UpdateTtl",
        lambda client: client.decrease_ttl("cache", "key", 3),
        pb._UpdateTtlRequest(cache_key=b"key", decrease_to_milliseconds=3_000),
        [pb._UpdateTtlResponse(missing=pb._UpdateTtlResponse._Missing())],
        TtlUpdate.MISSING,
    ),
}
CONTROLS: dict[str, tuple[str, Call, Message, list[Message], object]] = {
    "create_cache": (
        "CreateCache",
        lambda client: client.create_cache("cache"),
        control_pb._CreateCacheRequest(cache_name="cache"),
        [control_pb._CreateCacheResponse()],
        Created(),
    ),
    "delete_cache": (
        "DeleteCache",
        lambda client: client.delete_cache("cache"),
        control_pb._DeleteCacheRequest(cache_name="cache"),
        [control_pb._DeleteCacheResponse()],
        None,
    ),
    "flush_cache": (
        "FlushCache",
        lambda client: client.flush_cache("cache"),
        control_pb._FlushCacheRequest(cache_name="cache"),
        [control_pb._FlushCacheResponse()],
        None,
    ),
    "list_caches": (
        "ListCaches",
        lambda client: client.list_caches("the second page"),
        control_pb._ListCachesRequest(next_token="the second page"),
        [control_pb._ListCachesResponse(cache=[control_pb._Cache(cache_name="cache")], next_token="the third")],
        CachePage((CacheInfo("cache"),), "the third"),
    ),
}
EXPIRY = datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC)
TOKENS: dict[str, tuple[str, Call, Message, list[Message], object]] = {
    "create_token": (
        "GenerateDisposableToken",
        lambda client: client.create_token("read:cache/k*", "15m", token_id="guest"),
        token_pb._GenerateDisposableTokenRequest(
            expires=token_pb._GenerateDisposableTokenRequest.Expires(valid_for_seconds=900),
            permissions=permissions_from_disposable_token_scope(
                DisposableTokenScopes.cache_key_prefix_read_only("cache", "k")
            ),
            token_id="guest",
        ),
        [token_pb._GenerateDisposableTokenResponse(api_key="key", endpoint="localhost", valid_until=2_000_000_000)],
        DisposableToken(b64encode(b'{"endpoint": "localhost", "api_key": "key"}').decode(), EXPIRY),
    ),
    "create_signing_key": (
        "CreateSigningKey",
        lambda client: client.create_signing_key("2h"),
        control_pb._CreateSigningKeyRequest(ttl_minutes=120),
        [control_pb._CreateSigningKeyResponse(key='{"kid": "id"}', expires_at=2_000_000_000)],
        NewSigningKey("id", '{"kid": "id"}', EXPIRY),
    ),
    "list_signing_keys": (
        "ListSigningKeys",
        lambda client: client.list_signing_keys(),
        control_pb._ListSigningKeysRequest(),
        [
            control_pb._ListSigningKeysResponse(
                signing_key=[control_pb._SigningKey(key_id="id", expires_at=2_000_000_000)]
            )
        ],
        (SigningKeyInfo("id", EXPIRY),),
    ),
    "revoke_signing_key": (
        "RevokeSigningKey",
        lambda client: client.revoke_signing_key("id"),
        control_pb._RevokeSigningKeyRequest(key_id="id"),
        [control_pb._RevokeSigningKeyResponse()],
        None,
    ),
}
CASES = SCALARS | CONTROLS | TOKENS
STREAMS = {"GetBatch", "SetBatch"}


class OfficialServer:
    """The official servicers, each procedure answered with what a test gives it."""

    def __init__(self) -> None:
        self.requests: list[Message] = []
        self._server = grpc.server(ThreadPoolExecutor(4))
        self._scalars: Any = cacheclient_pb2_grpc.ScsServicer()
        self._controls: Any = controlclient_pb2_grpc.ScsControlServicer()
        self._tokens: Any = token_pb2_grpc.TokenServicer()
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def start(self, rpc: str, replies: list[Message]) -> None:
        """Serve, with these replies to one procedure."""

        def one(request: Message, _context: grpc.ServicerContext) -> Message:
            self.requests.append(request)
            return replies[0]

        def each(request: Message, _context: grpc.ServicerContext) -> Iterator[Message]:
            self.requests.append(request)
            yield from replies

        for servicer in (self._scalars, self._controls, self._tokens):
            if hasattr(servicer, rpc):
                setattr(servicer, rpc, each if rpc in STREAMS else one)
        cacheclient_pb2_grpc.add_ScsServicer_to_server(self._scalars, self._server)  # type: ignore[no-untyped-call]  # generated without types
        controlclient_pb2_grpc.add_ScsControlServicer_to_server(self._controls, self._server)  # type: ignore[no-untyped-call]  # as above
        token_pb2_grpc.add_TokenServicer_to_server(self._tokens, self._server)  # type: ignore[no-untyped-call]  # as above
        self._server.start()

    def stop(self) -> None:
        """End."""
        self._server.stop(None).wait()


@pytest.fixture
def official_server() -> Iterator[OfficialServer]:
    """A server made of the official definition."""
    server = OfficialServer()
    yield server
    server.stop()


@pytest.mark.parametrize("case", CASES)
def test_understood(official_server: OfficialServer, case: str) -> None:
    """What our client sends is the official message, and it reads the official answer."""
    rpc, call, expected, replies, result = CASES[case]
    official_server.start(rpc, replies)

    with SimpleCacheClient(CredentialProvider.for_local(port=official_server.port), 60) as client:
        answer = call(client)

    assert ([expected], result) == (official_server.requests, answer)


def test_every_method_is_a_case() -> None:
    """No method that sends something official is left out of the cases."""
    methods = {name for name in vars(SimpleCacheClient) if not name.startswith("_")}

    # These send nothing; the official Python definitions have no Ping; the last two send what cases send.
    no_cases = {"close", "disconnect", "ping", "iter_caches", "set_if_not_exists"}
    assert no_cases == methods - {case.split()[0] for case in CASES}
