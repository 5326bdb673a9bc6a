import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import platformdirs
import pytest

from momento_lambda.credentials import CredentialProvider
from momento_lambda.permissions import Permission
from momento_lambda.server import LocalServer, TokenLimits
from momento_lambda.server.key_folder import KeyFolder
from momento_lambda.server.tokens import TokenVerifier

Command = Callable[..., Any]
Failure = Callable[..., tuple[int, str]]


@pytest.fixture
def create(command: Command, tmp_path: Path) -> Command:
    """Run `token create` with a data folder of the test's own, and return the token."""

    def make(*options: str) -> str:
        code, output, errors = command("token", "create", "--data-dir", str(tmp_path), *options)
        assert (0, "") == (code, errors)
        token: str = output.splitlines()[-1]
        return token

    return make


class TestCreate:
    def test_the_key_is_made_if_there_is_none(self, create: Command, tmp_path: Path) -> None:
        """The token is signed with the folder's key, which was made with it."""
        token = create()
        (key,) = KeyFolder(tmp_path).by_id().values()
        assert "127.0.0.1:8080" == jwt.decode(token, key.secret, algorithms=["HS512"])["c"]

    def test_the_users_own_folder(self, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without --data-dir the key is kept where this user's data is."""
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert 0 == command("token", "create").code
        assert (platformdirs.user_data_path("momento-lambda", appauthor=False) / "signing-key").is_relative_to(tmp_path)
        assert 1 == len(list(tmp_path.rglob("signing-key")))

    @pytest.mark.parametrize("format", ["legacy", "v1", "v2"])
    def test_every_format_is_read_by_clients(self, create: Command, format: str) -> None:  # noqa: A002  # the option's name
        """The last line of standard output alone is a token for the endpoint."""
        token = create("--format", format, "--endpoint", "localhost:9090")
        provider = CredentialProvider.from_string(token, endpoint="localhost:9090" if format == "v2" else None)
        assert "localhost:9090" == provider.cache_endpoint.target

    @pytest.mark.parametrize(
        ("text", "seconds"), [("30d", 30 * 86_400), ("3600", 3_600), ("90.0", 90), ("1h30m", 5_400)]
    )
    def test_expires(self, create: Command, text: str, seconds: int) -> None:
        """A duration is seconds, or text with units, counted from now."""
        before = int(time.time())
        claims = jwt.decode(create("--expires", text), options={"verify_signature": False})
        assert before <= claims["exp"] - seconds <= time.time()

    def test_allow(self, create: Command, tmp_path: Path) -> None:
        """Each permission that is given is the token's, and without any it allows everything."""
        verifier = TokenVerifier(KeyFolder.with_a_key(tmp_path))
        texts = ["read:users-cache/profile:*", "write:*"]
        token = create("--allow", texts[0], "--allow", texts[1], "--format", "v2")
        assert tuple(map(Permission.parse, texts)) == verifier.verify(token).permissions
        assert verifier.verify(create()).permissions is None

    def test_limits(self, create: Command, tmp_path: Path) -> None:
        """Each limit that is given is the token's."""
        token = create("--limit-requests", "100", "--limit-bytes", "1000000", "--limit-item", "1024")
        assert TokenLimits(100, 1_000_000, 1_024) == TokenVerifier(KeyFolder(tmp_path)).verify(token).limits

    @pytest.mark.parametrize(
        "options",
        [
            ("--expires", "0"),
            ("--expires", "soon"),
            ("--expires", "9" * 30 + "d"),
            ("--format", "v3"),
            ("--allow", "everything"),
            ("--allow", "read:users-cache", "--allow", "write:"),
            ("--limit-requests", "0"),
            ("--limit-item", "1.5"),
            ("--endpoint", "http://host"),
            ("--unheard-of",),
        ],
        ids=" ".join,
    )
    def test_wrong_usage(self, failure: Failure, tmp_path: Path, options: tuple[str, ...]) -> None:
        """What cannot be is said in one line, with exit code 2."""
        assert 2 == failure("token", "create", "--data-dir", str(tmp_path), *options)[0]

    def test_a_damaged_key(self, failure: Failure, tmp_path: Path) -> None:
        """It fails with 1, and the key stays as it is."""
        (tmp_path / "signing-key").write_text("damaged")
        code, words = failure("token", "create", "--data-dir", str(tmp_path))
        assert 1 == code
        assert "signing-key is damaged" in words
        assert "damaged" == (tmp_path / "signing-key").read_text()


class TestInspect:
    @pytest.mark.parametrize(
        ("format", "lines"),
        [
            ("legacy", ["kind:     legacy JWT", "cache:    127.0.0.1:8080", "control:  127.0.0.1:8080"]),
            ("v1", ["kind:     v1 key", "endpoint: 127.0.0.1:8080"]),
            ("v2", ["kind:     v2 key", "endpoint: told apart, in MOMENTO_ENDPOINT"]),
        ],
    )
    @pytest.mark.parametrize("way", ["argument", "standard input", "environment"])
    def test_each_kind_in_each_way(
        self,
        create: Command,
        command: Command,
        format: str,  # noqa: A002  # the option's name
        lines: list[str],
        way: str,
    ) -> None:
        """It says what a token is, where it leads and when it expires, and shows nothing that could be used as one."""
        token = create("--format", format)
        code, output, errors = {
            "argument": lambda: command("token", "inspect", token),
            "standard input": lambda: command("token", "inspect", "-", stdin=token.encode() + b"\n"),
            "environment": lambda: command("token", "inspect", MOMENTO_API_KEY=token),
        }[way]()
        assert (0, "") == (code, errors)
        assert lines == output.splitlines()[: len(lines)]
        assert "expires:  never" in output
        for part in (token, *token.split(".")):
            assert part not in output

    def test_expiry(self, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        """It says when a token expires, or that it has."""
        token = jwt.encode({"exp": 2_000_000_060}, b"k" * 64)
        monkeypatch.setattr("time.time", lambda: 2_000_000_059.0)
        assert "expires:  2033-05-18 03:34:20 UTC" in command("token", "inspect", token).output
        monkeypatch.setattr("time.time", lambda: 2_000_000_060.0)
        assert "expired:  2033-05-18 03:34:20 UTC" in command("token", "inspect", token).output

    def test_claims(self, command: Command) -> None:
        """Claims that say who and what are shown, as plain text; any other may be a secret and is not."""
        claims = {"sub": "me\x1b[2J", "jti": "7", "access": ["read:*"], "pin": "1234", "exp": "soon", "c": 5}
        output = command("token", "inspect", jwt.encode(claims, b"k" * 64)).output
        assert 'sub:      "me\\u001b[2J"' in output
        assert 'access:   ["read:*"]' in output
        assert "`exp` claim is not a number" in output
        assert "cache:    5" in output
        assert "control:  none" in output
        assert "1234" not in output

    def test_an_expiry_of_no_calendar(self, command: Command) -> None:
        """A time that no calendar has is shown as the number it is."""
        token = jwt.encode({"exp": 10**30}, b"k" * 64)
        assert f"expires:  {10**30} seconds after 1970" in command("token", "inspect", token).output

    def test_a_v1_key_around_something_else(self, command: Command) -> None:
        """The key inside need not be a JWT."""
        token = "eyJlbmRwb2ludCI6ICJoIiwgImFwaV9rZXkiOiAic2VjcmV0In0="
        outcome = command("token", "inspect", token)
        assert (0, "kind:     v1 key\nendpoint: h\nexpires:  never\n", "") == outcome

    @pytest.mark.parametrize("token", ["junk", "a.b.c", "e30=", "[" * 5_000])
    def test_what_is_no_token(self, failure: Failure, token: str) -> None:
        """It fails with 1, and does not show what it was given."""
        code, words = failure("token", "inspect", "-", stdin=token.encode())
        assert 1 == code
        assert token not in words

    def test_bytes_that_are_no_text(self, failure: Failure) -> None:
        """They are no token either."""
        assert 1 == failure("token", "inspect", "-", stdin=b"\xff\xfe.\xff.\xff")[0]

    @pytest.mark.parametrize("arguments", [(), ("-",), ("",)], ids=["environment", "standard input", "argument"])
    def test_nothing(self, failure: Failure, arguments: tuple[str, ...]) -> None:
        """It fails in words that say where a token goes."""
        code, words = failure("token", "inspect", *arguments)
        assert 1 == code
        assert "no token" in words

    def test_tokens_of_a_running_server(self, command: Command) -> None:
        """A token is explained with where its server listens."""
        with LocalServer() as server:
            assert f"cache:    {server.address}" in command("token", "inspect", server.create_token()).output
