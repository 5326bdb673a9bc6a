import base64
import json
import time
from typing import Any

import pytest

from momento_lambda import credentials
from momento_lambda.credentials import CredentialProvider, read_claims
from momento_lambda.endpoint import Endpoint
from momento_lambda.errors import InvalidArgumentError, InvalidTokenError, MomentoError

NOW = 1_700_000_000
CELL = "cell-1.example.com"


def jwt(**claims: object) -> str:
    """Return a JWT with these claims and a signature that nobody checks."""
    parts = (json.dumps(part).encode() for part in ({"alg": "HS512"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "c2lnbmF0dXJl"])


def v1_key(**fields: object) -> str:
    """Return base64 of a JSON object, as v1 keys are."""
    return base64.b64encode(json.dumps(fields).encode()).decode()


LEGACY = jwt(sub="someone", c="cache.cell-0.example.com", cp="control.cell-0.example.com")
V1 = v1_key(api_key="the-key", endpoint=CELL)
V2 = jwt(t="g", jti="1234")


def addresses(provider: CredentialProvider) -> tuple[str, str]:
    """Return where a provider sends to: the cache first, then the control plane."""
    return provider.cache_endpoint.target, provider.control_endpoint.target


@pytest.fixture
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: float(NOW))


@pytest.mark.parametrize(
    ("token", "endpoint", "secret", "cache", "control"),
    [
        pytest.param(
            LEGACY, None, LEGACY, "cache.cell-0.example.com:443", "control.cell-0.example.com:443", id="legacy"
        ),
        pytest.param(V1, None, "the-key", f"cache.{CELL}:443", f"control.{CELL}:443", id="v1"),
        pytest.param(V1.rstrip("="), None, "the-key", f"cache.{CELL}:443", f"control.{CELL}:443", id="v1 unpadded"),
        pytest.param(V2, CELL, V2, f"cache.{CELL}:443", f"control.{CELL}:443", id="v2"),
        pytest.param(f" {V2}\n", CELL, V2, f"cache.{CELL}:443", f"control.{CELL}:443", id="copied with white space"),
        pytest.param(LEGACY, "other.org", LEGACY, "cache.other.org:443", "control.other.org:443", id="legacy moved"),
        pytest.param(V1, "other.org", "the-key", "cache.other.org:443", "control.other.org:443", id="v1 moved"),
    ],
)
def test_three_kinds_of_token(token: str, endpoint: str | None, secret: str, cache: str, control: str) -> None:
    """Each kind of token gives the secret to send and both endpoints; an endpoint that is given has the last word."""
    provider = CredentialProvider.from_string(token, endpoint=endpoint)
    assert (secret, (cache, control)) == (provider.auth_token, addresses(provider))
    assert provider.cache_endpoint.tls
    assert provider.control_endpoint.tls


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param("", "it is empty", id="empty"),
        pytest.param(" \n", "it is empty", id="blank"),
        pytest.param("opaque", "it is not a legacy JWT, a v1 key .* or a v2 key", id="opaque"),
        pytest.param("a.b", "it is not a legacy JWT", id="two segments"),
        pytest.param("a.b.c.d.e", "it is not a legacy JWT", id="five segments"),
        pytest.param("a..c", "it is not a legacy JWT", id="no payload"),
        pytest.param(f"Bearer {LEGACY}", "characters that no token has", id="space inside"),
        pytest.param(f'"{LEGACY}"', "characters that no token has", id="in quotes"),
        pytest.param(f"'{LEGACY}", "characters that no token has", id="half in quotes"),
        pytest.param(LEGACY.replace(".", "\n.", 1), "characters that no token has", id="newline inside"),
        pytest.param(LEGACY + "\u200b", "characters that no token has", id="invisible character"),
        pytest.param(LEGACY.replace(".", ".*", 1), "payload is not base64url of a JSON object", id="nearly base64"),
        pytest.param("a.b*c.d", "payload is not base64url of a JSON object", id="not base64"),
        pytest.param("a.abcde.d", "payload is not base64url of a JSON object", id="base64 of no length"),
        pytest.param("a.bm90IGpzb24.d", "payload is not base64url of a JSON object", id="not JSON"),
        pytest.param("a.gICA.d", "payload is not base64url of a JSON object", id="not UTF-8"),
        pytest.param("a.WzFd.d", "payload is not base64url of a JSON object", id="a JSON array"),
        pytest.param(
            f"a.{base64.urlsafe_b64encode(b'[' * 200_000).decode().rstrip('=')}.d", "JSON object", id="deep JSON"
        ),
        pytest.param(v1_key(api_key="the-key"), "a v1 key without `api_key` and `endpoint`", id="v1 without endpoint"),
        pytest.param(v1_key(endpoint=CELL), "a v1 key without `api_key` and `endpoint`", id="v1 without key"),
        pytest.param(v1_key(api_key=1, endpoint=CELL), "a v1 key without", id="v1 with a number for a key"),
        pytest.param(v1_key(api_key="a\nb", endpoint=CELL), "no header can carry", id="v1 key with a newline"),
        pytest.param(V2, r"pass endpoint= or set MOMENTO_ENDPOINT", id="v2 without endpoint"),
        pytest.param(jwt(t="g", c=CELL, cp=CELL), "does not say where to connect", id="v2 with claims of a legacy one"),
        pytest.param(jwt(sub="someone"), "does not say where to connect", id="legacy without endpoints"),
        pytest.param(jwt(c="host"), "does not say where to connect", id="legacy without control plane"),
        pytest.param(jwt(c=1, cp=[]), "does not say where to connect", id="legacy with other things for endpoints"),
        pytest.param(None, "it is of type NoneType; give a str", id="None"),
        pytest.param(LEGACY.encode(), "it is of type bytes; give a str", id="bytes"),
    ],
)
def test_refusals_name_what_is_wrong(token: Any, reason: str) -> None:
    """A token that cannot be used is refused with the reason."""
    with pytest.raises(InvalidTokenError, match=f"^the token cannot be used: .*{reason}"):
        CredentialProvider.from_string(token)


