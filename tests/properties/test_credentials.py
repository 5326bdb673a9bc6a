import base64
import json
import traceback

from hypothesis import example, given
from hypothesis import strategies as st

from momento_lambda.credentials import CredentialProvider
from momento_lambda.endpoint import Endpoint
from momento_lambda.errors import InvalidArgumentError, InvalidTokenError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
SECRETS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=24, max_size=64)
HOSTS = st.sampled_from(["cache.example.com", "localhost:8080", "10.0.0.1", "[::1]:9", "not a host", "", "a:b"])
CLAIMS = st.fixed_dictionaries(
    {}, optional={"c": HOSTS | JSON, "cp": HOSTS | JSON, "exp": JSON, "t": st.just("g") | JSON, "sub": JSON}
)
ENDPOINTS = st.none() | HOSTS


def base64url(content: object) -> str:
    """Return JSON in base64url without padding, as JWTs hold it."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def jwt(claims: object, signature: str) -> str:
    """Return a JWT."""
    return f"{base64url({'alg': 'HS512'})}.{base64url(claims)}.{signature}"


def everything_said(error: BaseException) -> str:
    """Return all that an error and those in its chain would show, suppressed ones included."""
    said = ["".join(traceback.format_exception(error))]
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is not None and current not in seen:
            seen.append(current)
            said += [str(current), repr(current), repr(vars(current))]
            waiting += [current.__cause__, current.__context__]
    return "\n".join(said)


def outcome(token: str, endpoint: str | None) -> str:
    """Return what is shown of a token that was read or refused; any other error is a failure."""
    try:
        provider = CredentialProvider.from_string(token, endpoint=endpoint)
    except (InvalidTokenError, InvalidArgumentError) as error:
        return everything_said(error)
    return f"{provider!r} {provider}"


@given(CLAIMS, SECRETS, ENDPOINTS)
def test_jwts_are_never_shown(claims: dict[str, object], signature: str, endpoint: str | None) -> None:
    """Whatever claims a JWT makes, it is read or refused, and no part of it that lets anyone in is shown."""
    token = jwt(claims, signature)
    shown = outcome(token, endpoint)
    assert token not in shown
    assert signature not in shown
    assert base64url(claims) not in shown


@given(SECRETS, HOSTS | JSON, ENDPOINTS, st.booleans())
def test_v1_keys_are_never_shown(secret: str, named: object, endpoint: str | None, nested: bool) -> None:  # noqa: FBT001  # one of the cases
    """Whatever a v1 key names as its endpoint, the key inside is shown by nothing."""
    key = jwt({"exp": named}, secret) if nested else secret
    token = base64.b64encode(json.dumps({"api_key": key, "endpoint": named}).encode()).decode()
    shown = outcome(token, endpoint)
    assert token not in shown
    assert secret not in shown


@given(CLAIMS, SECRETS, ENDPOINTS, st.data())
def test_damaged_tokens_are_never_shown(
    claims: dict[str, object], secret: str, endpoint: str | None, data: st.DataObject
) -> None:
    """A token that was cut, or had characters changed, is read or refused, and stays hidden too."""
    v1_fields = {"api_key": secret, "endpoint": "cell-1.example.com"} | claims
    v1_key = base64.b64encode(json.dumps(v1_fields).encode()).decode()
    whole = data.draw(st.sampled_from([jwt(claims, secret), v1_key]), label="whole")
    start = data.draw(st.integers(0, len(whole)), label="start")
    stop = data.draw(st.integers(start, len(whole)), label="stop")
    damaged = whole[:start] + data.draw(st.text(max_size=4), label="in between") + whole[stop:]
    shown = outcome(damaged, endpoint)
    assert secret not in shown
    if len(damaged.strip()) > 24:
        assert damaged.strip() not in shown


@given(st.text(), st.none() | st.text())
@example("\ud800", None)
@example("a.e30.c", "\ud800")
@example("a.e30.c", "0" * 5_000)
def test_any_text_is_read_or_refused(token: str, endpoint: str | None) -> None:
    """Text that is no token at all raises nothing but what says so."""
    outcome(token, endpoint)


@given(JSON, st.text(max_size=6), st.text(max_size=6))
def test_any_payload_is_read_or_refused(payload: object, header: str, signature: str) -> None:
    """Three segments around any JSON at all are read or refused."""
    outcome(f"{header}.{base64url(payload)}.{signature}", None)


@given(st.binary(max_size=64))
def test_any_bytes_in_base64_are_read_or_refused(content: bytes) -> None:
    """Base64 of anything at all, as a v1 key or as a payload, is read or refused."""
    text = base64.b64encode(content).decode()
    outcome(text, None)
    outcome(f"a.{text}.c", None)


@given(st.text() | st.from_regex(r"\A\[?[a-z0-9:.%-]{0,20}\]?(:[0-9]{0,7})?\Z"))
def test_addresses_come_back(address: str) -> None:
    """An address is refused, or the target made of it is read as the same endpoint again."""
    try:
        endpoint = Endpoint.parse(address)
    except InvalidArgumentError:
        return
    assert endpoint == Endpoint.parse(endpoint.target)
    assert 0 < endpoint.port < 65_536
