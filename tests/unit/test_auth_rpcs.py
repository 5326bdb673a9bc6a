import json
from base64 import b64decode
from datetime import UTC, datetime

import pytest

from momento_lambda.credentials import CredentialProvider
from momento_lambda.errors import UnknownError
from momento_lambda.responses import SigningKeyInfo
from momento_lambda.wire import auth_pb2 as pb
from momento_lambda.wire import auth_rpcs


def test_a_token_that_does_not_say_where_it_leads() -> None:
    """It is put together with the endpoint of the answer, as a v1 key, which clients read."""
    reply = pb.GenerateDisposableTokenResponse(
        api_key="the-key", endpoint="cell.example.com", valid_until=2_000_000_000
    )
    token = auth_rpcs.read_disposable_token(reply)
    assert {"endpoint": "cell.example.com", "api_key": "the-key"} == json.loads(b64decode(token.auth_token))
    assert "cache.cell.example.com:443" == CredentialProvider.from_string(token.auth_token).cache_endpoint.target
    assert datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC) == token.expires_at


@pytest.mark.parametrize("key", ["", "no JSON", "[]", "{}", '"kid"'])
def test_a_key_that_is_none(key: str) -> None:
    """An answer without a JSON Web Key that has an id is an error, which does not show it."""
    with pytest.raises(UnknownError, match="CreateSigningKey") as caught:
        auth_rpcs.read_created_signing_key(pb.CreateSigningKeyResponse(key=key))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (2_000_000_000, datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC)),
        (auth_rpcs.NEVER, None),
        (2**64 - 1, None),
    ],
)
def test_when_a_key_ends(seconds: int, expected: datetime | None) -> None:
    """A time that no calendar reaches is never."""
    reply = pb.ListSigningKeysResponse(signing_key=[pb.SigningKey(key_id="id", expires_at=seconds)])
    assert [SigningKeyInfo("id", expected)] == auth_rpcs.read_signing_keys(reply)
