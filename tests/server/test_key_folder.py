import json
import logging
import math
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.errors import LimitExceededError
from momento_lambda.server import ManualClock, SigningKey, SigningKeyError
from momento_lambda.server.key_folder import KeyFolder
from momento_lambda.server.signing_key import SigningKeysInMemory, newest

MAKE_KEY = """
import sys
from pathlib import Path
from momento_lambda.server.key_folder import KeyFolder
sys.stdin.readline()
print(*KeyFolder.with_a_key(Path(sys.argv[1])).by_id())
"""


def first(folder: Path) -> SigningKey:
    """Return the only key of a folder, made now if there is none."""
    (key,) = KeyFolder.with_a_key(folder).by_id().values()
    return key


def first_id(folder: Path) -> str:
    """Return the id of the key in the file that folders have had from the beginning, made now if there is none."""
    KeyFolder.with_a_key(folder)
    key = SigningKey.from_hex((folder / "signing-key").read_bytes())
    assert key is not None
    return key.id


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    """The first call makes the key, and every later one returns the same."""
    folder = tmp_path / "new" / "folder"
    key = first(folder)
    assert 64 == len(key.secret)
    assert key.secret == first(folder).secret
    assert ["signing-key"] == [path.name for path in folder.iterdir()]


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody else can read the file or look into the folder."""
    folder = tmp_path / "data"
    first(folder)
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert 0o600 == stat.S_IMODE((folder / "signing-key").stat().st_mode)


def test_one_that_others_can_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The server starts all the same, since whoever runs it may have meant it."""
    key = first(tmp_path)
    (tmp_path / "signing-key").chmod(0o644)
    with caplog.at_level(logging.WARNING, "momento_lambda.server"):
        assert key.secret == first(tmp_path).secret
    assert "chmod 600" in caplog.text


def test_threads_that_race_end_up_with_one_key(tmp_path: Path) -> None:
    """Of many that make it at the same time, one wins, and nothing else is left in the folder."""
    folder = tmp_path / "data"
    with ThreadPoolExecutor(16) as pool:
        keys = {key.secret for key in pool.map(lambda _: first(folder), range(64))}
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
    assert {first(tmp_path / "data").id + "\n"} == outputs


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
        first(tmp_path)
    assert str(path) in caught.value.message
    assert "restore it, or delete it" in caught.value.message
    assert caught.value.__cause__ is None
    assert content == path.read_bytes()


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """The words name the path and the option that chooses another."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SigningKeyError, match="--data-dir"):
        first(tmp_path / "file")


def test_an_unreadable_one_is_refused(tmp_path: Path) -> None:
    """The words give the system's reason."""
    (tmp_path / "signing-key").mkdir()
    with pytest.raises(SigningKeyError, match="Is a directory"):
        first(tmp_path)


