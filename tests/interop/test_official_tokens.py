"""The official SDK makes tokens and signing keys on our server, and what it makes is what ours makes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from momento import AuthClient, AuthClientAsync, CacheClientAsync, CredentialProvider
from momento.auth.access_control import disposable_token_scope as scopes
from momento.auth.access_control import permission_scope
from momento.auth.access_control.disposable_token_scope import DisposableTokenProps, DisposableTokenScope
from momento.auth.access_control.disposable_token_scopes import DisposableTokenScopes
from momento.config.auth_configurations import AuthConfigurations
from momento.errors import MomentoErrorCode
from momento.internal._utilities._permissions import permissions_from_disposable_token_scope
from momento.responses import (
    CacheGet,
    CacheIncrement,
    CacheSet,
    CreateSigningKey,
    GenerateDisposableToken,
    ListSigningKeys,
    RevokeSigningKey,
)
from momento.utilities import ExpiresIn
from momento_wire_types import permissionmessages_pb2 as official_pb

from momento_lambda import CredentialProvider as OurCredentialProvider
from momento_lambda import Permission, SimpleCacheClient
from momento_lambda.permissions import Right
from momento_lambda.server import LocalServer
from momento_lambda.wire import auth_pb2
from momento_lambda.wire.permission_messages import permissions_message, read_permissions

if TYPE_CHECKING:
    from tests.interop.conftest import Connect

CACHE = "users-cache"
ALL = permission_scope.AllCaches()

Generate = Callable[..., Awaitable[Any]]

SCOPES = [
    (DisposableTokenScopes.cache_read_write(CACHE), "read-write:users-cache"),
    (DisposableTokenScopes.cache_read_only(ALL), "read:*"),
    (DisposableTokenScopes.cache_write_only(CACHE), "write:users-cache"),
    (DisposableTokenScopes.cache_key_read_only(CACHE, "key"), "read:users-cache/key"),
    (DisposableTokenScopes.cache_key_write_only(ALL, "key"), "write:*/key"),
    (DisposableTokenScopes.cache_key_read_write(CACHE, "k*y"), "read-write:users-cache/k%2Ay"),
    (DisposableTokenScopes.cache_key_prefix_read_only(CACHE, "k"), "read:users-cache/k*"),
    (DisposableTokenScopes.cache_key_prefix_write_only(CACHE, "k"), "write:users-cache/k*"),
    (DisposableTokenScopes.cache_key_prefix_read_write(ALL, "k"), "read-write:*/k*"),
    (DisposableTokenScopes.topic_publish_subscribe(CACHE, "topic"), "publish-subscribe:users-cache/topic"),
    (DisposableTokenScopes.topic_subscribe_only(ALL, permission_scope.AllTopics()), "subscribe:*"),
    (DisposableTokenScopes.topic_publish_only(CACHE, permission_scope.AllTopics()), "publish:users-cache"),
]


@pytest.fixture
def transport() -> str:
    """The official client of tokens takes no authority, so that it reaches our server in plaintext alone."""
    return "plaintext"


@pytest.fixture(params=["sync", "async"])
async def generate(request: pytest.FixtureRequest, server: LocalServer) -> AsyncIterator[Generate]:
    """Have the official client of tokens, with a token that allows everything, make another."""
    host = "127.0.0.1"
    provider = CredentialProvider(server.create_token(), host, host, host, server.port)
    configuration = AuthConfigurations.Laptop.latest()
    if request.param == "async":
        async with AuthClientAsync(configuration, provider) as client:
            yield client.generate_disposable_token
        return
    with AuthClient(configuration, provider) as blocking:
        yield lambda *arguments: asyncio.to_thread(blocking.generate_disposable_token, *arguments)


async def test_disposable_tokens(generate: Generate, connect: "Connect", official: CacheClientAsync) -> None:
    """One is made, read and used, and denied what it was not made for."""
    await official.set(CACHE, "key", "value")
    made = await generate(DisposableTokenScopes.cache_key_prefix_read_only(CACHE, "k"), ExpiresIn.minutes(5))
    assert isinstance(made, GenerateDisposableToken.Success)
    assert made.expires_at.does_expire()

    guest = connect(CredentialProvider.from_disposable_token(made.auth_token).auth_token)
    assert CacheGet.Hit(b"value") == await guest.get(CACHE, "key")
    for denied in (
        await guest.get(CACHE, "other"),
        await guest.get("other-cache", "key"),
        await guest.set(CACHE, "key", "changed"),
        await guest.increment(CACHE, "key"),
        await guest.list_caches(),
        await guest.create_signing_key(timedelta(hours=1)),
    ):
        assert MomentoErrorCode.PERMISSION_ERROR == getattr(denied, "error_code", denied)


async def test_tokens_that_write(generate: Generate, connect: "Connect") -> None:
    """Writing alone does neither read nor count."""
    made = await generate(DisposableTokenScopes.cache_write_only(CACHE), ExpiresIn.minutes(5))
    guest = connect(CredentialProvider.from_disposable_token(made.auth_token).auth_token)
    assert isinstance(await guest.set(CACHE, "key", "1"), CacheSet.Success)
    assert isinstance(await guest.get(CACHE, "key"), CacheGet.Error)
    assert isinstance(await guest.increment(CACHE, "key"), CacheIncrement.Error)


async def test_our_client_takes_its_tokens(generate: Generate, server: LocalServer) -> None:
    """What the official client makes of the answer leads our client to the same server."""
    made = await generate(DisposableTokenScopes.cache_read_write(CACHE), ExpiresIn.minutes(5))
    with SimpleCacheClient(made.auth_token, 60) as client:
        client.set(CACHE, "key", "value")
    assert server.address == OurCredentialProvider.from_string(made.auth_token).cache_endpoint.target


async def test_everything_but_caches(generate: Generate) -> None:
    """The scope of all data, topics with it, is made although no topics are served here."""
    made = await generate(DisposableTokenScope(permission_scope.ALL_DATA_READ_WRITE), ExpiresIn.minutes(5))
    assert isinstance(made, GenerateDisposableToken.Success)
    inside = OurCredentialProvider.from_string(made.auth_token).auth_token
    claims = jwt.decode(inside, options={"verify_signature": False})
    assert ["read-write:*", "publish-subscribe:*"] == claims["access"]


async def test_whom_a_token_is_for(generate: Generate) -> None:
    """The id that the caller gives is the token's subject."""
    scope = DisposableTokenScopes.cache_read_only(CACHE)
    made = await generate(scope, ExpiresIn.minutes(5), DisposableTokenProps(token_id="guest"))
    inside = OurCredentialProvider.from_string(made.auth_token).auth_token
    assert "guest" == jwt.decode(inside, options={"verify_signature": False})["sub"]


