import base64
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.credentials import CredentialProvider
from momento_lambda.errors import AuthenticationError, InvalidArgumentError
from momento_lambda.permissions import Allow, Permission, permissions_of
from momento_lambda.server import LocalServer, SigningKey
from momento_lambda.server.signing_key import SigningKeysInMemory
from momento_lambda.server.tokens import TokenFormat, TokenVerifier, create_token
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs

Call = Callable[..., Any]

KEY = SigningKey.generate()
KEYS = SigningKeysInMemory(KEY)
OTHER_KEY = SigningKey.generate()
KEYS = SigningKeysInMemory(KEY)
TOKEN = create_token(KEY, endpoint="127.0.0.1:8080")
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
UNSIGNED = jwt.encode({"sub": "someone"}, "", algorithm="none")
CLAIMS = {"sub": "someone", "jti": "1"}
ENDPOINT = "127.0.0.1:8080"


def base64url(content: bytes) -> str:
    """Return bytes as a segment of a token."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


REFUSED = {
    "empty": "",
    "blank": " ",
    "one word": "junk",
    "empty segments": "..",
    "three letters": "a.b.c",
    "with a scheme": f"Bearer {TOKEN}",
    "without signature": f"{HEADER}.{PAYLOAD}",
    "with an empty signature": f"{HEADER}.{PAYLOAD}.",
    "without header": f".{PAYLOAD}.{SIGNATURE}",
    "a header too deep": f"{base64url(b'[' * 5_000)}.{PAYLOAD}.{SIGNATURE}",
    "a header too long a number": f"{base64url(b'1' * 5_000)}.{PAYLOAD}.{SIGNATURE}",
    "a header that is a list": f"{base64url(b'[]')}.{PAYLOAD}.{SIGNATURE}",
    "a header that is empty": f"{base64url(b'{}')}.{PAYLOAD}.{SIGNATURE}",
    "a v1 key, not what it wraps": create_token(KEY, endpoint=ENDPOINT, format="v1"),
    "of another key": create_token(OTHER_KEY, endpoint=ENDPOINT),
    "of another key with the name of ours": jwt.encode(CLAIMS, OTHER_KEY.secret, headers={"kid": KEY.id}),
    "of our key with another name": jwt.encode(CLAIMS, KEY.secret, headers={"kid": OTHER_KEY.id}),
    "of a key without a name": jwt.encode(CLAIMS, KEY.secret, headers={"kid": ""}),
    "of another algorithm": jwt.encode(CLAIMS, KEY.secret, algorithm="HS384"),
    "of unknown access": jwt.encode({**CLAIMS, "access": ["root:*"]}, KEY.secret),
    "of access that is no list": jwt.encode({**CLAIMS, "access": "read:*"}, KEY.secret),
    "of access that is no text": jwt.encode({**CLAIMS, "access": [["read", "*"]]}, KEY.secret),
    "of no access": jwt.encode({**CLAIMS, "access": None}, KEY.secret),
    "of empty access": jwt.encode({**CLAIMS, "access": []}, KEY.secret),
    "of the future": jwt.encode({**CLAIMS, "nbf": 2**40}, KEY.secret),
    "unknown and critical": jwt.encode(CLAIMS, KEY.secret, headers={"crit": ["x"], "x": 1}),
    "no claims but a list": jwt.api_jws.encode(b"[]", KEY.secret),
}


def refusal_of(token: str, verifier: TokenVerifier | None = None) -> str:
    """Return the words with which a token is refused, after seeing that they do not quote it."""
    with pytest.raises(AuthenticationError) as caught:
        (verifier or TokenVerifier(KEYS)).verify(token)
    for part in re.split(r"[^A-Za-z0-9_-]+", token):
        assert len(part) < 12 or part not in caught.value.message
    return caught.value.message


class TestWhatIsAccepted:
    @pytest.mark.parametrize("format", ["legacy", "v1", "v2"])
    def test_clients_read_what_is_made(self, format: TokenFormat) -> None:  # noqa: A002  # the parameter's own name
        """A token of each format leads a client to the endpoint, with a secret that the verifier accepts."""
        token = create_token(KEY, endpoint=ENDPOINT, format=format)
        provider = CredentialProvider.from_string(token, endpoint=ENDPOINT if format == "v2" else None)
        assert (ENDPOINT, ENDPOINT) == (provider.cache_endpoint.target, provider.control_endpoint.target)
        assert TokenVerifier(KEYS).verify(provider.auth_token).permissions is None

    def test_a_legacy_token_has_the_claims_of_its_kind(self) -> None:
        """It is signed with HS512 and names its key, its endpoints, a subject and itself."""
        assert {"alg": "HS512", "kid": KEY.id, "typ": "JWT"} == jwt.get_unverified_header(TOKEN)
        claims = jwt.decode(TOKEN, KEY.secret, algorithms=["HS512"])
        assert {"sub", "jti", "c", "cp"} == claims.keys()
        assert (ENDPOINT, ENDPOINT) == (claims["c"], claims["cp"])

    def test_a_v2_key_has_the_claims_of_its_kind(self) -> None:
        """It says that it is one, and where it leads is said apart."""
        claims = jwt.decode(create_token(KEY, endpoint=ENDPOINT, format="v2"), KEY.secret, algorithms=["HS512"])
        assert "g" == claims["t"]
        assert not {"c", "cp"} & claims.keys()

    def test_no_two_tokens_are_the_same(self) -> None:
        """Each has an id of its own."""
        assert create_token(KEY, endpoint=ENDPOINT) != create_token(KEY, endpoint=ENDPOINT)

    @pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
    def test_both_algorithms_are_accepted(self, algorithm: str) -> None:
        """A token signed with the server's key and either algorithm is accepted."""
        token = jwt.encode(CLAIMS, KEY.secret, algorithm=algorithm)
        assert TokenVerifier(KEYS).verify(token).permissions is None

    @pytest.mark.parametrize(
        "allow",
        [
            "read:cache",
            ["read:cache/key*", "write:*"],
            Permission.read_write("a cache/of %*", key=b"\xff\x00*"),
        ],
        ids=["text", "several", "value"],
    )
    def test_it_allows_what_was_given(self, allow: Allow) -> None:
        """A token allows what it was made to allow, and without a word on it everything."""
        token = create_token(KEY, endpoint=ENDPOINT, allow=allow)
        assert permissions_of(allow) == TokenVerifier(KEYS).verify(token).permissions
        assert TokenVerifier(KEYS).verify(create_token(KEY, endpoint=ENDPOINT)).permissions is None

    @pytest.mark.parametrize("allow", ["", "everything", "read:", []], ids=repr)
    def test_what_it_allows_must_be_a_permission(self, allow: Allow) -> None:
        """No token is made that allows nothing, or something unheard of."""
        with pytest.raises(InvalidArgumentError, match="permission"):
            create_token(KEY, endpoint=ENDPOINT, allow=allow)

    @pytest.mark.parametrize("endpoint", ["", "host:port", "http://host", "a b"])
    def test_an_endpoint_must_be_an_address(self, endpoint: str) -> None:
        """No token is made that no client could use."""
        with pytest.raises(InvalidArgumentError, match="host"):
            create_token(KEY, endpoint=endpoint)


