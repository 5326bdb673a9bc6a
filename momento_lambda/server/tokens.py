"""The tokens that this server signs, and what it takes to accept one."""

import base64
import json
import secrets
import time
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias, final

import jwt

from momento_lambda.credentials import Endpoint
from momento_lambda.errors import AuthenticationError, InvalidArgumentError
from momento_lambda.permissions import Allow, Permission, permissions_of
from momento_lambda.server.clock import WallClock
from momento_lambda.server.grant import Grant
from momento_lambda.server.signing_key import SigningKey

TokenFormat: TypeAlias = Literal["legacy", "v1", "v2"]
"""A legacy JWT names its endpoints; a v1 key wraps a JWT and its endpoint; a v2 key is told its endpoint apart."""

# Fixed here: what a token says of its own algorithm only has to be among these.
_ALGORITHMS: Final = ("HS256", "HS512")
_SIGNED_WITH: Final = "HS512"
_SUBJECT: Final = "momento-lambda"
_ACCESS_CLAIM: Final = "access"
_HOW_TO_GET_ONE: Final = "make one with `momento-lambda token create`"


def create_token(
    key: SigningKey,
    *,
    endpoint: str,
    format: TokenFormat = "legacy",  # noqa: A002  # the word that the command line uses too
    expires: timedelta | None = None,
    allow: Allow | None = None,
    now: WallClock = time.time,
) -> str:
    """Return a new token.

    Args:
        key: What to sign it with.
        endpoint: The server's `host` or `host:port`, for clients to read; a v2 key does not hold it.
        format: How the token is written.
        expires: How long it is accepted; None for ever.
        allow: What it allows; None for everything.
        now: The time that it is made at.

    Raises:
        InvalidArgumentError: The endpoint is not `host` or `host:port`, or a permission cannot be read.
    """
    Endpoint.parse(endpoint)
    claims: dict[str, Any] = {"sub": _SUBJECT, "jti": secrets.token_hex(16)}
    if expires is not None:
        claims["exp"] = int(now() + expires.total_seconds())
    if allow is not None:
        claims[_ACCESS_CLAIM] = [str(permission) for permission in permissions_of(allow)]
    if format == "legacy":
        claims |= {"c": endpoint, "cp": endpoint}
    elif format == "v2":
        claims["t"] = "g"
    token = jwt.encode(claims, key.secret, algorithm=_SIGNED_WITH)
    if format == "v1":
        return base64.b64encode(json.dumps({"endpoint": endpoint, "api_key": token}).encode()).decode()
    return token


@final
class TokenVerifier:
    """Says what a token grants, if this server signed it and it has not expired.

    Args:
        key: What its tokens are signed with.
        now: The time that expiry is compared with.
        remembered: How many verified tokens are remembered, so that each is verified once and not in every call.
    """

    __slots__ = ("_grants", "_key", "_now", "_remembered")

    def __init__(self, key: SigningKey, *, now: WallClock = time.time, remembered: int = 1024) -> None:
        self._key = key
        self._now = now
        self._remembered = remembered
        self._grants: dict[str, Grant] = {}

    def verify(self, token: str) -> Grant:
        """Return what a token grants.

        Raises:
            AuthenticationError: It is missing, not a token, not of this server, or has expired.
        """
        grant = self._grants.get(token)
        if grant is None:
            grant = self._read(token)
            if len(self._grants) >= self._remembered:
                del self._grants[next(iter(self._grants))]
            self._grants[token] = grant
        if self._now() >= grant.expiry:
            del self._grants[token]
            raise AuthenticationError(f"the token expired at {_date(grant.expiry)}: {_HOW_TO_GET_ONE}")
        return grant

    def _read(self, token: str) -> Grant:
        if not token:
            raise AuthenticationError(f"the call carries no token in its `authorization` header: {_HOW_TO_GET_ONE}")
        try:
            # The expiry is compared in `verify`, in every call and with the clock that was handed in.
            claims = jwt.decode(token, self._key.secret, algorithms=_ALGORITHMS, options={"verify_exp": False})
        except jwt.InvalidSignatureError:
            raise AuthenticationError(
                f"the token was not signed by this server, or was changed since: {_HOW_TO_GET_ONE} with this server's "
                "data folder"
            ) from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            # The original may quote the token.
            raise AuthenticationError(
                f"the token is not one that this server accepts, a JWT signed with {' or '.join(_ALGORITHMS)}; send it "
                f"bare, without a scheme such as Bearer: {_HOW_TO_GET_ONE}"
            ) from None
        return Grant(_permissions(claims), _expiry(claims))


def _permissions(claims: dict[str, Any]) -> tuple[Permission, ...] | None:
    if _ACCESS_CLAIM not in claims:
        return None
    written = claims[_ACCESS_CLAIM]
    try:
        if isinstance(written, list) and all(isinstance(text, str) for text in written):
            return permissions_of(written)
    except InvalidArgumentError:
        pass
    raise AuthenticationError(
        f"the token's `{_ACCESS_CLAIM}` claim is not one that this server knows: {_HOW_TO_GET_ONE}"
    )


def _expiry(claims: dict[str, Any]) -> float:
    expiry = claims.get("exp")
    if expiry is None:
        return float("inf")
    if isinstance(expiry, bool) or not isinstance(expiry, (int, float)) or expiry != expiry:  # noqa: PLR0124  # NaN
        raise AuthenticationError(f"the token's `exp` claim is not a number of seconds: {_HOW_TO_GET_ONE}")
    return expiry


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(max(seconds, 0)))
