from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import grpc
import pytest

from momento_lambda.server import LocalServer
from momento_lambda.server.cache_service import PROCEDURES as CACHE_PROCEDURES
from momento_lambda.server.control_service import PROCEDURES as CONTROL_PROCEDURES
from momento_lambda.server.procedure import Procedure
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire import control_rpcs
from momento_lambda.wire.rpc import Rpc

Call = Callable[..., Any]


class Asked(NamedTuple):
    """A procedure, what it needs, and how it is asked about keys."""

    rpc: Rpc[Any, Any]
    rights: str
    about: Callable[[Sequence[bytes]], Any]


def _set(key: bytes) -> pb.SetRequest:
    return pb.SetRequest(cache_key=key, cache_body=b"5", ttl_milliseconds=60_000)


ASKED = {
    asked.rpc.name: asked
    for asked in [
        Asked(rpcs.GET, "read", lambda keys: pb.GetRequest(cache_key=keys[0])),
        Asked(
            rpcs.GET_BATCH,
            "read",
            lambda keys: pb.GetBatchRequest(items=[pb.GetRequest(cache_key=key) for key in keys]),
        ),
        Asked(rpcs.SET, "write", lambda keys: _set(keys[0])),
        Asked(rpcs.SET_BATCH, "write", lambda keys: pb.SetBatchRequest(items=map(_set, keys))),
        Asked(
            rpcs.SET_IF,
            "read-write",
            lambda keys: pb.SetIfRequest(cache_key=keys[0], cache_body=b"5", present=pb.Present(), ttl_milliseconds=60),
        ),
        Asked(
            rpcs.SET_IF_NOT_EXISTS,
            "read-write",
            lambda keys: pb.SetIfNotExistsRequest(cache_key=keys[0], cache_body=b"5", ttl_milliseconds=60_000),
        ),
        Asked(rpcs.DELETE, "write", lambda keys: pb.DeleteRequest(cache_key=keys[0])),
        Asked(rpcs.KEYS_EXIST, "read", lambda keys: pb.KeysExistRequest(cache_keys=keys)),
        Asked(
            rpcs.INCREMENT,
            "read-write",
            lambda keys: pb.IncrementRequest(cache_key=keys[0], amount=1, ttl_milliseconds=60_000),
        ),
        Asked(
            rpcs.UPDATE_TTL,
            "read-write",
            lambda keys: pb.UpdateTtlRequest(cache_key=keys[0], overwrite_to_milliseconds=1_000),
        ),
        Asked(rpcs.ITEM_GET_TTL, "read", lambda keys: pb.ItemGetTtlRequest(cache_key=keys[0])),
        Asked(rpcs.ITEM_GET_TYPE, "read", lambda keys: pb.ItemGetTypeRequest(cache_key=keys[0])),
    ]
}
BATCHES = [asked for asked in ASKED.values() if asked.rpc in {rpcs.GET_BATCH, rpcs.SET_BATCH, rpcs.KEYS_EXIST}]

SUFFICIENT = {
    "read": ({"read"}, {"read-write"}),
    "write": ({"write"}, {"read-write"}),
    "read-write": ({"read-write"}, {"read", "write"}),
}
SCOPES = ["*", "cache", "*/k*", "cache/k*", "cache/key"]
ELSEWHERE = ["other", "cache/l*", "cache/k", "cache/keys*", "*/other"]

every_procedure = pytest.mark.parametrize("asked", ASKED.values(), ids=list(ASKED))


@pytest.fixture
def kept(call: Call) -> Callable[[], list[tuple[bytes, int]]]:
    """Put two items there, and say what is there with its time to live."""
    keys = [b"key", b"secret"]
    for key in keys:
        call(rpcs.SET, pb.SetRequest(cache_key=key, cache_body=b"1", ttl_milliseconds=10_000))

    def look() -> list[tuple[bytes, int]]:
        return [
            (
                call(rpcs.GET, pb.GetRequest(cache_key=key)).cache_body,
                call(rpcs.ITEM_GET_TTL, pb.ItemGetTtlRequest(cache_key=key)).found.remaining_ttl_millis,
            )
            for key in keys
        ]

    return look


def test_every_procedure_is_asked_below() -> None:
    """What is offered of items is what the tables speak of."""
    assert sorted(ASKED) == sorted(procedure.rpc.name for procedure in CACHE_PROCEDURES)