@pytest.mark.usefixtures("_now")
@pytest.mark.parametrize("kind", ["legacy", "v1", "v2"])
@pytest.mark.parametrize(
    ("expiry", "said"),
    [
        (NOW, "2023-11-14 22:13:20"),
        (NOW - 0.5, "2023-11-14 22:13:19"),
        (0, "1970-01-01 00:00:00"),
        (-5, "1970-01-01 00:00:00"),
        (float("-inf"), "1970-01-01 00:00:00"),
    ],
)
def test_expired(kind: str, expiry: float, said: str) -> None:
    """A token of any kind is refused from the second of its expiry on, and the refusal says when that was."""
    inner = jwt(exp=expiry, t="g" if kind == "v2" else None, c=CELL, cp=CELL)
    token = v1_key(api_key=inner, endpoint=CELL) if kind == "v1" else inner
    with pytest.raises(InvalidTokenError, match=f"it expired at {said} UTC; make a new one$"):
        CredentialProvider.from_string(token, endpoint=CELL)


@pytest.mark.usefixtures("_now")
@pytest.mark.parametrize("expiry", [NOW + 1, 10**30, float("inf"), float("nan"), None, "soon"], ids=str)
def test_not_expired(expiry: object) -> None:
    """A token that expires later, never, or in words that are not a time is left to the server."""
    token = jwt(exp=expiry, c="cache.example.com", cp="control.example.com")
    assert token == CredentialProvider.from_string(token).auth_token


@pytest.mark.parametrize("signature", ["", "AB", "AAAAAAB", "not/base64url*", "x" * 1_000])
def test_the_signature_is_not_looked_at(signature: str) -> None:
    """Tokens are taken whose signature has non-canonical padding bits or worse: judging it is the server's part."""
    token = LEGACY.rpartition(".")[0] + "." + signature
    assert token == CredentialProvider.from_string(token).auth_token


@pytest.mark.parametrize("padding", ["", "=", "=="])
def test_the_payload_may_be_padded(padding: str) -> None:
    """The padding that base64url may leave out may stay, right or wrong."""
    header, payload, signature = jwt(sub="someone").split(".")
    claims = {"sub": "someone"}
    assert claims == read_claims(f"{header}.{payload}{padding}.{signature}")


def test_a_token_in_place_of_an_endpoint_is_not_shown() -> None:
    """A token that was passed as the endpoint is refused like any other, and its text stays out of the message."""
    token = jwt(t="g", jti="12345678-1234-1234-1234-123456789012", sub="someone@example.com")
    with pytest.raises(InvalidArgumentError, match=rf"^endpoint of {len(token)} characters is not") as caught:
        CredentialProvider.from_string(token, endpoint=token)
    assert token[:40] not in caught.value.message


