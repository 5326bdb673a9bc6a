import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from momento_lambda.cli.app import run
from momento_lambda.server import LocalServer, SigningKey, TokenFormat
from tests.certificates import tls_options

Command = Callable[..., Any]
Failure = Callable[..., tuple[int, str]]


@pytest.fixture
def on(server: LocalServer, command: Command) -> Command:
    """Run a command against the server, with a good token in the environment."""
    token = server.create_token()
    return lambda *arguments, **options: command(*arguments, **{"MOMENTO_API_KEY": token, **options})


class TestCaches:
    def test_create(self, on: Command) -> None:
        """A cache is created once, and is there afterwards either way."""
        assert (0, "created the cache new one\n", "") == on("cache", "create", "new one")
        assert (0, "the cache new one exists already\n", "") == on("cache", "create", "new one")

    def test_list(self, on: Command) -> None:
        """One name is on each line, and nothing else."""
        on("cache", "create", "another")
        assert (0, "another\ncache\n", "") == on("cache", "list")

    def test_flush(self, on: Command) -> None:
        """A cache that was flushed is empty and there."""
        on("set", "cache", "key", "value")
        assert (0, "flushed the cache cache\n", "") == on("cache", "flush", "cache")
        assert 1 == on("get", "cache", "key").code
        assert "cache\n" == on("cache", "list").output

    def test_delete(self, on: Command) -> None:
        """A cache that was deleted is not there."""
        assert (0, "deleted the cache cache\n", "") == on("cache", "delete", "cache")
        assert (0, "", "") == on("cache", "list")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("cache", "delete", "none"),
            ("cache", "flush", "none"),
            ("get", "none", "key"),
            ("set", "none", "key", "value"),
            ("delete", "none", "key"),
        ],
        ids=" ".join,
    )
    def test_an_unknown_cache(self, server: LocalServer, failure: Failure, arguments: tuple[str, ...]) -> None:
        """Every command that needs a cache fails with 1 and names it."""
        code, words = failure(*arguments, MOMENTO_API_KEY=server.create_token())
        assert 1 == code
        assert "there is no cache 'none'" in words

    def test_a_name_that_cannot_be(self, server: LocalServer, failure: Failure) -> None:
        """It is wrong usage, said in one line although the name has two."""
        code, words = failure("cache", "create", "two\nlines", MOMENTO_API_KEY=server.create_token())
        assert 2 == code
        assert "printable ASCII" in words


class TestItems:
    def test_set_and_get(self, on: Command) -> None:
        """What is set is written as it is, with nothing before or after it."""
        assert (0, "", "") == on("set", "cache", "key", "a value")
        assert (0, "a value", "") == on("get", "cache", "key")

    def test_a_terminal_gets_a_newline(self, on: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        """A person's prompt begins on a line of its own."""
        on("set", "cache", "key", "value")
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert "value\n" == on("get", "cache", "key").output

    def test_a_value_from_standard_input(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """A value of any bytes can be piped in and out, and a key too may be any bytes that an argument can hold."""
        value, key = bytes(range(256)) * 1_000, os.fsdecode(b"\xff")
        monkeypatch.setenv("MOMENTO_API_KEY", server.create_token())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(value)))
        assert 0 == run(["set", "cache", key, "-"])
        assert 0 == run(["get", "cache", key])
        assert (value, b"") == capsysbinary.readouterr()

    def test_a_miss(self, server: LocalServer, failure: Failure) -> None:
        """It is exit code 1 and one line that says so."""
        code, words = failure("get", "cache", "key", MOMENTO_API_KEY=server.create_token())
        assert (1, True) == (code, words.startswith("miss:"))

    def test_delete(self, on: Command) -> None:
        """An item that was deleted is a miss, and deleting nothing is no failure."""
        on("set", "cache", "key", "value")
        assert (0, "", "") == on("delete", "cache", "key")
        assert (0, "", "") == on("delete", "cache", "key")
        assert 1 == on("get", "cache", "key").code

    @pytest.mark.parametrize("ttl", ["60", "90s", "1h30m", "1d"])
    def test_ttl(self, on: Command, ttl: str) -> None:
        """A time to live is seconds, or text with units."""
        assert (0, "", "") == on("set", "cache", "key", "value", "--ttl", ttl)

    @pytest.mark.parametrize("ttl", ["0", "-1", "soon", "", "1x", "2d", "1ms", "9" * 30])
    def test_a_ttl_that_cannot_be(self, server: LocalServer, failure: Failure, ttl: str) -> None:
        """Anything else, or outside what an item may live, is wrong usage."""
        token = server.create_token()
        assert 2 == failure("set", "cache", "key", "value", f"--ttl={ttl}", MOMENTO_API_KEY=token)[0]

    def test_a_value_that_is_too_large(self, server: LocalServer, failure: Failure) -> None:
        """It fails in words that name the limit."""
        token = server.create_token()
        code, words = failure("set", "cache", "key", "-", stdin=bytes(6_000_000), MOMENTO_API_KEY=token)
        assert 1 == code
        assert "5000192" in words


