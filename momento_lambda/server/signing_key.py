"""The secret that this server's tokens are signed with, and the file that keeps it."""

import contextlib
import logging
import os
import secrets
import stat
from pathlib import Path
from typing import Final, final

from momento_lambda.errors import MomentoError

_log: Final = logging.getLogger("momento_lambda.server")

# As long as the hash of HS512, which is what its standard asks for.
_KEY_BYTES: Final = 64
_FILE_NAME: Final = "signing-key"


class SigningKeyError(MomentoError):
    """A signing key that cannot be read, written or used."""

    code = "SIGNING_KEY"


@final
class SigningKey:
    """A secret of at least 64 bytes. It is in no representation, message or log."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _KEY_BYTES:
            raise SigningKeyError(f"the signing key has {len(secret)} bytes: give at least {_KEY_BYTES} random ones")
        self._secret = secret

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a new random key."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def load_or_create(cls, folder: Path) -> "SigningKey":
        """Return the key kept in a folder, made now if there is none.

        Of several processes that make one at the same time, one wins and all return its key.

        Args:
            folder: Where the server keeps its data; created, for its owner alone, if it is not there.

        Raises:
            SigningKeyError: The file cannot be read or written, or does not hold a key.
        """
        path = folder / _FILE_NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                _publish(cls.generate(), path)
            _warn_if_shared(path)
            text = path.read_bytes()
        except OSError as error:
            raise SigningKeyError(
                f"the signing key {path} cannot be read or made ({error.strerror or error}): "
                "check the folder's owner and permissions, or choose another with --data-dir"
            ) from error
        return cls(_parse(text, path))

    @property
    def secret(self) -> bytes:
        """The key itself."""
        return self._secret

    def __repr__(self) -> str:
        return "SigningKey(<hidden>)"


def _publish(key: SigningKey, path: Path) -> None:
    """Write a key under its final name in one step, unless another process was first."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.secret.hex().encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        # A link, since it refuses to replace the file of whoever was first, which a rename would.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _parse(text: bytes, path: Path) -> bytes:
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) < _KEY_BYTES:
        # Its content is a secret even where it is damaged, and so is what the parser says of it.
        raise SigningKeyError(
            f"the signing key {path} is damaged: it is not a line of at least {2 * _KEY_BYTES} hexadecimal digits; "
            "restore it, or delete it to have a new one made, and then make new tokens"
        ) from None
    return secret


def _warn_if_shared(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        _log.warning(
            "the signing key %s is open to other users (mode %o): whoever reads it can make tokens; run chmod 600",
            path,
            mode,
        )
