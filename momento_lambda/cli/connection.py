"""How the commands that talk to a server find it: a token, and where to go."""

import os
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from momento_lambda.cli.token_kinds import TokenKind, kind_of
from momento_lambda.cli.token_source import TokenFile, read_token
from momento_lambda.client.sync_client import SimpleCacheClient
from momento_lambda.configuration import Configuration
from momento_lambda.credentials import API_KEY_VARIABLE, ENDPOINT_VARIABLE, LEGACY_TOKEN_VARIABLE, CredentialProvider
from momento_lambda.endpoint import Endpoint, is_loopback
from momento_lambda.errors import InvalidTokenError

EndpointOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        metavar="HOST[:PORT]",
        help=f"Connect here and not where the token says. A v2 key needs this or {ENDPOINT_VARIABLE}.",
    ),
]
TlsCa: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Trust the authorities in this PEM file, and use TLS.", exists=True, dir_okay=False),
]

__all__ = ["DEFAULT_TTL", "EndpointOption", "TlsCa", "TokenFile", "connect"]

DEFAULT_TTL: Final = "1h"


def connect(token_file: Path | None, endpoint: str | None, tls_ca: Path | None) -> SimpleCacheClient:
    """Return a client for the token and the server that the options and the environment name.

    Raises:
        InvalidTokenError: There is no token, or it cannot be used.
        InvalidArgumentError: The endpoint is not `host` or `host:port`.
    """
    provider = _credentials(read_token(token_file), endpoint, tls_ca.read_bytes() if tls_ca else None)
    return SimpleCacheClient(provider, DEFAULT_TTL, configuration=Configuration.for_laptop())


def _credentials(token: str, endpoint: str | None, root_certificates: bytes | None) -> CredentialProvider:
    if not token:
        return _anonymous(endpoint, root_certificates)
    # A legacy token names the two endpoints in full, so what stands in for them is taken in full as well.
    replaced = endpoint if kind_of(token) is TokenKind.LEGACY else None
    return CredentialProvider.from_string(
        token,
        endpoint=endpoint or os.environ.get(ENDPOINT_VARIABLE) or None,
        cache_endpoint=replaced,
        control_endpoint=replaced,
        root_certificates=root_certificates,
    )


def _anonymous(endpoint: str | None, root_certificates: bytes | None) -> CredentialProvider:
    """Return what a server on this machine that asks for no token takes."""
    where = Endpoint.parse(endpoint, tls=root_certificates is not None) if endpoint else None
    if where is None or not is_loopback(where.host):
        raise InvalidTokenError(
            f"no token: set {API_KEY_VARIABLE} (or {LEGACY_TOKEN_VARIABLE}), or name a file with --token-file; without "
            "one, --endpoint can name a server on this machine that asks for none"
        )
    return CredentialProvider("", cache_endpoint=where, control_endpoint=where, root_certificates=root_certificates)