@pytest.mark.parametrize(
    ("endpoint", "cache", "control"),
    [
        ("example.com", "cache.example.com:443", "control.example.com:443"),
        ("example.com:8443", "cache.example.com:8443", "control.example.com:8443"),
        ("localhost:8080", "localhost:8080", "localhost:8080"),
        ("Localhost:8080", "Localhost:8080", "Localhost:8080"),
        ("127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:8080"),
        ("10.1.2.3", "10.1.2.3:443", "10.1.2.3:443"),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443", "[2001:db8::1]:8443"),
    ],
)
@pytest.mark.parametrize("kind", ["v1", "v2"])
def test_prefixes(kind: str, endpoint: str, cache: str, control: str) -> None:
    """A name gets a prefix for each service; an IP literal and localhost are what they are."""
    if kind == "v1":
        provider = CredentialProvider.from_string(v1_key(api_key="the-key", endpoint=endpoint))
    else:
        provider = CredentialProvider.from_string(V2, endpoint=endpoint)
    assert (cache, control) == addresses(provider)


@pytest.mark.parametrize("token", [LEGACY, V1, V2], ids=["legacy", "v1", "v2"])
def test_explicit_endpoints(token: str) -> None:
    """Endpoints given for each service are taken as they are, whatever the token says or leaves open."""
    cache, control = "vpce-1.example.com:4430", "vpce-2.example.com:8443"
    provider = CredentialProvider.from_string(token, cache_endpoint=cache, control_endpoint=control)
    assert (cache, control) == addresses(provider)


def test_one_explicit_endpoint() -> None:
    """One service can be moved alone; the other stays where the token says."""
    cache = "vpce-1.example.com:4430"
    _, control = addresses(CredentialProvider.from_string(LEGACY))
    assert (cache, control) == addresses(CredentialProvider.from_string(LEGACY, cache_endpoint=cache))
    with pytest.raises(InvalidTokenError, match="does not say where to connect"):
        CredentialProvider.from_string(V2, control_endpoint="vpce-2.example.com")


@pytest.mark.parametrize(
    ("arguments", "tls"),
    [
        ({}, False),
        ({"root_certificates": b"PEM"}, True),
        ({"tls_server_name": "cache.example.com"}, True),
        ({"tls": True}, True),
        ({"tls": False, "root_certificates": b"PEM"}, False),
    ],
    ids=["nothing", "a CA", "a server name", "tls", "no tls"],
)
def test_plaintext_on_loopback(arguments: dict[str, Any], tls: bool) -> None:  # noqa: FBT001  # a column
    """Loopback is plaintext until a CA, a server name or `tls` says otherwise; what was given is kept."""
    provider = CredentialProvider.from_string(V2, endpoint="127.0.0.1:8080", **arguments)
    assert (tls, tls) == (provider.cache_endpoint.tls, provider.control_endpoint.tls)
    kept = {"root_certificates": provider.root_certificates, "tls_server_name": provider.tls_server_name}
    assert kept == {"root_certificates": None, "tls_server_name": None} | {
        name: value for name, value in arguments.items() if name in kept
    }


OTHER = jwt(c="cache.other.org", cp="control.other.org")


@pytest.mark.parametrize(
    ("environment", "secret", "cache"),
    [
        ({"MOMENTO_API_KEY": LEGACY}, LEGACY, "cache.cell-0.example.com:443"),
        ({"MOMENTO_API_KEY": V1}, "the-key", f"cache.{CELL}:443"),
        ({"MOMENTO_API_KEY": V2, "MOMENTO_ENDPOINT": CELL}, V2, f"cache.{CELL}:443"),
        ({"MOMENTO_AUTH_TOKEN": OTHER}, OTHER, "cache.other.org:443"),
        ({"MOMENTO_API_KEY": LEGACY, "MOMENTO_AUTH_TOKEN": OTHER}, LEGACY, "cache.cell-0.example.com:443"),
        ({"MOMENTO_API_KEY": "", "MOMENTO_AUTH_TOKEN": OTHER}, OTHER, "cache.other.org:443"),
        ({"MOMENTO_API_KEY": V1, "MOMENTO_ENDPOINT": ""}, "the-key", f"cache.{CELL}:443"),
        ({"MOMENTO_API_KEY": V1, "MOMENTO_ENDPOINT": "localhost:8080"}, "the-key", f"cache.{CELL}:443"),
        ({"MOMENTO_AUTH_TOKEN": OTHER, "MOMENTO_ENDPOINT": "localhost:8080"}, OTHER, "cache.other.org:443"),
    ],
    ids=[
        "legacy key",
        "v1 key",
        "v2 key with endpoint",
        "legacy variable",
        "both variables",
        "empty key",
        "empty endpoint",
        "v1 key names its own",
        "legacy variable names its own",
    ],
)
def test_precedence_in_the_environment(environment: dict[str, str], secret: str, cache: str) -> None:
    """MOMENTO_API_KEY comes before MOMENTO_AUTH_TOKEN, MOMENTO_ENDPOINT is for v2 keys; empty is not set."""
    provider = CredentialProvider.from_environment(environment)
    assert (secret, cache) == (provider.auth_token, provider.cache_endpoint.target)


