"""Tokens that a client makes for others, and the keys that tokens are signed with."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from momento_lambda import (
    AuthenticationError,
    CredentialProvider,
    Hit,
    InvalidArgumentError,
    Miss,
    Permission,
    PermissionDeniedError,
    SigningKeyInfo,
    SimpleCacheClientAsync,
)
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.twins import Connect

CACHE = "users-cache"
OTHER_CACHE = "orders-cache"


@pytest.fixture
def connect_with(connect: "Connect", credentials_for: Callable[[str], CredentialProvider]) -> "Connect":
    """Make clients with a token."""
    return lambda token: connect(credentials_for(token))


class TestTokens:
    async def test_one_is_made_for_somebody_else(self, client: SimpleCacheClientAsync, connect_with: "Connect") -> None:
        """It leads to the same server and allows what it was made for, over keys, prefixes, caches and batches."""
        await client.set_multi(CACHE, {"profile:1": "a", "profile:2": "b", "secret": "c"})

        token = await client.create_token(["read:users-cache/profile:*", "read-write:orders-cache/count"], "15m")
        guest = connect_with(token.auth_token)

        assert (Hit(b"a"), Hit(b"b")) == await guest.get_multi(CACHE, ["profile:1", "profile:2"])
        assert 1 == await guest.increment(OTHER_CACHE, "count")
        for denied in (
            guest.get(CACHE, "secret"),
            guest.get_multi(CACHE, ["profile:1", "secret"]),
            guest.keys_exist(CACHE, ["secret"]),
            guest.set(CACHE, "profile:1", "changed"),
            guest.set_multi(OTHER_CACHE, {"count": "1", "other": "2"}),
            guest.increment(OTHER_CACHE, "other"),
            guest.create_cache("new-cache"),
            guest.list_caches(),
            guest.create_signing_key("1h"),
            guest.list_signing_keys(),
            guest.revoke_signing_key("any"),
        ):
            with pytest.raises(PermissionDeniedError, match="does not allow"):
                await denied
        assert Hit(b"1") == await guest.get(OTHER_CACHE, "count")
        assert Miss() == await client.get(OTHER_CACHE, "other")

    async def test_one_that_writes_reads_nothing(self, client: SimpleCacheClientAsync, connect_with: "Connect") -> None:
        """Nothing that it may do tells what was there."""
        token = await client.create_token(Permission.write(CACHE, key="key"), 60)
        guest = connect_with(token.auth_token)

        await guest.set(CACHE, "key", "value")
        await guest.delete(CACHE, "key")
        await guest.set_multi(CACHE, {"key": "value"})
        for denied in (
            guest.get(CACHE, "key"),
            guest.set_if_absent(CACHE, "key", "other"),
            guest.set_if_present(CACHE, "key", "other"),
            guest.increment(CACHE, "key"),
            guest.update_ttl(CACHE, "key", 60),
            guest.item_get_ttl(CACHE, "key"),
        ):
            with pytest.raises(PermissionDeniedError):
                await denied

    @pytest.mark.parametrize("expires", [60, "1m", timedelta(minutes=1)], ids=str)
    async def test_it_ends_as_asked(self, client: SimpleCacheClientAsync, expires: Any) -> None:
        """The answer says when, and so does the token."""
        before = datetime.now(UTC)
        token = await client.create_token("read:*", expires)
        assert before - timedelta(seconds=1) <= token.expires_at - timedelta(minutes=1) <= datetime.now(UTC)
        claims = jwt.decode(token.auth_token, options={"verify_signature": False})
        assert token.expires_at.timestamp() == claims["exp"]

    async def test_it_says_whom_it_is_for(self, client: SimpleCacheClientAsync) -> None:
        """As the caller calls them, in its subject."""
        token = await client.create_token("read:*", 60, token_id="guest 7")
        assert "guest 7" == jwt.decode(token.auth_token, options={"verify_signature": False})["sub"]
        assert token.auth_token not in repr(token)

    async def test_it_is_passed_on_narrower_and_never_wider(
        self, client: SimpleCacheClientAsync, connect_with: "Connect"
    ) -> None:
        """Whoever has it may make others, of less, that end no later."""
        token = await client.create_token("read-write:users-cache/a*", 60)
        guest = connect_with(token.auth_token)

        narrower = await guest.create_token("read:users-cache/ab", "1d")
        assert token.expires_at == narrower.expires_at
        assert Miss() == await connect_with(narrower.auth_token).get(CACHE, "ab")
        for wider in ("read:users-cache", "read:*/a*", ["read:users-cache/ab", "write:users-cache/b"], "publish:*"):
            with pytest.raises(PermissionDeniedError):
                await guest.create_token(wider, 60)

    @pytest.mark.parametrize(
        ("allow", "expires", "reason"),
        [
            ("everything", 60, "is not a permission"),
            ([], 60, "no permission is given"),
            ("read:*", 0, "cannot expire after 0"),
            ("read:*", 1.5, "whole seconds"),
            ("read:*", "soon", "is not a duration"),
            ("read:*", 2**32, "cannot expire"),
            ("subscribe:*/%FF", 60, "is not text"),
            ([f"read:cache/{'k' * 200}{number}" for number in range(50)], 60, "fewer permissions"),
        ],
    )
    async def test_refused(self, client: SimpleCacheClientAsync, allow: Any, expires: Any, reason: str) -> None:
        """What cannot be meant, or would fit no header, is refused in words."""
        with pytest.raises(InvalidArgumentError, match=reason):
            await client.create_token(allow, expires)

    async def test_as_long_as_may_be(self, client: SimpleCacheClientAsync, connect_with: "Connect") -> None:
        """Whatever token is made can be sent."""
        key = "k" * 4_000
        token = await client.create_token(Permission.read(CACHE, key=key), 60)
        assert 5_500 < len(token.auth_token) < 6_000
        assert Miss() == await connect_with(token.auth_token).get(CACHE, key)


class TestSigningKeys:
    async def test_they_are_made_listed_and_revoked(
        self, client: SimpleCacheClientAsync, server: LocalServer, connect_with: "Connect"
    ) -> None:
        """Tokens that are signed with a key of one's own are accepted until it is revoked; others live on."""
        (first,) = await client.list_signing_keys()
        assert first.expires_at is None

        made = await client.create_signing_key("2h")
        assert timedelta(hours=2) > made.expires_at - datetime.now(UTC) > timedelta(hours=1)
        assert made.key not in repr(made)
        assert (first, SigningKeyInfo(made.key_id, made.expires_at)) == await client.list_signing_keys()

        key = jwt.PyJWK(json.loads(made.key))
        claims = {"sub": "me", "c": server.address, "cp": server.address, "access": ["read:users-cache"]}
        token = jwt.encode(claims, key.key, algorithm="HS512", headers={"kid": made.key_id})
        guest = connect_with(token)
        assert Miss() == await guest.get(CACHE, "key")

        await client.revoke_signing_key(made.key_id)
        with pytest.raises(AuthenticationError, match="revoked"):
            await guest.get(CACHE, "key")
        assert (first,) == await client.list_signing_keys()
        await client.revoke_signing_key(made.key_id)

    @pytest.mark.parametrize(
        ("expires", "reason"), [(0, "cannot expire"), ("90s", "whole minutes"), ("never", "is not a duration")]
    )
    async def test_refused(self, client: SimpleCacheClientAsync, expires: Any, reason: str) -> None:
        """What the protocol cannot say is refused before anything is sent."""
        with pytest.raises(InvalidArgumentError, match=reason):
            await client.create_signing_key(expires)
        with pytest.raises(InvalidArgumentError, match="is empty"):
            await client.revoke_signing_key("")

    async def test_tokens_live_on_through_a_rotation(
        self, client: SimpleCacheClientAsync, server: LocalServer, connect_with: "Connect"
    ) -> None:
        """With the new key beside the old one both work; who revokes the old one ends the old tokens alone."""
        old = jwt.get_unverified_header(server.create_token())["kid"]
        made = await client.create_signing_key("90d")
        new = jwt.encode(
            {"c": server.address, "cp": server.address, "exp": time.time() + 60},
            jwt.PyJWK(json.loads(made.key)).key,
            algorithm="HS512",
            headers={"kid": made.key_id},
        )
        successor = connect_with(new)
        await successor.set(CACHE, "key", "value")
        assert Hit(b"value") == await client.get(CACHE, "key")
        await successor.revoke_signing_key(old)
        with pytest.raises(AuthenticationError):
            await client.get(CACHE, "key")
        assert made.key_id == jwt.get_unverified_header(server.create_token())["kid"]
        assert Hit(b"value") == await successor.get(CACHE, "key")
