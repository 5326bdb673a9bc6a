from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
import jwt
import pytest

from momento_lambda.credentials import CredentialProvider
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server import LocalServer, SigningKey, TokenFormat
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.procedure import Procedure
from momento_lambda.server.server import CacheServer
from momento_lambda.server.signing_key import SigningKeysInMemory
from momento_lambda.server.token_service import PROCEDURES
from momento_lambda.server.tokens import create_token
from momento_lambda.wire import auth_pb2 as pb
from momento_lambda.wire import auth_rpcs as rpcs
from momento_lambda.wire import cache_pb2, cache_rpcs

Call = Callable[..., Any]

ONE_MINUTE = pb.GenerateDisposableTokenRequest.Expires(valid_for_seconds=60)
All = pb.PermissionsType.All
CachePermissions = pb.PermissionsType.CachePermissions
TopicPermissions = pb.PermissionsType.TopicPermissions
READ = pb.CacheReadOnly


def explicit(*permissions: pb.PermissionsType) -> pb.Permissions:
    """Return permissions as a message."""
    return pb.Permissions(explicit=pb.ExplicitPermissions(permissions=permissions))


def items(**fields: Any) -> pb.Permissions:
    """Return one permission for items as a message."""
    return explicit(pb.PermissionsType(cache_permissions=CachePermissions(**fields)))


def topics(**fields: Any) -> pb.Permissions:
    """Return one permission for topics as a message."""
    return explicit(pb.PermissionsType(topic_permissions=TopicPermissions(**fields)))


READING = items(role=READ, all_caches=All())
ASKING = pb.GenerateDisposableTokenRequest(expires=ONE_MINUTE, permissions=READING)

REFUSED = {
    "nothing": pb.Permissions(),
    "an empty list": explicit(),
    "everything": pb.Permissions(super_user=pb.SuperUser),
    "a permission of no kind": explicit(pb.PermissionsType()),
    "functions": explicit(
        pb.PermissionsType(
            function_permissions=pb.PermissionsType.FunctionPermissions(role=pb.FunctionInvoke, all_caches=All())
        )
    ),
    "no role": items(all_caches=All()),
    "a role that denies": items(role=pb.CachePermitNone, all_caches=All()),
    "no cache": items(role=READ),
    "a cache without a name": items(role=READ, cache_selector=pb.PermissionsType.CacheSelector()),
    "a cache that cannot be": items(role=READ, cache_selector=pb.PermissionsType.CacheSelector(cache_name="naïve")),
    "items that are not named": items(
        role=READ, all_caches=All(), item_selector=pb.PermissionsType.CacheItemSelector()
    ),
    "topics that are not named": topics(role=pb.TopicReadOnly, all_caches=All()),
    "topics without a name": topics(
        role=pb.TopicReadOnly, all_caches=All(), topic_selector=pb.PermissionsType.TopicSelector()
    ),
}