@pytest.mark.parametrize("environment", [{}, {"MOMENTO_API_KEY": ""}, {"MOMENTO_ENDPOINT": CELL}], ids=str)
def test_no_token_in_the_environment(environment: dict[str, str]) -> None:
    """Without a token the error names the variables to set."""
    with pytest.raises(InvalidTokenError, match=r"set MOMENTO_API_KEY \(or MOMENTO_AUTH_TOKEN\)"):
        CredentialProvider.from_environment(environment)


def test_a_bad_key_is_not_skipped() -> None:
    """A malformed MOMENTO_API_KEY is an error, not a reason to use another token in silence."""
    with pytest.raises(InvalidTokenError, match="cannot be used"):
        CredentialProvider.from_environment({"MOMENTO_API_KEY": "opaque", "MOMENTO_AUTH_TOKEN": OTHER})


def test_the_process_has_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no environment is given, it is the process's."""
    for name in (credentials.ENDPOINT_VARIABLE, credentials.LEGACY_TOKEN_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(credentials.API_KEY_VARIABLE, V1)
    assert CredentialProvider.from_environment().auth_token == "the-key"


@pytest.mark.parametrize(
    ("arguments", "target"),
    [({}, "127.0.0.1:8080"), ({"host": "::1", "port": 9000}, "[::1]:9000"), ({"host": "cache"}, "cache:8080")],
    ids=["default", "IPv6", "a name"],
)
def test_local(arguments: dict[str, Any], target: str) -> None:
    """A local server is spoken to in plaintext, with an empty token, at one address for both services."""
    provider = CredentialProvider.for_local(**arguments)
    assert ("", (target, target)) == (provider.auth_token, addresses(provider))
    assert not provider.cache_endpoint.tls
    assert not provider.control_endpoint.tls


@pytest.mark.parametrize("arguments", [{"port": 0}, {"port": 65_536}, {"host": ""}, {"host": "127.0.0.1:80"}], ids=str)
def test_not_local(arguments: dict[str, Any]) -> None:
    """A host with a port of its own, no host, or a port that does not exist is refused."""
    with pytest.raises(InvalidArgumentError, match="is not an address"):
        CredentialProvider.for_local(**arguments)


@pytest.mark.parametrize("secret", ["a\nb", "a b", "ключ", "a\x00"], ids=ascii)
def test_a_secret_travels_in_a_header(secret: str) -> None:
    """A secret that no header can carry is refused before the first call, without being shown."""
    endpoint = Endpoint.parse("localhost:8080")
    with pytest.raises(InvalidTokenError, match="characters that no header can carry") as caught:
        CredentialProvider(secret, cache_endpoint=endpoint, control_endpoint=endpoint)
    assert secret not in caught.value.message


def test_representations_hide_the_secret() -> None:
    """A provider prints its endpoints and never its secret."""
    provider = CredentialProvider.from_string(V1, tls_server_name="name.example.com")
    shown = (
        f"CredentialProvider(cache=Endpoint('cache.{CELL}:443', tls=True), "
        f"control=Endpoint('control.{CELL}:443', tls=True))"
    )
    assert [shown, shown, f"[{shown}]"] == [repr(provider), str(provider), str([provider])]


def test_refusals_carry_nothing_else() -> None:
    """A refusal has no other error in its chain: a decoder's would carry what it read."""
    for token in ("a.bm90IGpzb24.d", "a.gICA.d", "opaque", "a.b*c.d"):
        with pytest.raises(MomentoError) as caught:
            CredentialProvider.from_string(token)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("token", "endpoints", "expected"),
    [
        (V1, {}, f"token.{CELL}:443"),
        (V1, {"endpoint": "other.org"}, "token.other.org:443"),
        (V2, {"endpoint": "127.0.0.1:9090"}, "127.0.0.1:9090"),
        (LEGACY, {}, "cache.cell-0.example.com:443"),
        (V1, {"cache_endpoint": "inside.example.com"}, "inside.example.com:443"),
        (V1, {"token_endpoint": "tokens.example.com:9"}, "tokens.example.com:9"),
        (LEGACY, {"token_endpoint": "tokens.example.com"}, "tokens.example.com:443"),
    ],
)
def test_where_tokens_are_made(token: str, endpoints: dict[str, Any], expected: str) -> None:
    """At an address of its own where the token's kind has one, else where the items are; or where it is said."""
    assert expected == CredentialProvider.from_string(token, **endpoints).token_endpoint.target


def test_where_tokens_are_made_on_a_local_server() -> None:
    """One port serves everything."""
    assert CredentialProvider.for_local().cache_endpoint == CredentialProvider.for_local().token_endpoint
