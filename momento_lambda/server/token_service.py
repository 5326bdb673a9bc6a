"""What is asked about tokens and the keys that they are signed with."""

import math
from collections.abc import Sequence
from typing import Final

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server.authority import Asker
from momento_lambda.server.procedure import Audience, Procedure, token_procedure
from momento_lambda.wire import auth_pb2 as pb
from momento_lambda.wire import auth_rpcs
from momento_lambda.wire.permission_messages import read_permissions

_SECONDS_PER_MINUTE: Final = 60


async def generate_disposable_token(
    asker: Asker, request: pb.GenerateDisposableTokenRequest
) -> pb.GenerateDisposableTokenResponse:
    """Answer GenerateDisposableToken."""
    permissions = read_permissions(request.permissions)
    seconds = request.expires.valid_for_seconds
    if not seconds:
        raise InvalidArgumentError("a disposable token must expire: give a number of seconds above 0")
    issued = asker.authority.issue(asker.grant, permissions, seconds, request.token_id or None)
    return pb.GenerateDisposableTokenResponse(api_key=issued.token, endpoint=issued.endpoint, valid_until=issued.expiry)


async def create_signing_key(asker: Asker, request: pb.CreateSigningKeyRequest) -> pb.CreateSigningKeyResponse:
    """Answer CreateSigningKey."""
    if not request.ttl_minutes:
        raise InvalidArgumentError("a signing key that is made by a call must expire: give minutes above 0")
    key = asker.authority.create_key(request.ttl_minutes * _SECONDS_PER_MINUTE)
    return pb.CreateSigningKeyResponse(key=key.to_json(), expires_at=int(key.expiry))


async def list_signing_keys(asker: Asker, _request: pb.ListSigningKeysRequest) -> pb.ListSigningKeysResponse:
    """Answer ListSigningKeys: all on one page, since there are official clients that read no other."""
    return pb.ListSigningKeysResponse(
        signing_key=[
            pb.SigningKey(key_id=key.id, expires_at=auth_rpcs.NEVER if key.expiry == math.inf else int(key.expiry))
            for key in asker.authority.accepted_keys()
        ]
    )


async def revoke_signing_key(asker: Asker, request: pb.RevokeSigningKeyRequest) -> pb.RevokeSigningKeyResponse:
    """Answer RevokeSigningKey."""
    asker.authority.revoke_key(request.key_id)
    return pb.RevokeSigningKeyResponse()


PROCEDURES: Final[Sequence[Procedure]] = (
    token_procedure(auth_rpcs.GENERATE_DISPOSABLE_TOKEN, generate_disposable_token, Audience.BEARERS),
    token_procedure(auth_rpcs.CREATE_SIGNING_KEY, create_signing_key),
    token_procedure(auth_rpcs.LIST_SIGNING_KEYS, list_signing_keys),
    token_procedure(auth_rpcs.REVOKE_SIGNING_KEY, revoke_signing_key),
)
