"""A tree of files as a zip whose bytes depend on the names and contents of the files, and on nothing else."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

from momento_lambda_layer.tree import files_in

if TYPE_CHECKING:
    from pathlib import Path

# The earliest date that a zip can hold.
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_REGULAR_FILE = 0o100000
# Level 9 takes three times as long and saves half a percent.
_LEVEL = 6


def write_archive(tree: Path, path: Path, *, prefix: str) -> None:
    """Write the files of a tree into a zip: equal files give equal bytes.

    Order, dates and permissions on disk do not show. zlib's version does, since it decides how well a file
    is compressed.

    Args:
        tree: The folder to pack.
        path: The zip to write.
        prefix: What every name in the zip starts with, such as ``python/``.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name in files_in(tree):
            archive.writestr(_entry(prefix + name), (tree / name).read_bytes(), compresslevel=_LEVEL)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_contents(tree: Path) -> str:
    """Return the SHA-256 of the names and contents of a tree, in hexadecimal: no compression has a say in it."""
    digest = hashlib.sha256()
    for name in files_in(tree):
        digest.update(f"{hash_file(tree / name)}  {name}\n".encode())
    return digest.hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system = _UNIX
    entry.compress_type = zipfile.ZIP_DEFLATED
    # From the name, not from disk: checkouts and umasks differ. Lambda's user is another one, so all may read.
    mode = 0o755 if name.endswith(".so") else 0o644
    entry.external_attr = (_REGULAR_FILE | mode) << 16
    return entry