class TestExpiry:
    def test_a_token_is_refused_from_its_expiry_on(self) -> None:
        """It is accepted until the second before, and refused at the expiry, although it was remembered."""
        now = 1_000_000.0
        token = create_token(KEY, endpoint=ENDPOINT, expires=timedelta(days=30), now=lambda: now)
        verifier = TokenVerifier(KEYS, now=lambda: now)
        now += 30 * 86_400 - 1
        assert 1_000_000 + 30 * 86_400 == verifier.verify(token).expiry
        now += 1
        assert "expired at 1970-02-11 13:46:40 UTC" in refusal_of(token, verifier)
        assert "expired" in refusal_of(token, verifier)

    @pytest.mark.parametrize("expiry", ["soon", True, [], float("nan")])
    def test_an_expiry_must_be_a_time(self, expiry: object) -> None:
        """A token of this server whose expiry is no number is refused."""
        assert "`exp`" in refusal_of(jwt.encode({**CLAIMS, "exp": expiry}, KEY.secret))


class TestWhatIsRefused:
    @pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED)
    def test_refused_in_words(self, token: str) -> None:
        """What is not a token of this server is refused in words that say how to get one."""
        assert "momento-lambda token create" in refusal_of(token)

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS384", "RS256", None, 1, ["HS512"]], ids=repr)
    @pytest.mark.parametrize("signature", ["", SIGNATURE])
    def test_the_token_does_not_choose_its_algorithm(self, algorithm: object, signature: str) -> None:
        """Whatever a token says of its algorithm, `none` before all, it is refused."""
        header = base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
        refusal_of(f"{header}.{PAYLOAD}.{signature}")

    @given(st.integers(0, len(TOKEN) - 1), st.characters(min_codepoint=33, max_codepoint=126))
    def test_mutated(self, position: int, character: str) -> None:
        """A token with any one character changed is refused."""
        mutated = TOKEN[:position] + character + TOKEN[position + 1 :]
        if mutated != TOKEN:
            refusal_of(mutated)

    @given(st.integers(0, len(TOKEN) - 1))
    def test_truncated(self, length: int) -> None:
        """A token cut short anywhere is refused."""
        refusal_of(TOKEN[:length])

    @given(st.text(st.characters(max_codepoint=0x10FFFF), max_size=200) | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*"))
    def test_anything_else(self, token: str) -> None:
        """Any other text is refused, and nothing else is raised."""
        with pytest.raises(AuthenticationError):
            TokenVerifier(KEYS).verify(token)

    @given(
        st.dictionaries(
            st.sampled_from(["sub", "jti", "exp", "nbf", "iat", "aud", "iss", "access", "t"]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers()),
        )
    )
    def test_strange_claims(self, claims: dict[str, Any]) -> None:
        """A token of this server with any claims at all is accepted or refused, and nothing else is raised."""
        token = f"{HEADER}.{base64url(json.dumps(claims).encode())}"
        signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA512).sign(token.encode(), KEY.secret)
        try:
            grant = TokenVerifier(KEYS).verify(f"{token}.{base64url(signature)}")
        except AuthenticationError:
            return
        assert "access" in claims or grant.permissions is None


