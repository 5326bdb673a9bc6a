import logging
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from momento_lambda.server import SigningKey, SigningKeyError

MAKE_KEY = """
import sys
from pathlib import Path
from momento_lambda.server.signing_key import SigningKey
sys.stdin.readline()
print(SigningKey.load_or_create(Path(sys.argv[1])).secret.hex())
"""


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    """The first call makes the key, and every later one returns the same."""
    folder = tmp_path / "new" / "folder"
    key = SigningKey.load_or_create(folder)
    assert 64 == len(key.secret)
    assert key.secret == SigningKey.load_or_create(folder).secret
    assert ["signing-key"] == [path.name for path in folder.iterdir()]


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody else can read the file or look into the folder."""
    folder = tmp_path / "data"
    SigningKey.load_or_create(folder)
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert 0o600 == stat.S_IMODE((folder / "signing-key").stat().st_mode)


def test_one_that_others_can_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server starts all the same, since whoever runs it may have meant it."""
    key = SigningKey.load_or_create(tmp_path)
    (tmp_path / "signing-key").chmod(0o644)
    with caplog.at_level(logging.WARNING, "momento_lambda.server"):
        assert key.secret == SigningKey.load_or_create(tmp_path).secret
    assert "chmod 600" in caplog.text


def test_threads_that_race_end_up_with_one_key(tmp_path: Path) -> None:
    """Of many that make it at the same time, one wins, and nothing else is left in the folder."""
    folder = tmp_path / "data"
    with ThreadPoolExecutor(16) as pool:
        keys = {key.secret for key in pool.map(lambda _: SigningKey.load_or_create(folder), range(64))}
    assert 1 == len(keys)
    assert ["signing-key"] == [path.name for path in folder.iterdir()]


def test_processes_that_race_end_up_with_one_key(tmp_path: Path) -> None:
    """A server and a command that makes a token may both be the first."""
    processes = [
        subprocess.Popen(  # noqa: S603  # this interpreter, and a script of this file's
            [sys.executable, "-c", MAKE_KEY, str(tmp_path / "data")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = {process.communicate(timeout=60)[0] for process in processes}
    assert {SigningKey.load_or_create(tmp_path / "data").secret.hex() + "\n"} == outputs


@pytest.mark.parametrize(
    "content",
    [b"", b"short", b"zz" * 64, b"ab" * 63, b"\xff\xfe", b"ab" * 32 + b"\n" + b"cd" * 31],
    ids=["empty", "short", "not hexadecimal", "a byte too few", "binary", "two short lines"],
)
def test_a_damaged_one_is_refused(tmp_path: Path, content: bytes) -> None:
    """The words name the file and what to do, never what it holds; the file stays for someone to look at."""
    path = tmp_path / "signing-key"
    path.write_bytes(content)
    with pytest.raises(SigningKeyError) as caught:
        SigningKey.load_or_create(tmp_path)
    assert str(path) in caught.value.message
    assert "restore it, or delete it" in caught.value.message
    assert caught.value.__cause__ is None
    assert content == path.read_bytes()


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """The words name the path and the option that chooses another."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SigningKeyError, match="--data-dir"):
        SigningKey.load_or_create(tmp_path / "file")


def test_an_unreadable_one_is_refused(tmp_path: Path) -> None:
    """The words give the system's reason."""
    (tmp_path / "signing-key").mkdir()
    with pytest.raises(SigningKeyError, match="Is a directory"):
        SigningKey.load_or_create(tmp_path)


def test_a_short_key_is_refused() -> None:
    """A key is as long as the hash that it is used with."""
    with pytest.raises(SigningKeyError, match="at least 64"):
        SigningKey(bytes(63))


def test_it_is_in_no_representation() -> None:
    """Neither repr nor str shows the key."""
    key = SigningKey(b"secret" * 11)
    assert "secret" not in f"{key!r} {key}"