class TestSeveral:
    def test_each_is_kept_with_its_times(self, tmp_path: Path) -> None:
        """Keys that are added are there for whoever opens the folder, the first one among them."""
        keys = KeyFolder.with_a_key(tmp_path)
        forever = SigningKey.generate()
        for_a_while = SigningKey.generate(seconds=3_600)
        keys.add(forever)
        keys.add(for_a_while)
        found = KeyFolder(tmp_path).by_id()
        assert {first_id(tmp_path), forever.id, for_a_while.id} == found.keys()
        for key in (forever, for_a_while):
            same = found[key.id]
            assert (key.secret, key.created, key.expiry) == (same.secret, same.created, same.expiry)

    def test_they_are_their_owners_alone(self, tmp_path: Path) -> None:
        """Nobody else can read the files or look into their folder."""
        KeyFolder(tmp_path).add(SigningKey.generate())
        (path,) = (tmp_path / "signing-keys").iterdir()
        assert (0o700, 0o600) == (stat.S_IMODE(path.parent.stat().st_mode), stat.S_IMODE(path.stat().st_mode))

    def test_one_is_removed(self, tmp_path: Path) -> None:
        """The first like any other; a second time there is nothing to remove."""
        keys = KeyFolder.with_a_key(tmp_path)
        keys.add(SigningKey.generate())
        for key_id in list(keys.by_id()):
            assert keys.remove(key_id)
            assert not keys.remove(key_id)
        assert {} == keys.by_id() == KeyFolder(tmp_path).by_id()

    @pytest.mark.parametrize("strange", ["../signing-key", "", "no such key", "a" * 500, "\0"], ids=ascii)
    def test_an_id_is_not_a_path(self, tmp_path: Path, strange: str) -> None:
        """What is removed is a key of this id, and never a file that the id leads to."""
        keys = KeyFolder.with_a_key(tmp_path)
        assert not keys.remove(strange)
        assert (tmp_path / "signing-key").exists()

    def test_expired_ones_make_room(self, tmp_path: Path) -> None:
        """They are removed when another is added."""
        keys = KeyFolder(tmp_path)
        keys.add(SigningKey.generate(seconds=10, now=lambda: 1_000))
        keys.add(SigningKey.generate(seconds=10, now=lambda: 1_009))
        assert 2 == len(keys.by_id())
        keys.add(SigningKey.generate(now=lambda: 1_010))
        assert {1_009, 1_010} == {key.created for key in keys.by_id().values()}

    def test_there_is_an_end(self) -> None:
        """More than a hundred are refused, in words that say what to do."""
        keys = SigningKeysInMemory(*(SigningKey.generate() for _ in range(100)))
        with pytest.raises(LimitExceededError, match="revoke some"):
            keys.add(SigningKey.generate())

    def test_a_folder_with_others_needs_no_first(self, tmp_path: Path) -> None:
        """Where the first key was revoked, no other takes its place as long as there is any."""
        keys = KeyFolder.with_a_key(tmp_path)
        keys.add(SigningKey.generate())
        keys.remove(first_id(tmp_path))
        assert keys.by_id().keys() == KeyFolder.with_a_key(tmp_path).by_id().keys()