@every_procedure
class TestEveryProcedure:
    def test_is_answered_where_it_is_allowed(self, server: LocalServer, call: Call, asked: Asked) -> None:
        """With the rights it needs, over its key in any way, from one permission or several."""
        for scope, words in product(SCOPES, SUFFICIENT[asked.rights]):
            token = server.create_token(allow=["read:another", *(f"{word}:{scope}" for word in words)])
            call(asked.rpc, asked.about([b"key"]), token=token)

    def test_is_denied_elsewhere(self, server: LocalServer, refusal: Call, kept: Call, asked: Asked) -> None:
        """With rights over another cache or other keys, and nothing changes."""
        before = kept()
        for scope in ELSEWHERE:
            token = server.create_token(allow=f"read-write:{scope}")
            assert "PERMISSION_DENIED" == refusal(asked.rpc, asked.about([b"key"]), token=token)[0], scope
        assert before == kept()

    def test_is_denied_without_each_right(self, server: LocalServer, refusal: Call, kept: Call, asked: Asked) -> None:
        """Reading alone does not write, writing alone does not read, and nothing changes."""
        before = kept()
        for scope, word in product(SCOPES, {"read", "write"} - {asked.rights}):
            token = server.create_token(allow=[f"{word}:{scope}", f"publish-subscribe:{scope}"])
            assert "PERMISSION_DENIED" == refusal(asked.rpc, asked.about([b"key"]), token=token)[0], (scope, word)
        assert before == kept()


@pytest.mark.parametrize("asked", BATCHES, ids=lambda asked: asked.rpc.name)
class TestBatches:
    def test_one_key_that_is_not_allowed_denies_all(
        self, server: LocalServer, call: Call, refusal: Call, kept: Call, asked: Asked
    ) -> None:
        """The words count to the first such key, nothing is answered of the others, and nothing is stored."""
        before = kept()
        token = server.create_token(allow=f"{asked.rights}:cache/key*")
        keys = [b"key", b"key2", b"secret", b"another"]
        status, _, words = refusal(asked.rpc, asked.about(keys), token=token)
        assert "PERMISSION_DENIED" == status
        assert "number 3 of 4" in words
        assert before == kept()
        assert [False] == call(rpcs.KEYS_EXIST, pb.KeysExistRequest(cache_keys=[b"key2"])).exists
        call(asked.rpc, asked.about(keys[:2]), token=token)

    def test_none_at_all(self, server: LocalServer, call: Call, refusal: Call, asked: Asked) -> None:
        """A batch of nothing is answered to those who may do something of its kind in the cache."""
        call(asked.rpc, asked.about([]), token=server.create_token(allow=f"{asked.rights}:cache/key"))
        token = server.create_token(allow=f"{asked.rights}:other")
        assert "PERMISSION_DENIED" == refusal(asked.rpc, asked.about([]), token=token)[0]


@every_procedure
def test_bytes_that_are_no_message_tell_nothing(server: LocalServer, refusal: Call, asked: Asked) -> None:
    """Where a key would have to be looked at they are an argument error, after what needs no key."""
    nonsense = b"\xff\xff\xff"
    assert "INVALID_ARGUMENT" == refusal(asked.rpc, nonsense, token=server.create_token(allow="read-write:cache/k"))[0]
    assert "PERMISSION_DENIED" == refusal(asked.rpc, nonsense, token=server.create_token(allow="read-write:no"))[0]


@pytest.mark.parametrize("caches", [("mine", "cache"), ("cache", "mine")])
def test_a_cache_named_twice(server: LocalServer, channel: grpc.Channel, caches: tuple[str, str]) -> None:
    """Two headers do not name one cache to what is allowed and another to what is done."""
    ask = channel.unary_unary(rpcs.GET.path, rpcs.GET.request.SerializeToString, rpcs.GET.reply.FromString)
    token = server.create_token(allow="read-write:mine")
    metadata = (("authorization", token), *(("cache", cache) for cache in caches))
    with pytest.raises(grpc.RpcError) as caught:
        ask(pb.GetRequest(cache_key=b"key"), metadata=metadata, timeout=20)
    failed: Any = caught.value
    assert failed.code().name in {"PERMISSION_DENIED", "NOT_FOUND"}


@pytest.mark.parametrize(
    "procedure",
    [procedure for procedure in CONTROL_PROCEDURES if procedure.rpc is not rpcs.PING],
    ids=lambda procedure: procedure.rpc.name,
)
def test_caches_themselves_are_for_those_who_may_do_everything(
    server: LocalServer, call: Call, refusal: Call, procedure: Procedure
) -> None:
    """A token for items, whichever they are, may not so much as list the caches."""
    token = server.create_token(allow=["read-write:*", "publish-subscribe:*"])
    request = procedure.rpc.request()
    if request.DESCRIPTOR.fields_by_name.get("cache_name"):
        request.cache_name = "cache"
    assert "PERMISSION_DENIED" == refusal(procedure.rpc, request, token=token)[0]
    listed = call(control_rpcs.LIST_CACHES, control_rpcs.list_caches_request(None))
    assert ["cache"] == [cache.cache_name for cache in listed.cache]


def test_the_ping_asks_for_no_token(call: Call) -> None:
    """Whoever has none may find out that the server is there."""
    assert pb.PingResponse() == call(rpcs.PING, pb.PingRequest(), token=None)
