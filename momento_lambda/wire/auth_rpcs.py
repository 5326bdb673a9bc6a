"""The procedures about tokens and the keys that they are signed with. None is repeated of its own accord."""

import base64
import json
from datetime import UTC, datetime
from typing import Any, Final

from momento_lambda.credentials import read_claims
from momento_lambda.errors import InvalidArgumentError, InvalidTokenError, UnknownError
from momento_lambda.permissions import Allow, permissions_of
from momento_lambda.responses import DisposableToken, NewSigningKey, SigningKeyInfo
from momento_lambda.ttl import Ttl, duration_milliseconds
from momento_lambda.wire import auth_pb2 as pb
from momento_lambda.wire.permission_messages import permissions_message
from momento_lambda.wire.rpc import Rpc

GENERATE_DISPOSABLE_TOKEN: Final = Rpc(
    "/token.Token/GenerateDisposableToken", pb.GenerateDisposableTokenRequest, pb.GenerateDisposableTokenResponse
)
CREATE_SIGNING_KEY: Final = Rpc(
    "/control_client.ScsControl/CreateSigningKey", pb.CreateSigningKeyRequest, pb.CreateSigningKeyResponse
)
REVOKE_SIGNING_KEY: Final = Rpc(
    "/control_client.ScsControl/RevokeSigningKey", pb.RevokeSigningKeyRequest, pb.RevokeSigningKeyResponse
)
LIST_SIGNING_KEYS: Final = Rpc(
    "/control_client.ScsControl/ListSigningKeys", pb.ListSigningKeysRequest, pb.ListSigningKeysResponse
)

NEVER: Final = 253_402_128_000
"""How an end that never comes is written: the last but one day that calendars have, in every time zone."""

_UINT32: Final = 2**32 - 1


def disposable_token_request(
    auth_token: str, allow: Allow, expires: Ttl, token_id: str | None
) -> pb.GenerateDisposableTokenRequest:
    """Ask for a token that allows this for so long.

    Raises:
        InvalidArgumentError: A permission cannot be read, or the duration is not one of whole seconds.
    """
    return pb.GenerateDisposableTokenRequest(
        expires=pb.GenerateDisposableTokenRequest.Expires(valid_for_seconds=_whole(expires, 1, "second")),
        auth_token=auth_token,
        permissions=permissions_message(permissions_of(allow)),
        token_id=token_id or "",
    )


def read_disposable_token(reply: pb.GenerateDisposableTokenResponse) -> DisposableToken:
    """Return the token in a form that clients take."""
    token = reply.api_key if _names_its_endpoints(reply.api_key) else _wrapped(reply.api_key, reply.endpoint)
    return DisposableToken(token, _moment(reply.valid_until))


def create_signing_key_request(expires: Ttl) -> pb.CreateSigningKeyRequest:
    """Ask for a new key that lasts so long.

    Raises:
        InvalidArgumentError: The duration is not one of whole minutes.
    """
    return pb.CreateSigningKeyRequest(ttl_minutes=_whole(expires, 60, "minute"))


def read_created_signing_key(reply: pb.CreateSigningKeyResponse) -> NewSigningKey:
    """Return the key that was made."""
    try:
        fields: Any = json.loads(reply.key)
        key_id = fields["kid"]
    except (ValueError, KeyError, TypeError):
        # The original holds the key.
        raise UnknownError("CreateSigningKey answered with what is not a JSON Web Key that has an id") from None
    return NewSigningKey(key_id, reply.key, _moment(reply.expires_at))


def revoke_signing_key_request(key_id: str) -> pb.RevokeSigningKeyRequest:
    """Ask that no token of a key be accepted any more."""
    if not key_id:
        raise InvalidArgumentError("the id of the signing key is empty: give one that list_signing_keys names")
    return pb.RevokeSigningKeyRequest(key_id=key_id)


def list_signing_keys_request(next_token: str) -> pb.ListSigningKeysRequest:
    """Ask for a page of keys, the first where the token is empty."""
    return pb.ListSigningKeysRequest(next_token=next_token)


def read_signing_keys(reply: pb.ListSigningKeysResponse) -> list[SigningKeyInfo]:
    """Return the keys of one page."""
    return [
        SigningKeyInfo(key.key_id, None if key.expires_at >= NEVER else _moment(key.expires_at))
        for key in reply.signing_key
    ]


def _whole(duration: Ttl, unit_seconds: int, unit: str) -> int:
    expected = f"give whole {unit}s, at least one: seconds, a timedelta, or text such as '2h'"
    try:
        amount, rest = divmod(duration_milliseconds(duration), unit_seconds * 1000)
    except InvalidArgumentError:
        raise InvalidArgumentError(f"what it expires after is not a duration: {expected}") from None
    if rest or not 1 <= amount <= _UINT32:
        raise InvalidArgumentError(f"it cannot expire after {duration!r}: {expected}")
    return amount


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, NEVER), tz=UTC)


def _names_its_endpoints(token: str) -> bool:
    """Whether it is a legacy token, which says in full where it leads."""
    try:
        claims = read_claims(token)
    except InvalidTokenError:
        return False
    return {"c", "cp"} <= claims.keys()


def _wrapped(key: str, endpoint: str) -> str:
    return base64.b64encode(json.dumps({"endpoint": endpoint, "api_key": key}).encode()).decode()
