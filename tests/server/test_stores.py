"""Where a store is, and what is said of a URL that leads to none."""

import subprocess
import sys
from pathlib import Path

import pytest

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.store_url import Address, StoreUrl
from momento_lambda.server.stores import open_store
from momento_lambda.server.valkey.store import ValkeyStore

SECRET = "very-secret"


@pytest.mark.parametrize(
    ("url", "parsed", "shown"),
    [
        ("valkey://h", StoreUrl((Address("h", 6379),)), "valkey://h:6379"),
        ("redis://h:1", StoreUrl((Address("h", 1),)), "valkey://h:1"),
        ("redis://h:1/2", StoreUrl((Address("h", 1),), database=2), "valkey://h:1"),
        ("valkey://[::1]:1,h:2/", StoreUrl((Address("::1", 1), Address("h", 2))), "valkey://[::1]:1,h:2"),
        ("valkeys://h", StoreUrl((Address("h", 6379),), tls=True), "valkeys://h:6379"),
        (
            "rediss://u%40x:p%3A%2Fs@h:1?authority=/ca.pem",
            StoreUrl((Address("h", 1),), tls=True, username="u@x", password="p:/s", authority=Path("/ca.pem")),
            "valkeys://h:1",
        ),
        ("redis://:p@h:1", StoreUrl((Address("h", 1),), password="p"), "valkey://h:1"),
        ("valkey-cluster://a:1,b", StoreUrl((Address("a", 1), Address("b", 6379)), cluster=True), None),
        ("redis-cluster://a:1", StoreUrl((Address("a", 1),), cluster=True), "valkey-cluster://a:1"),
        ("rediss-cluster://a:1", StoreUrl((Address("a", 1),), cluster=True, tls=True), "valkeys-cluster://a:1"),
    ],
)
def test_a_url_is_understood(url: str, parsed: StoreUrl, shown: str | None) -> None:
    """The scheme says what kind of store it is, and what it is shown as has nobody's name and password."""
    assert parsed == StoreUrl.parse(url)
    assert shown is None or shown == str(parsed)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mysql://u:{SECRET}@h:1", "begins with 'mysql': give memory://, valkey://HOST:PORT or"),
        (f"u:{SECRET}@h:1", "begins with 'u'"),
        (SECRET, "begins with ''"),
        ("memory://h", "begins with 'memory'"),
        (f"valkey://u:{SECRET}@", "no valid host and port"),
        (f"valkey://u:{SECRET}@h:port", "no valid host and port"),
        (f"valkey://u:{SECRET}/x@h:1", "no valid host and port"),
        (f"valkey://u:[{SECRET}@h:1", "no valid host and port"),
        (f"valkey://u:1#{SECRET}@h:1", "where a password is percent-encoded"),
        (f"valkey://u:1?{SECRET}@h:1", "where a password is percent-encoded"),
        ("valkey://h:1?timeout", "no option 'timeout'"),
        (f"valkey://u:{SECRET}@h:1/x", "the number of a database"),
        (f"valkey-cluster://u:{SECRET}@h:1/1", "the number of a database, and a cluster none"),
        (f"valkey://u:{SECRET}@h:1?timeout=5", "no option 'timeout'"),
    ],
)
def test_what_is_no_url_of_a_store_is_refused(url: str, said: str) -> None:
    """The refusal says what a URL looks like, and repeats no password."""
    with pytest.raises(InvalidArgumentError) as caught:
        open_store(url)
    assert said in caught.value.message
    assert SECRET not in caught.value.message


def test_a_password_shows_nowhere() -> None:
    """Neither a URL nor a store shows it in any representation."""
    url = StoreUrl.parse(f"valkey://user:{SECRET}@h:1")
    for shown in (url, ValkeyStore(url)):
        assert SECRET not in f"{shown!r} {shown}"


def test_a_store_is_opened() -> None:
    """One in this process, or one on other machines, which is not asked yet."""
    assert isinstance(open_store("memory://"), MemoryStore)
    assert isinstance(open_store("valkey://nowhere.invalid"), ValkeyStore)


def test_what_is_not_installed_is_said(tmp_path: Path) -> None:
    """Without the extra's package, `serve` says what to install, and a server in memory starts as ever."""
    (tmp_path / "redis.py").write_text("raise ModuleNotFoundError('absent', name='redis')")
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'redis' else find(name, package)\n"
    )
    code = (
        "from momento_lambda.cli.app import run; from momento_lambda.server import LocalServer\n"
        "with LocalServer(): print('in memory')\n"
        "raise SystemExit(run(['serve', '--store', 'valkey://h:1']))"
    )
    done = subprocess.run(  # noqa: S603  # this interpreter, and code of this file's
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}"},
    )
    assert (2, "in memory\n") == (done.returncode, done.stdout)
    assert "pip install 'momento-lambda[valkey]'" in done.stderr
