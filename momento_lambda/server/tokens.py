"""The tokens that this server signs, and what it takes to accept one."""

import base64
import hashlib
import json
import math
import secrets
import time
from datetime import timedelta
from typing import Any, Final, Literal, NamedTuple, TypeAlias, final

import jwt

from momento_lambda.endpoint import Endpoint
from momento_lambda.errors import AuthenticationError, InvalidArgumentError
from momento_lambda.permissions import Allow, Permission, permissions_of
from momento_lambda.server.clock import WallClock
from momento_lambda.server.grant import Grant
from momento_lambda.server.signing_key import ALGORITHM, SigningKey, SigningKeys
from momento_lambda.server.token_limits import UNLIMITED, TokenLimits

TokenFormat: TypeAlias = Literal["legacy", "v1", "v2"]
"""A legacy JWT names its endpoints; a v1 key wraps a JWT and its endpoint; a v2 key is told its endpoint apart."""

# Fixed here: what a token says of its own algorithm only has to be among these.
_ALGORITHMS: Final = (ALGORITHM, "HS256")
_SUBJECT: Final = "momento-lambda"
_ACCESS_CLAIM: Final = "access"
_LIMITS_CLAIM: Final = "limits"
_ORIGIN_CLAIM: Final = "origin"
# Headers are limited to 8 KiB unless both ends say otherwise, and the token is not alone in them.
_LONGEST: Final = 6_000
_HOW_TO_GET_ONE: Final = "make one with `momento-lambda token create`"


class Claims(NamedTuple):
    """What a token says.

    Attributes:
        endpoint: The server's `host` or `host:port`.
        expiry: When it ends, in seconds since 1970; infinity for never.
        permissions: What it allows; None for everything.
        subject: Whom it is for; None where nobody says.
        limits: How much may be asked with it.
        origin: The id of the first in the row of tokens of which each was made with the one before; None for itself.
    """

    endpoint: str
    expiry: float = math.inf
    permissions: tuple[Permission, ...] | None = None
    subject: str | None = None
    limits: TokenLimits = UNLIMITED
    origin: str | None = None


def create_token(
    key: SigningKey,
    *,
    endpoint: str,
    format: TokenFormat = "legacy",  # noqa: A002  # the word that the command line uses too
    expires: timedelta | None = None,
    allow: Allow | None = None,
    limits: TokenLimits = UNLIMITED,
    now: WallClock = time.time,
) -> str:
    """Return a new token.

    Args:
        key: What to sign it with; its end is the token's.
        endpoint: The server's `host` or `host:port`, for clients to read; a v2 key does not hold it.
        format: How the token is written.
        expires: How long it is accepted; None for as long as the key is.
        allow: What it allows; None for everything.
        limits: How much may be asked with it.
        now: The time that it is made at.

    Raises:
        InvalidArgumentError: The endpoint is not `host` or `host:port`, a permission cannot be read, a limit is not a
            number above 0, or the token would be too long to be sent.
    """
    Endpoint.parse(endpoint)
    limits.check()
    expiry = math.inf if expires is None else now() + expires.total_seconds()
    permissions = None if allow is None else permissions_of(allow)
    return signed(key, Claims(endpoint, min(expiry, key.expiry), permissions, limits=limits), format)


def signed(key: SigningKey, claims: Claims, format: TokenFormat = "legacy") -> str:  # noqa: A002  # as above
    """Return a token that says this.

    Raises:
        InvalidArgumentError: It would be too long to be sent.
    """
    written: dict[str, Any] = {"sub": claims.subject or _SUBJECT, "jti": secrets.token_hex(16)}
    if claims.expiry != math.inf:
        written["exp"] = int(claims.expiry)
    if claims.permissions is not None:
        written[_ACCESS_CLAIM] = [str(permission) for permission in claims.permissions]
    if claims.limits != UNLIMITED:
        written[_LIMITS_CLAIM] = claims.limits.claim()
    if claims.origin is not None:
        written[_ORIGIN_CLAIM] = claims.origin
    if format == "legacy":
        written |= {"c": claims.endpoint, "cp": claims.endpoint}
    elif format == "v2":
        written["t"] = "g"
    token = jwt.encode(written, key.secret, algorithm=ALGORITHM, headers={"kid": key.id})
    if len(token) > _LONGEST:
        raise InvalidArgumentError(
            f"the token would have {len(token)} characters, and a call's headers carry {_LONGEST} of it: "
            "give fewer permissions, or shorter ones"
        )
    if format == "v1":
        return base64.b64encode(json.dumps({"endpoint": claims.endpoint, "api_key": token}).encode()).decode()
    return token