class TestNoticing:
    def test_within_a_second(self, tmp_path: Path) -> None:
        """What another process adds or removes is there, or gone, a second later, and nothing is read before."""
        clock = ManualClock()
        KeyFolder.with_a_key(tmp_path)
        server = KeyFolder(tmp_path, clock=clock)
        before = server.by_id()
        key = SigningKey.generate()
        KeyFolder(tmp_path).add(key)
        clock.advance("999ms")
        assert server.by_id() is before
        clock.advance("1ms")
        with_another = server.by_id()
        assert {*before, key.id} == with_another.keys()
        KeyFolder(tmp_path).remove(key.id)
        assert server.by_id() is with_another
        clock.advance("1s")
        assert before.keys() == server.by_id().keys()

    def test_what_it_changes_itself_counts_at_once(self, tmp_path: Path) -> None:
        """No time passes."""
        keys = KeyFolder(tmp_path, clock=ManualClock())
        key = SigningKey.generate()
        keys.add(key)
        assert {key.id} == keys.by_id().keys()
        keys.remove(key.id)
        assert {} == keys.by_id()

    def test_a_first_key_that_was_made_anew(self, tmp_path: Path) -> None:
        """A file of the same name is not taken for the same key."""
        clock = ManualClock()
        keys = KeyFolder.with_a_key(tmp_path)
        server = KeyFolder(tmp_path, clock=clock)
        (old,) = keys.by_id()
        keys.remove(old)
        new = first_id(tmp_path)
        clock.advance("1s")
        assert {new} == server.by_id().keys() != {old}

    def test_a_damaged_file_holds_up_nothing_else(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A running server goes on with what can be read, still notices what is revoked, and says so once."""
        clock = ManualClock()
        keys = KeyFolder(tmp_path)
        stays, goes = SigningKey.generate(), SigningKey.generate()
        keys.add(stays)
        keys.add(goes)
        server = KeyFolder(tmp_path, clock=clock)
        damaged = tmp_path / "signing-keys" / "damaged.json"
        damaged.write_text('{"k": "secret"}')
        damaged.chmod(0o600)
        (tmp_path / "signing-keys" / f"{goes.id}.json").unlink()
        for _ in range(3):
            clock.advance("1s")
            assert {stays.id} == server.by_id().keys()
        assert [f"the signing key {damaged} is damaged"] == [record.message.split(":")[0] for record in caplog.records]
        assert "secret" not in caplog.text
        another = SigningKey.generate()
        server.add(another)
        assert server.remove(stays.id)
        assert {another.id} == server.by_id().keys()
        with pytest.raises(SigningKeyError, match="is damaged"):
            KeyFolder(tmp_path)

    def test_a_folder_that_is_away_for_a_moment(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A disk that is not there revokes no key; the log names the folder."""
        clock = ManualClock()
        folder = tmp_path / "data"
        KeyFolder.with_a_key(folder)
        server = KeyFolder(folder, clock=clock)
        before = server.by_id()
        folder.rename(tmp_path / "away")
        clock.advance("1s")
        assert server.by_id() is before
        assert str(folder) in caplog.text
        (tmp_path / "away").rename(folder)
        clock.advance("1s")
        assert server.by_id() is before


class TestText:
    @pytest.mark.parametrize("seconds", [60.5, math.inf])
    def test_round_trip(self, seconds: float) -> None:
        """A key is written as a JSON Web Key, which reads as the same."""
        key = SigningKey.generate(seconds=seconds, now=lambda: 1_700_000_000.25)
        fields = json.loads(key.to_json())
        assert ("oct", "HS512", key.id) == (fields["kty"], fields["alg"], fields["kid"])
        same = SigningKey.from_json(key.to_json().encode())
        assert same is not None
        assert (key.secret, key.created, key.expiry) == (same.secret, same.created, same.expiry)
        assert key.secret == jwt.PyJWK(fields).key

    @given(
        st.binary(max_size=40)
        | st.recursive(
            st.none() | st.integers() | st.floats() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["k", "iat", "exp"]), inner, max_size=3)
            ),
        ).map(lambda value: json.dumps(value).encode())
    )
    def test_anything_else_is_no_key(self, text: bytes) -> None:
        """Whatever a file holds, it is a key or none, and nothing is raised that might show it."""
        assert SigningKey.from_json(text) is None
        assert SigningKey.from_hex(text) is None

    def test_times_that_are_no_numbers(self) -> None:
        """A key with an end that nothing comes after would be accepted for ever."""
        fields = json.loads(SigningKey.generate().to_json())
        for time in ({"iat": math.nan}, {"exp": math.nan}):
            assert SigningKey.from_json(json.dumps({**fields, **time}).encode()) is None

    def test_a_short_key_is_refused(self) -> None:
        """A key is as long as the hash that it is used with."""
        with pytest.raises(SigningKeyError, match="at least 64"):
            SigningKey(bytes(63))

    def test_it_is_in_no_representation(self) -> None:
        """Neither repr nor str shows the key."""
        key = SigningKey(b"secret" * 11)
        assert "secret" not in f"{key!r} {key}"


def test_new_tokens_are_signed_with_what_lasts_longest() -> None:
    """Of several keys without end the newest; one with an end where there is no other; never one that has ended."""
    forever, later = SigningKey.generate(now=lambda: 1), SigningKey.generate(now=lambda: 2)
    ends = SigningKey.generate(now=lambda: 3, seconds=10)
    assert later is newest(SigningKeysInMemory(forever, later, ends), 3)
    assert ends is newest(SigningKeysInMemory(ends), 12)
    with pytest.raises(SigningKeyError, match="key create"):
        newest(SigningKeysInMemory(ends), 13)