class TestRemembering:
    def test_a_token_is_verified_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was verified is remembered, so that the calls after the first cost no cryptography."""
        verifier = TokenVerifier(KEYS)
        grant = verifier.verify(TOKEN)
        monkeypatch.setattr(jwt, "decode", None)
        assert grant is verifier.verify(TOKEN)

    def test_few_are_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The oldest is forgotten when there are too many, and what is refused is never remembered."""
        verifier = TokenVerifier(KEYS, remembered=2)
        tokens = [create_token(KEY, endpoint=ENDPOINT) for _ in range(3)]
        for token in tokens:
            verifier.verify(token)
            refusal_of("junk", verifier)
        monkeypatch.setattr(jwt, "decode", None)
        assert verifier.verify(tokens[1])
        assert verifier.verify(tokens[2])
        with pytest.raises(TypeError):
            verifier.verify(tokens[0])


class TestSeveralKeys:
    def test_tokens_of_each_are_accepted(self) -> None:
        """A key that is added takes nothing from those that were there, so that tokens are exchanged one by one."""
        keys = SigningKeysInMemory(KEY)
        verifier = TokenVerifier(keys)
        keys.add(OTHER_KEY)
        for key in (KEY, OTHER_KEY):
            verifier.verify(create_token(key, endpoint=ENDPOINT))

    def test_those_of_a_revoked_one_are_not(self) -> None:
        """From then on, although they were remembered; those of others are."""
        keys = SigningKeysInMemory(KEY, OTHER_KEY)
        verifier = TokenVerifier(keys)
        other = create_token(OTHER_KEY, endpoint=ENDPOINT)
        for token in (TOKEN, other):
            verifier.verify(token)
        keys.remove(KEY.id)
        assert "revoked" in refusal_of(TOKEN, verifier)
        verifier.verify(other)
        keys.remove(OTHER_KEY.id)
        refusal_of(other, verifier)
        refusal_of(jwt.encode(CLAIMS, OTHER_KEY.secret), verifier)

    def test_those_from_before_keys_had_names_are_of_the_oldest(self) -> None:
        """A token that names no key is compared with the one that made such tokens, and no other."""
        old, new = SigningKey(KEY.secret), SigningKey.generate()
        verifier = TokenVerifier(SigningKeysInMemory(new, old))
        verifier.verify(jwt.encode(CLAIMS, old.secret))
        refusal_of(jwt.encode(CLAIMS, new.secret), verifier)

    def test_they_end_with_their_key(self) -> None:
        """A token is accepted no longer than what it is signed with, whatever it says itself."""
        key = SigningKey.generate(seconds=60, now=lambda: 1_000)
        for token in (
            create_token(key, endpoint=ENDPOINT),
            create_token(key, endpoint=ENDPOINT, expires=timedelta(days=1), now=lambda: 1_000),
        ):
            assert 1_060 == jwt.decode(token, options={"verify_signature": False})["exp"]
        forged = jwt.encode({**CLAIMS, "exp": 2_000}, key.secret, headers={"kid": key.id})
        now = 1_059.0
        verifier = TokenVerifier(SigningKeysInMemory(key), now=lambda: now)
        assert 1_060 == verifier.verify(forged).expiry
        now = 1_060.0
        assert "expired" in refusal_of(forged, verifier)


class TestOverTheWire:
    @pytest.mark.parametrize(
        "token",
        ["", "junk", f"Bearer {TOKEN}", TOKEN, TOKEN[:-1], UNSIGNED],
        ids=["empty", "junk", "with a scheme", "of another key", "truncated", "unsigned"],
    )
    @pytest.mark.parametrize("cache", ["cache", "none such"])
    def test_a_bad_token_is_unauthenticated(self, refusal: Call, call: Call, token: str, cache: str) -> None:
        """Whether or not the cache exists, and the server goes on answering others."""
        assert "UNAUTHENTICATED" == refusal(rpcs.GET, pb.GetRequest(), token=token, cache=cache)[0]
        assert pb.GetResponse(result=pb.MISS) == call(rpcs.GET, pb.GetRequest())

    def test_an_expired_token_is_unauthenticated(self, server: LocalServer, refusal: Call) -> None:
        """The words say when it expired."""
        token = server.create_token(expires=timedelta(seconds=-1))
        status, _, words = refusal(rpcs.GET, pb.GetRequest(), token=token)
        assert "UNAUTHENTICATED" == status
        assert "expired at" in words
