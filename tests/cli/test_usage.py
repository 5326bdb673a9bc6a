import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from momento_lambda.cli import item_commands
from momento_lambda.server import LocalServer
from momento_lambda.version import __version__

Command = Callable[..., Any]
Failure = Callable[..., tuple[int, str]]

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MOMENTO_")}
MAIN = [sys.executable, "-m", "momento_lambda.cli.main"]


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(  # noqa: S603  # this interpreter, and this project's own module
        [*MAIN, *arguments], capture_output=True, text=True, check=False, env={**ENVIRONMENT, **environment}
    )


def test_version(command: Command) -> None:
    """--version prints one line."""
    assert (0, f"momento-lambda {__version__}\n", "") == command("--version")


def test_help(command: Command) -> None:
    """--help names every command, on standard output."""
    code, output, errors = command("--help")
    assert (0, "") == (code, errors)
    for name in ("serve", "token", "cache", "get", "set", "delete"):
        assert f"\n  {name} " in output


@pytest.mark.parametrize(
    "arguments",
    [("token",), ("token", "create"), ("token", "inspect"), ("cache",), ("serve",), ("get",), ("set",), ("delete",)],
    ids=" ".join,
)
def test_help_of_each_command(command: Command, arguments: tuple[str, ...]) -> None:
    """Every command explains itself."""
    code, output, errors = command(*arguments, "--help")
    assert (0, "") == (code, errors)
    assert output.startswith(f"Usage: momento-lambda {' '.join(arguments)} ")


def test_a_slip_of_the_pen(failure: Failure) -> None:
    """A command that there is not is told apart from the one that was meant."""
    assert (2, True) == ((outcome := failure("serv"))[0], "Did you mean 'serve'?" in outcome[1])


def test_nothing_asked(command: Command) -> None:
    """Without a command the help goes to standard error, with the exit code of wrong usage."""
    code, output, errors = command()
    assert (2, "") == (code, output)
    assert errors.startswith("Usage: momento-lambda")


@pytest.mark.parametrize(
    "arguments",
    [
        ("unheard-of",),
        ("--unheard-of",),
        ("token",),
        ("cache", "create"),
        ("cache", "create", "one", "two"),
        ("get", "cache"),
        ("set", "cache", "key"),
        ("serve", "--port", "70000"),
        ("serve", "--port", "http"),
        ("serve", "--workers", "2"),
        ("serve", "--store", "mysql://here"),
        ("serve", "--no-auth", "--host", "0.0.0.0"),  # noqa: S104  # refused
        ("serve", "--no-auth", "--insecure", "--host", "0.0.0.0"),  # noqa: S104  # refused
        ("serve", "--no-auth", "--tls-key", "/none"),
        ("cache", "list", "--token-file", "/none"),
    ],
    ids=" ".join,
)
def test_wrong_usage(failure: Failure, arguments: tuple[str, ...]) -> None:
    """Whatever is wrong with the arguments is one line on standard error, and exit code 2."""
    assert 2 == failure(*arguments)[0]


def test_half_a_certificate(failure: Failure, tmp_path: Path) -> None:
    """A certificate without a key is wrong usage."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "cert"))
    code, words = failure("serve", "--no-auth", "--tls-cert", str(tmp_path / "cert"))
    assert 2 == code
    assert "--tls-cert and --tls-key" in words


def test_a_certificate_that_does_not_load(failure: Failure, tmp_path: Path) -> None:
    """It fails before anything listens, in words that name the files."""
    for name in ("cert", "key"):
        (tmp_path / name).write_text("junk")
    options = ("--tls-cert", str(tmp_path / "cert"), "--tls-key", str(tmp_path / "key"))
    code, words = failure("serve", "--no-auth", "--port", "0", *options)
    assert 1 == code
    assert f"the certificate {tmp_path / 'cert'}" in words


def test_a_port_that_is_taken() -> None:
    """It is one line, since the transport is kept from adding its own."""
    with LocalServer() as server:
        done = process("serve", "--no-auth", "--port", str(server.port))
        words = f"cannot listen on {server.address}: Address already in use; choose another host or port"
    assert (1, "", f"momento-lambda: {words}\n") == (done.returncode, done.stdout, done.stderr)


def test_a_failure_of_the_system(failure: Failure, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is one line too."""

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/some/file")

    monkeypatch.setattr(item_commands, "connect", refused)
    assert (1, "[Errno 13] Permission denied: '/some/file'") == failure("get", "cache", "key")


def test_an_interruption(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command with 130, without a word."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(item_commands, "connect", interrupted)
    assert (130, "", "") == command("get", "cache", "key")


def test_an_interruption_from_outside() -> None:
    """A command that waits for a server ends quietly when it is interrupted."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        waiting = subprocess.Popen(  # noqa: S603  # this interpreter, and this project's own module
            [*MAIN, "get", "cache", "key", "--endpoint", endpoint],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        connection, _ = silent.accept()
        with connection:
            waiting.send_signal(signal.SIGINT)
            output, errors = waiting.communicate(timeout=20)
    assert (130, b"", b"") == (waiting.returncode, output, errors)


@pytest.mark.parametrize("missing", ["typer", "jwt", "prometheus_client"])
def test_what_is_not_installed_is_said(tmp_path: Path, missing: str) -> None:
    """Without the extra's packages the command line is one line that names the extra."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {missing!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    done = process("serve", "--help", PYTHONPATH=str(tmp_path))
    assert (1, "") == (done.returncode, done.stdout)
    assert (
        f"momento-lambda: the command line needs the package {missing}, which is not installed: "
        "pip install 'momento-lambda[cli]'\n"
    ) == done.stderr