class TestConnections:
    @pytest.mark.parametrize("variable", ["MOMENTO_API_KEY", "MOMENTO_AUTH_TOKEN"])
    def test_a_token_from_the_environment(self, server: LocalServer, command: Command, variable: str) -> None:
        """Either variable holds it."""
        assert (0, "cache\n", "") == command("cache", "list", **{variable: server.create_token()})

    def test_a_token_from_a_file(self, server: LocalServer, command: Command, tmp_path: Path) -> None:
        """A file, or standard input, comes before the environment."""
        token = server.create_token().encode() + b"\n"
        (tmp_path / "token").write_bytes(token)
        path = str(tmp_path / "token")
        assert (0, "cache\n", "") == command("cache", "list", "--token-file", path, MOMENTO_API_KEY="junk")
        assert (0, "cache\n", "") == command("cache", "list", "--token-file", "-", stdin=token)

    @pytest.mark.parametrize("format", ["legacy", "v1", "v2"])
    def test_another_endpoint(self, command: Command, format: TokenFormat) -> None:  # noqa: A002  # the option's name
        """--endpoint is where a token of any format is taken, whatever it says itself."""
        key = SigningKey.generate()
        with LocalServer(signing_key=key) as named, LocalServer(signing_key=key, caches=["other"]) as other:
            token = named.create_token(format=format)
            assert (0, "other\n", "") == command("cache", "list", "--endpoint", other.address, MOMENTO_API_KEY=token)

    def test_the_endpoint_of_a_v2_key(self, server: LocalServer, command: Command) -> None:
        """MOMENTO_ENDPOINT names it."""
        token = server.create_token(format="v2")
        environment = {"MOMENTO_API_KEY": token, "MOMENTO_ENDPOINT": server.address}
        assert (0, "cache\n", "") == command("cache", "list", **environment)

    def test_a_server_that_asks_for_no_token(self, command: Command) -> None:
        """Naming one on this machine is enough."""
        with LocalServer(authenticate=False, caches=["cache"]) as server:
            assert (0, "cache\n", "") == command("cache", "list", "--endpoint", server.address)

    @pytest.mark.parametrize("options", [(), ("--endpoint", "cache.example.com")], ids=["nothing", "a far endpoint"])
    def test_no_token(self, failure: Failure, options: tuple[str, ...]) -> None:
        """It fails in words that say where a token goes."""
        code, words = failure("cache", "list", *options)
        assert 1 == code
        assert "MOMENTO_API_KEY" in words

    def test_a_token_that_is_none(self, failure: Failure) -> None:
        """It fails without showing what it was given."""
        code, words = failure("cache", "list", MOMENTO_API_KEY="a-secret-by-mistake")
        assert 1 == code
        assert "a-secret-by-mistake" not in words

    def test_a_token_of_another_server(self, server: LocalServer, failure: Failure) -> None:
        """It fails in the server's words."""
        with LocalServer() as stranger:
            token = stranger.create_token()
        code, words = failure("cache", "list", "--endpoint", server.address, MOMENTO_API_KEY=token)
        assert 1 == code
        assert "not signed by this server" in words

    def test_nobody_there(self, server: LocalServer, failure: Failure) -> None:
        """A server that does not answer is a failure that names it."""
        token = server.create_token()
        with LocalServer() as gone:
            address = gone.address
        code, words = failure("cache", "list", "--endpoint", address, MOMENTO_API_KEY=token)
        assert 1 == code
        assert address in words

    def test_an_endpoint_that_is_none(self, server: LocalServer, failure: Failure) -> None:
        """It is wrong usage."""
        token = server.create_token()
        assert 2 == failure("cache", "list", "--endpoint", "http://host", MOMENTO_API_KEY=token)[0]

    def test_tls(self, command: Command, failure: Failure, tmp_path: Path) -> None:
        """--tls-ca trusts an authority, and another one's certificate is refused."""
        authority, stranger = trustme.CA(), trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca"))
        stranger.cert_pem.write_to_path(str(tmp_path / "stranger"))
        with LocalServer(caches=["cache"], **tls_options(authority)) as server:
            token = server.create_token()
            trusted = command("cache", "list", "--tls-ca", str(tmp_path / "ca"), MOMENTO_API_KEY=token)
            assert (0, "cache\n", "") == trusted
            code, _ = failure("cache", "list", "--tls-ca", str(tmp_path / "stranger"), MOMENTO_API_KEY=token)
            assert 1 == code
