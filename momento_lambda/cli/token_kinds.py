"""Which of the three kinds a token is, and what it says besides its secret."""

import base64
import json
from enum import Enum
from typing import Any, NamedTuple

from momento_lambda.credentials import read_claims
from momento_lambda.errors import InvalidTokenError


class TokenKind(Enum):
    """How a token is written."""

    LEGACY = "legacy JWT"
    V1 = "v1 key"
    V2 = "v2 key"


class TokenContents(NamedTuple):
    """What a token says.

    Attributes:
        kind: How it is written.
        endpoint: The endpoint beside the key, in a v1 key.
        claims: The claims of its JWT; empty for a v1 key around something else.
    """

    kind: TokenKind
    endpoint: str | None
    claims: dict[str, Any]


def contents_of(token: str) -> TokenContents:
    """Return what a token says, without verifying anything.

    Raises:
        InvalidTokenError: It is of no kind.
    """
    wrapped = _unwrap(token)
    if wrapped is None:
        claims = read_claims(token)
        return TokenContents(TokenKind.V2 if claims.get("t") == "g" else TokenKind.LEGACY, None, claims)
    key, endpoint = wrapped
    try:
        return TokenContents(TokenKind.V1, endpoint, read_claims(key))
    except InvalidTokenError:
        return TokenContents(TokenKind.V1, endpoint, {})


def kind_of(token: str) -> TokenKind:
    """Return which kind a token is.

    Raises:
        InvalidTokenError: It is of none.
    """
    return contents_of(token).kind


def _unwrap(token: str) -> tuple[str, str] | None:
    """Return the key and the endpoint of a v1 key, or None for another kind."""
    try:
        fields = json.loads(base64.b64decode(token, validate=True))
    except (ValueError, RecursionError):
        return None
    key, endpoint = (fields.get("api_key"), fields.get("endpoint")) if isinstance(fields, dict) else (None, None)
    return (key, endpoint) if isinstance(key, str) and isinstance(endpoint, str) else None
