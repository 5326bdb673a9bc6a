import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from momento_lambda import AuthenticationError, CredentialProvider, LimitExceededError, SimpleCacheClient

Command = Callable[..., Any]
Failure = Callable[..., tuple[int, str]]


@pytest.fixture
def key(command: Command, tmp_path: Path) -> Callable[..., list[str]]:
    """Run `key ...` with a data folder of the test's own, and return the lines it prints."""

    def run(*arguments: str) -> list[str]:
        code, output, errors = command("key", *arguments, "--data-dir", str(tmp_path))
        assert (0, "") == (code, errors)
        lines: list[str] = output.splitlines()
        return lines

    return run


@pytest.fixture
def token(command: Command, tmp_path: Path) -> Callable[..., str]:
    """Make a token with the same data folder."""
    return lambda *options: command("token", "create", "--data-dir", str(tmp_path), *options).output.strip()


def signer(token: str) -> str:
    """Return the id of the key that a token names."""
    return str(jwt.get_unverified_header(token)["kid"])


def test_keys_are_made_listed_and_revoked(key: Callable[..., list[str]]) -> None:
    """Each is listed with its times, the newest as the one that signs, until it is revoked."""
    (one,) = key("create")
    (two,) = key("create")
    first, second = key("list")
    assert first.startswith(f"{one}  created 20")
    assert first.endswith("  expires never")
    assert second.startswith(two)
    assert second.endswith("  signs new tokens")
    assert [f"revoked the key {two}"] == key("revoke", two)
    assert [f"{first}  signs new tokens"] == key("list")


def test_the_first_key_of_a_folder(key: Callable[..., list[str]], token: Callable[..., str]) -> None:
    """What the first token was signed with is listed and revoked like any other."""
    first = signer(token())
    assert [f"{first}  created (not noted)  expires never  signs new tokens"] == key("list")
    (second,) = key("create")
    assert second == signer(token())
    key("revoke", first)
    assert [second] == [line.split()[0] for line in key("list")]


def test_one_that_expires(key: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed with its end, and not after it."""
    ends = time.time() + 90 * 86_400
    key("create", "--expires", "90d")
    assert time.strftime("expires %Y-%m-%d", time.gmtime(ends)) in key("list")[0]
    monkeypatch.setattr("time.time", lambda: ends + 60)
    assert [] == key("list")


def test_tokens_end_with_their_key(key: Callable[..., list[str]], token: Callable[..., str]) -> None:
    """A token that would outlive what it is signed with says when it really ends."""
    key("create", "--expires", "1h")
    for options in ((), ("--expires", "2h")):
        assert time.time() + 3_600 >= jwt.decode(token(*options), options={"verify_signature": False})["exp"]


@pytest.mark.parametrize(
    "arguments", [("revoke", "none-such"), ("revoke",), ("create", "--expires", "0"), ("create", "one")], ids=" ".join
)
def test_wrong_usage(failure: Failure, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """What cannot be is said in one line, with exit code 2."""
    assert 2 == failure("key", *arguments, "--data-dir", str(tmp_path))[0]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[str]:
    """Where `momento-lambda serve` listens, in a process of its own, with the same data folder."""
    command = [sys.executable, "-m", "momento_lambda.cli.main", "serve", "--port", "0", "--data-dir", str(tmp_path)]
    command += ["--endpoint", "public.example.com:1", "--limit-item", "10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603  # our own program
        assert server.stdout
        yield server.stdout.readline().split()[-1]
        server.send_signal(signal.SIGTERM)
        assert 0 == server.wait(30)


def test_a_running_server_is_rotated(serving: str, key: Callable[..., list[str]], token: Callable[..., str]) -> None:
    """A new key, a new token, the old key revoked: neither a restart nor a call that fails in between."""
    old_token = token("--endpoint", serving)
    with connect(old_token) as before:
        before.create_cache("cache")
        key("create")
        new_token = token("--endpoint", serving)
        assert signer(new_token) != signer(old_token)
        with connect(new_token) as after:
            eventually(lambda: accepted(after))
            assert accepted(before)
            key("revoke", signer(old_token))
            eventually(lambda: not accepted(before))
            assert accepted(after)


def connect(token: str) -> SimpleCacheClient:
    """Return a client with a token."""
    return SimpleCacheClient(CredentialProvider.from_string(token), 60)


def accepted(client: SimpleCacheClient) -> bool:
    """Whether the server takes a client's token."""
    try:
        client.get("cache", "key")
    except AuthenticationError:
        return False
    return True


def eventually(holds: Callable[[], bool]) -> None:
    """Ask again and again until something holds; the server may take a second to notice."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline


def test_what_a_running_server_is_told_of_tokens(serving: str, token: Callable[..., str]) -> None:
    """Where they lead that it makes, and how much may be asked with those that do not say it."""
    with connect(token("--endpoint", serving)) as client:
        client.create_cache("cache")
        with pytest.raises(LimitExceededError, match="over the 10 bytes"):
            client.set("cache", "key", "more than ten bytes")
        made = client.create_token("read:cache", 60).auth_token
        assert "public.example.com:1" == CredentialProvider.from_string(made).cache_endpoint.target
