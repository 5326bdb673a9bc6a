"""The signing keys in a data folder, which servers and commands share while they run.

The first key is the file `signing-key`, a line of hexadecimal digits; each other one is a JSON Web Key in the folder
`signing-keys`.
"""

import contextlib
import logging
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, final

from momento_lambda.server import clock as clocks
from momento_lambda.server.clock import NANOSECONDS_PER_SECOND, Clock
from momento_lambda.server.signing_key import SigningKey, SigningKeyError, check_room

_log: Final = logging.getLogger("momento_lambda.server")

NOTICED_WITHIN_SECONDS: Final = 1
"""The longest that a server which is asked goes on without a key that came, or with one that went."""

_FIRST: Final = "signing-key"
_OTHERS: Final = "signing-keys"
_SUFFIX: Final = ".json"


@final
class KeyFolder:
    """The keys in a data folder. What others add or remove there is noticed within a second.

    Args:
        folder: Where the server keeps its data; created, for its owner alone, if it is not there.
        clock: What says when to look again.

    Raises:
        SigningKeyError: The folder cannot be used, or a file in it does not hold a key.
    """

    def __init__(self, folder: Path, *, clock: Clock = clocks.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._files: dict[_File, SigningKey] = {}
        self._keys: Mapping[str, SigningKey] = {}
        self._complaint = ""
        with _explained(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        failure = self._look()
        if failure is not None:
            raise failure

    @classmethod
    def with_a_key(cls, folder: Path) -> "KeyFolder":
        """Return the keys in a folder, a first one made now if there is none.

        Of several processes that make it at the same time, one wins and all have its key.

        Raises:
            SigningKeyError: As above.
        """
        keys = cls(folder)
        if not keys.by_id():
            with _explained(folder / _FIRST):
                _publish(SigningKey.generate().secret.hex(), folder / _FIRST)
            keys = cls(folder)
        return keys

    def by_id(self) -> Mapping[str, SigningKey]:
        """Return the keys, expired ones perhaps among them: the same object until some key comes or goes."""
        if self._clock() - self._looked >= NOTICED_WITHIN_SECONDS * NANOSECONDS_PER_SECOND:
            try:
                failure = self._look()
            except SigningKeyError as error:
                # What was read goes on: a disk that is away for a moment is no reason to turn everyone down.
                failure = error
            self._complain(failure)
        return self._keys

    def add(self, key: SigningKey) -> None:
        """Keep one more key, and remove those that have expired before it was made.

        Raises:
            LimitExceededError: There are too many.
            SigningKeyError: It cannot be written.
        """
        self._unlink(other for other in self._files.values() if other.expiry <= key.created)
        check_room(self._keys)
        path = self._folder / _OTHERS / f"{key.id}{_SUFFIX}"
        with _explained(path):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _publish(key.to_json(), path)
        self._complain(self._look())

    def remove(self, key_id: str) -> bool:
        """Remove a key, and return False where there is none of that id.

        Raises:
            SigningKeyError: It cannot be removed.
        """
        self._complain(self._look())
        key = self._keys.get(key_id)
        if key is not None:
            self._unlink([key])
        return key is not None

    def _unlink(self, keys: Iterable[SigningKey]) -> None:
        gone = {key.id for key in keys}
        for file, key in self._files.items():
            if key.id in gone:
                with _explained(file.path):
                    file.path.unlink(missing_ok=True)
        self._complain(self._look())

    def _look(self) -> SigningKeyError | None:
        """Read what is new and forget what is gone, and return what is wrong with a file that cannot be read.

        Raises:
            SigningKeyError: Nobody can say which files there are.
        """
        self._looked = self._clock()
        with _explained(self._folder):
            present = _present(self._folder)
        files = {file: key for file, key in self._files.items() if file in present}
        failure: SigningKeyError | None = None
        for file in sorted(present - files.keys()):
            try:
                files[file] = _load(file.path)
            except SigningKeyError as error:
                failure = failure or error
        if files.keys() != self._files.keys():
            self._files = files
            self._keys = {key.id: key for key in files.values()}
        return failure

    def _complain(self, failure: SigningKeyError | None) -> None:
        """Say once, and not every second, what is wrong."""
        message = "" if failure is None else failure.message
        if message and message != self._complaint:
            _log.error("%s", message)
        self._complaint = message


class _File(NamedTuple):
    """A file, and what tells it from a later one of the same name."""

    path: Path
    inode: int
    changed: int


def _present(folder: Path) -> set[_File]:
    folder.stat()  # A folder that is gone as a whole is an error, and not a way to revoke every key.
    paths = [folder / _FIRST]
    with contextlib.suppress(FileNotFoundError):
        paths += [path for path in (folder / _OTHERS).iterdir() if path.suffix == _SUFFIX]
    found = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            found.add(_File(path, status.st_ino, status.st_mtime_ns))
    return found


def _load(path: Path) -> SigningKey:
    with _explained(path):
        _warn_if_shared(path)
        text = path.read_bytes()
    key = SigningKey.from_json(text) if path.suffix == _SUFFIX else SigningKey.from_hex(text)
    if key is None:
        # Its content is a secret even where it is damaged.
        raise SigningKeyError(
            f"the signing key {path} is damaged: it is not what was written there; restore it, or delete it to do "
            "without, and then make new tokens"
        )
    return key


def _publish(text: str, path: Path) -> None:
    """Write a file under its final name in one step, unless another process was first."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(descriptor)
        # A link, since it refuses to replace the file of whoever was first, which a rename would.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Put what the system says of a file into words."""
    try:
        yield
    except OSError as error:
        raise SigningKeyError(
            f"the signing key {path} cannot be read, made or removed ({error.strerror or error}): "
            "check the folder's owner and permissions, or choose another with --data-dir"
        ) from error


def _warn_if_shared(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        _log.warning(
            "the signing key %s is open to other users (mode %o): whoever reads it can make tokens; run chmod 600",
            path,
            mode,
        )