class TestDisposableTokens:
    @pytest.mark.parametrize("permissions", REFUSED.values(), ids=REFUSED)
    def test_what_cannot_be_said_is_refused(self, refusal: Call, permissions: pb.Permissions) -> None:
        """What a server of another age might take for more than was meant makes no token."""
        request = pb.GenerateDisposableTokenRequest(expires=ONE_MINUTE, permissions=permissions)
        status, _, words = refusal(rpcs.GENERATE_DISPOSABLE_TOKEN, request)
        assert "INVALID_ARGUMENT" == status
        assert "permission" in words or "disposable token" in words or "cache name" in words

    @pytest.mark.parametrize("expires", [None, pb.GenerateDisposableTokenRequest.Expires()], ids=["absent", "zero"])
    def test_one_must_expire(self, refusal: Call, expires: Any) -> None:
        """There is no token without end for the asking."""
        request = pb.GenerateDisposableTokenRequest(expires=expires, permissions=READING)
        assert "INVALID_ARGUMENT" == refusal(rpcs.GENERATE_DISPOSABLE_TOKEN, request)[0]

    def test_the_token_may_stand_in_the_message(self, server: LocalServer, call: Call, refusal: Call) -> None:
        """Some clients send it there and in no header; it counts as any other."""
        request = pb.GenerateDisposableTokenRequest()
        request.CopyFrom(ASKING)
        request.auth_token = server.create_token(allow="read:*")
        made = call(rpcs.GENERATE_DISPOSABLE_TOKEN, request, token=None).api_key
        call(cache_rpcs.GET, cache_pb2.GetRequest(cache_key=b"key"), token=made)
        request.auth_token = server.create_token(allow="read:cache")
        assert "PERMISSION_DENIED" == refusal(rpcs.GENERATE_DISPOSABLE_TOKEN, request, token=None)[0]
        request.auth_token = "junk"
        assert "UNAUTHENTICATED" == refusal(rpcs.GENERATE_DISPOSABLE_TOKEN, request, token=None)[0]

    @pytest.mark.parametrize("message", [b"", b"\xff\xff\xff"], ids=["empty", "no message"])
    def test_no_token_in_either_place(self, refusal: Call, message: bytes) -> None:
        """Whoever has none learns nothing else."""
        assert "UNAUTHENTICATED" == refusal(rpcs.GENERATE_DISPOSABLE_TOKEN, message, token=None)[0]


@pytest.mark.parametrize(
    ("public", "format", "leads"),
    [
        (None, "legacy", "asked.example.com:1"),
        (None, "v1", "here"),
        (None, "v2", "here"),
        ("public.example.com", "legacy", "public.example.com"),
        ("public.example.com:9", "v2", "public.example.com:9"),
    ],
)
async def test_where_a_token_leads(public: str | None, format: TokenFormat, leads: str) -> None:  # noqa: A002  # the word
    """Where the server was told that it is reached, else where the token does that asks, else where it listens."""
    key = SigningKey.generate()
    server = CacheServer(MemoryStore(), keys=SigningKeysInMemory(key), public_endpoint=public)
    asking = create_token(key, endpoint="asked.example.com:1", format=format)
    secret = CredentialProvider.from_string(asking, endpoint="any.example.com").auth_token
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.endpoint.target) as channel:
            rpc = rpcs.GENERATE_DISPOSABLE_TOKEN
            ask: Any = channel.unary_unary(rpc.path, rpc.request.SerializeToString, rpc.reply.FromString)
            made = await ask(ASKING, metadata=(("authorization", secret),), timeout=20)
    finally:
        await server.stop(0)
    expected = server.endpoint.target if leads == "here" else leads
    assert expected == made.endpoint
    claims = jwt.decode(made.api_key, options={"verify_signature": False})
    assert (expected, expected, made.valid_until) == (claims["c"], claims["cp"], claims["exp"])


def test_the_public_endpoint_must_be_an_address() -> None:
    """No server starts whose tokens would lead nowhere."""
    with pytest.raises(InvalidArgumentError, match="host:port"):
        CacheServer(MemoryStore(), keys=SigningKeysInMemory(), public_endpoint="http://host")


def test_a_key_must_expire(refusal: Call) -> None:
    """A key that is made by a call has an end."""
    assert "INVALID_ARGUMENT" == refusal(rpcs.CREATE_SIGNING_KEY, pb.CreateSigningKeyRequest())[0]


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.rpc.name)
def test_a_server_without_tokens_makes_none(procedure: Procedure) -> None:
    """Where nobody is asked for one, nobody gets one either, nor a key."""
    with LocalServer(authenticate=False) as server, grpc.insecure_channel(server.address) as channel:
        ask: Any = channel.unary_unary(procedure.rpc.path)
        with pytest.raises(grpc.RpcError, match="asks for no token") as caught:
            ask(b"", timeout=20)
    failed: Any = caught.value
    assert grpc.StatusCode.FAILED_PRECONDITION == failed.code()
