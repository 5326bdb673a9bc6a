"""A token parsed into what a client needs: a secret to send and two endpoints to send it to.

Three kinds of token exist. A legacy JWT names its endpoints in the claims `c` and `cp`; a v1 key is base64 of a JSON
object with `endpoint` and `api_key`; a v2 key is a JWT with the claim `t` of "g" and is told its endpoint apart.
Signatures are never verified here, since only the server has the key.
"""

import binascii
import json
import os
import time
from collections.abc import Mapping
from typing import Any, NoReturn, final

from momento_lambda.endpoint import Endpoint, is_ip_literal, is_localhost, split_address
from momento_lambda.errors import InvalidTokenError

API_KEY_VARIABLE = "MOMENTO_API_KEY"
ENDPOINT_VARIABLE = "MOMENTO_ENDPOINT"
LEGACY_TOKEN_VARIABLE = "MOMENTO_AUTH_TOKEN"  # noqa: S105  # the name of a variable, not a token

_QUOTES = frozenset("\"'")
_KINDS = "a legacy JWT, a v1 key (base64 JSON) or a v2 key (JWT with a separate endpoint)"


@final
class CredentialProvider:
    """A secret and the endpoints it is for. Make one with a `from_...` or `for_...` constructor.

    The secret is in no representation, message or log.

    Attributes:
        cache_endpoint: Where gets and sets go.
        control_endpoint: Where caches are created, listed and deleted.
        token_endpoint: Where tokens are made; the data plane's unless something names another.
        root_certificates: PEM bytes of the CA to trust instead of the public ones, or None.
        tls_server_name: The name that the server's certificate must carry where it is not the host's, or None.
    """

    __slots__ = (
        "_auth_token",
        "cache_endpoint",
        "control_endpoint",
        "root_certificates",
        "tls_server_name",
        "token_endpoint",
    )

    def __init__(
        self,
        auth_token: str,
        *,
        cache_endpoint: Endpoint,
        control_endpoint: Endpoint,
        token_endpoint: Endpoint | None = None,
        root_certificates: bytes | None = None,
        tls_server_name: str | None = None,
    ) -> None:
        if not _can_be_sent(auth_token):
            _refuse("it has characters that no header can carry")
        self._auth_token = auth_token
        self.cache_endpoint = cache_endpoint
        self.control_endpoint = control_endpoint
        self.token_endpoint = token_endpoint or cache_endpoint
        self.root_certificates = root_certificates
        self.tls_server_name = tls_server_name

    @property
    def auth_token(self) -> str:
        """The secret that every call carries in its `authorization` header."""
        return self._auth_token

    @classmethod
    def from_string(
        cls,
        auth_token: str,
        *,
        endpoint: str | None = None,
        cache_endpoint: str | None = None,
        control_endpoint: str | None = None,
        token_endpoint: str | None = None,
        tls: bool | None = None,
        root_certificates: bytes | None = None,
        tls_server_name: str | None = None,
    ) -> "CredentialProvider":
        """Return what a token of any kind says, with endpoints of your own where given.

        Args:
            auth_token: A legacy JWT, a v1 key, or a v2 key.
            endpoint: The service's base name, which a v2 key needs and any other token may be given in place of its
                own: `cache.`, `control.` and `token.` are put before it unless it is an IP literal or localhost.
            cache_endpoint: `host` or `host:port` of the data plane, taken as it is (a VPC endpoint, a peering).
            control_endpoint: The same for the control plane.
            token_endpoint: The same for the service that makes tokens; None for the data plane's where that is given,
                or where the token is a legacy JWT.
            tls: None for plaintext on loopback where neither a CA nor a server name is given, and TLS elsewhere.
            root_certificates: PEM bytes of the CA to trust.
            tls_server_name: The name to expect in the server's certificate, where it differs from the host.

        Raises:
            InvalidTokenError: Malformed, expired, or without an endpoint. The token is not in the message.
            InvalidArgumentError: An endpoint is not `host` or `host:port`.
        """
        secret, named_cache, named_control, named_token = _read_token(auth_token, endpoint)
        cache, control = cache_endpoint or named_cache, control_endpoint or named_control
        token = token_endpoint or (None if cache_endpoint else named_token)
        if not cache or not control:
            _refuse(f"it does not say where to connect, as no v2 key does; pass endpoint= or set {ENDPOINT_VARIABLE}")
        if tls is None and (root_certificates is not None or tls_server_name is not None):
            tls = True
        return cls(
            secret,
            cache_endpoint=Endpoint.parse(cache, tls=tls),
            control_endpoint=Endpoint.parse(control, tls=tls),
            token_endpoint=Endpoint.parse(token, tls=tls) if token else None,
            root_certificates=root_certificates,
            tls_server_name=tls_server_name,
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "CredentialProvider":
        """Return what the environment says: MOMENTO_API_KEY, else MOMENTO_AUTH_TOKEN.

        MOMENTO_ENDPOINT is the endpoint of a v2 key; any other token names its own. A variable that is empty counts
        as not set.

        Args:
            environment: The variables to read; None for the process's own.

        Raises:
            InvalidTokenError: Neither variable is set, or the token is malformed, has expired or has no endpoint.
            InvalidArgumentError: The endpoint is not `host` or `host:port`.
        """
        variables = os.environ if environment is None else environment
        for name in (API_KEY_VARIABLE, LEGACY_TOKEN_VARIABLE):
            token = variables.get(name)
            if token:
                _, named, _, _ = _read_token(token, None)
                return cls.from_string(token, endpoint=None if named else variables.get(ENDPOINT_VARIABLE))
        raise InvalidTokenError(f"no token: set {API_KEY_VARIABLE} (or {LEGACY_TOKEN_VARIABLE})")

    @classmethod
    def for_local(cls, host: str = "127.0.0.1", port: int = 8080) -> "CredentialProvider":
        """Return credentials for a local server that asks for none: plaintext and an empty token.

        Raises:
            InvalidArgumentError: Not a host and a port.
        """
        endpoint = Endpoint.parse(_join(host, port), tls=False)
        return cls("", cache_endpoint=endpoint, control_endpoint=endpoint)

    def __repr__(self) -> str:
        return f"CredentialProvider(cache={self.cache_endpoint!r}, control={self.control_endpoint!r})"


def read_claims(token: str) -> dict[str, Any]:
    """Return a JWT's claims, without verifying anything.

    Only the payload segment is read: real tokens exist whose signature segment strict libraries refuse.

    Raises:
        InvalidTokenError: Not a JWT with a JSON object inside.
    """
    segments = token.split(".")
    if len(segments) != 3 or not segments[1]:  # noqa: PLR2004  # header, payload, signature
        _refuse(f"it is not {_KINDS}")
    claims = _json_object(segments[1].replace("-", "+").replace("_", "/"))
    if claims is None:
        _refuse("its payload is not base64url of a JSON object; it may have been cut short when copied")
    return claims


def _read_token(token: str, endpoint: str | None) -> tuple[str, str | None, str | None, str | None]:
    """Return the secret to send, and the addresses of cache, control plane and tokens where something names them."""
    if not isinstance(token, str):
        _refuse(f"it is of type {type(token).__name__}; give a str")
    token = token.strip()
    if not token:
        _refuse("it is empty")
    if not _can_be_sent(token) or not _QUOTES.isdisjoint(token):
        _refuse("it has characters that no token has; it may have been copied with something beside it")
    v1_key = _read_v1_key(token)
    if v1_key is not None:
        secret, named = v1_key
        _check_expiry(secret)
        return secret, *_service_addresses(endpoint or named)
    claims = read_claims(token)
    _check_expiry(token)
    if endpoint:
        return token, *_service_addresses(endpoint)
    cache, control = (None, None) if claims.get("t") == "g" else (claims.get("c"), claims.get("cp"))
    return token, cache if isinstance(cache, str) else None, control if isinstance(control, str) else None, None


def _can_be_sent(token: str) -> bool:
    return token.isascii() and token.isprintable() and " " not in token


def _read_v1_key(token: str) -> tuple[str, str] | None:
    """Return the key and endpoint of a v1 key, or None when the token is of another kind."""
    fields = _json_object(token)
    if fields is None:
        return None
    key, endpoint = fields.get("api_key"), fields.get("endpoint")
    if not (isinstance(key, str) and key and isinstance(endpoint, str) and endpoint):
        _refuse("it is a v1 key without `api_key` and `endpoint`")
    return key, endpoint


def _check_expiry(token: str) -> None:
    try:
        expiry = read_claims(token).get("exp")
    except InvalidTokenError:
        return  # the key inside a v1 key need not be a JWT
    if isinstance(expiry, (int, float)) and expiry <= time.time():
        expired_at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(max(expiry, 0)))
        _refuse(f"it expired at {expired_at}; make a new one")


def _service_addresses(endpoint: str) -> tuple[str, str, str]:
    host, _ = split_address(endpoint)
    if is_localhost(host) or is_ip_literal(host):
        return endpoint, endpoint, endpoint
    return f"cache.{endpoint}", f"control.{endpoint}", f"token.{endpoint}"


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _json_object(base64: str) -> dict[str, Any] | None:
    """Return the JSON object that base64 text holds, padded or not, or None where it holds none.

    It does not raise, so that no error has the decoders' own in its chain: those carry what was read.
    """
    unpadded = base64.rstrip("=")
    try:
        found = json.loads(binascii.a2b_base64(unpadded + "=" * (-len(unpadded) % 4), strict_mode=True))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse(reason: str) -> NoReturn:
    raise InvalidTokenError(f"the token cannot be used: {reason}")