@final
class TokenVerifier:
    """Says what a token grants, if this server signed it and it has not expired.

    Args:
        keys: What tokens are signed with.
        now: The time that expiry is compared with.
        remembered: How many verified tokens are remembered, so that each is verified once and not in every call.
    """

    __slots__ = ("_grants", "_keys", "_known", "_now", "_remembered")

    def __init__(self, keys: SigningKeys, *, now: WallClock = time.time, remembered: int = 1024) -> None:
        self._keys = keys
        self._known = keys.by_id()
        self._now = now
        self._remembered = remembered
        # By the hash of the token: how long a look-up takes tells nothing of one, and none lies in memory.
        self._grants: dict[bytes, Grant] = {}

    def verify(self, token: str) -> Grant:
        """Return what a token grants.

        Raises:
            AuthenticationError: It is missing, not a token, not of this server, or has expired.
        """
        self._forget_after_a_change()
        remembered = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        grant = self._grants.get(remembered)
        if grant is None:
            grant = self._read(token)
            if len(self._grants) >= self._remembered:
                del self._grants[next(iter(self._grants))]
            self._grants[remembered] = grant
        if self._now() >= grant.expiry:
            del self._grants[remembered]
            raise AuthenticationError(f"the token expired at {_date(grant.expiry)}: {_HOW_TO_GET_ONE}")
        return grant

    def _forget_after_a_change(self) -> None:
        keys = self._keys.by_id()
        if keys is not self._known:
            self._known = keys
            self._grants.clear()

    def _read(self, token: str) -> Grant:
        if not token:
            raise AuthenticationError(f"the call carries no token in its `authorization` header: {_HOW_TO_GET_ONE}")
        try:
            key = self._key_of(token)
            # The expiry is compared in `verify`, in every call and with the clock that was handed in.
            claims = jwt.decode(token, key.secret, algorithms=_ALGORITHMS, options={"verify_exp": False})
        except jwt.InvalidSignatureError:
            raise AuthenticationError(
                "the token was not signed by this server, or its key was revoked, or it was changed since: "
                f"{_HOW_TO_GET_ONE} with this server's data folder"
            ) from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            # The original may quote the token.
            raise AuthenticationError(
                f"the token is not one that this server accepts, a JWT signed with {' or '.join(_ALGORITHMS)}; send it "
                f"bare, without a scheme such as Bearer: {_HOW_TO_GET_ONE}"
            ) from None
        return Grant(
            _permissions(claims),
            min(_expiry(claims), key.expiry),
            _text(claims, "c"),
            _limits(claims),
            _text(claims, _ORIGIN_CLAIM) or _text(claims, "jti") or hashlib.sha256(token.encode()).hexdigest(),
        )

    def _key_of(self, token: str) -> SigningKey:
        """Return the key that a token names; one from before keys had names was signed with the first.

        Raises:
            jwt.PyJWTError: It names none of ours, or its header cannot be read.
        """
        name = jwt.get_unverified_header(token).get("kid")
        first = min(self._known.values(), key=lambda key: key.created, default=None)
        key = first if name is None else self._known.get(name)
        if key is None:
            raise jwt.InvalidSignatureError
        return key


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


def _limits(claims: dict[str, Any]) -> TokenLimits:
    if _LIMITS_CLAIM not in claims:
        return UNLIMITED
    try:
        return TokenLimits.from_claim(claims[_LIMITS_CLAIM])
    except InvalidArgumentError as error:
        raise AuthenticationError(f"the token's `{_LIMITS_CLAIM}` claim: {error.message}") from None


def _text(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None


def _expiry(claims: dict[str, Any]) -> float:
    expiry = claims.get("exp")
    if expiry is None:
        return math.inf
    if isinstance(expiry, bool) or not isinstance(expiry, (int, float)) or expiry != expiry:  # noqa: PLR0124  # NaN
        raise AuthenticationError(f"the token's `exp` claim is not a number of seconds: {_HOW_TO_GET_ONE}")
    return expiry


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(max(seconds, 0)))
