"""Commands run in this process, against a server of the test's own."""

import io
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from momento_lambda.cli.app import run
from momento_lambda.server import LocalServer
from tests.kept_logging import kept_logging


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    output: str
    errors: str


Command = Callable[..., Outcome]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command with arguments, standard input and environment variables of its own."""
    for name in ("MOMENTO_API_KEY", "MOMENTO_AUTH_TOKEN", "MOMENTO_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments: str, stdin: bytes = b"", **environment: str) -> Outcome:
        # A server that starts logs to the standard error of its test.
        with monkeypatch.context() as patch, kept_logging():
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            for name, value in environment.items():
                patch.setenv(name, value)
            code = run(arguments)
        return Outcome(code, *capsys.readouterr())

    return invoke


@pytest.fixture
def failure(command: Command) -> Callable[..., tuple[int, str]]:
    """Run a command that fails, see that it does so in one line, and return its exit code and that line."""

    def invoke(*arguments: str, stdin: bytes = b"", **environment: str) -> tuple[int, str]:
        code, output, errors = command(*arguments, stdin=stdin, **environment)
        assert output == ""
        assert errors.startswith("momento-lambda: ")
        assert errors.count("\n") == 1
        assert errors.endswith("\n")
        return code, errors.removeprefix("momento-lambda: ").removesuffix("\n")

    return invoke


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A server with one cache."""
    with LocalServer(caches=["cache"]) as server:
        yield server