async def test_a_token_without_time(generate: Generate) -> None:
    """No time at all is refused by our server, since the official client lets it through."""
    refused = await generate(DisposableTokenScopes.cache_read_only(CACHE), ExpiresIn.seconds(0))
    assert isinstance(refused, GenerateDisposableToken.Error)
    assert MomentoErrorCode.INVALID_ARGUMENT_ERROR == refused.error_code


async def test_signing_keys(official: CacheClientAsync) -> None:
    """It makes, lists and revokes keys; one without end is listed with an end that it can read."""
    made = await official.create_signing_key(timedelta(hours=1))
    assert isinstance(made, CreateSigningKey.Success)
    assert jwt.PyJWK.from_json(made.key).key_id == made.key_id

    listed = await official.list_signing_keys()
    assert isinstance(listed, ListSigningKeys.Success)
    first, second = listed.signing_keys
    assert 9999 == first.expires_at.year
    assert (made.key_id, made.expires_at) == (second.key_id, second.expires_at)

    for _ in range(2):
        assert isinstance(await official.revoke_signing_key(made.key_id), RevokeSigningKey.Success)
    listed = await official.list_signing_keys()
    assert isinstance(listed, ListSigningKeys.Success)
    assert [first.key_id] == [key.key_id for key in listed.signing_keys]


class TestMessages:
    @pytest.mark.parametrize(("scope", "text"), SCOPES, ids=[text for _, text in SCOPES])
    def test_scopes_are_permissions(self, scope: scopes.DisposableTokenScope, text: str) -> None:
        """Every scope that the official SDK has reads as the permission that is written so."""
        theirs = permissions_from_disposable_token_scope(scope)
        ours = auth_pb2.Permissions.FromString(theirs.SerializeToString())
        assert (Permission.parse(text),) == read_permissions(ours)

    @given(
        st.lists(
            st.builds(
                Permission,
                st.sampled_from([Right.READ, Right.WRITE, Right.READ | Right.WRITE]),
                st.none() | st.text("abc*/%", min_size=1),
                st.binary(max_size=6),
                st.booleans(),
            )
            | st.builds(
                Permission,
                st.sampled_from([Right.PUBLISH, Right.SUBSCRIBE, Right.PUBLISH | Right.SUBSCRIBE]),
                st.none() | st.text("abc*/%", min_size=1),
                st.text(max_size=6).map(str.encode),
                st.booleans(),
            ),
            min_size=1,
            max_size=5,
        ).map(tuple)
    )
    def test_round_trip(self, permissions: tuple[Permission, ...]) -> None:
        """Whatever permissions we write, the official messages read, and we read back what we wrote."""
        written = permissions_message(permissions).SerializeToString()
        theirs = official_pb.Permissions.FromString(written)
        assert written == theirs.SerializeToString()
        assert "unknown" not in MessageToDict(theirs)
        assert permissions == read_permissions(auth_pb2.Permissions.FromString(written))
