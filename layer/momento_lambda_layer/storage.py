"""Where the files to judge lie: a zip or a folder, seen alike."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zipfile import BadZipFile, ZipFile

from momento_lambda_layer.errors import UnreadableZipError
from momento_lambda_layer.tree import files_in

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator


_ENCRYPTED = 0x1


@dataclass(frozen=True)
class File:
    """A file.

    Attributes:
        name: Its path, with forward slashes.
        size: In bytes, unzipped.
        mode: Its permissions as Unix writes them, or 0 where they are not known.
    """

    name: str
    size: int
    mode: int


class Storage(Protocol):
    """A place with files."""

    def files(self) -> tuple[File, ...]:
        """Return every file, sorted by name; folders do not count."""

    def read(self, name: str, size: int = -1) -> bytes:
        """Return the first bytes of a file, or all of them."""


class Zip:
    """The files in a zip that is open for reading."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    def files(self) -> tuple[File, ...]:
        """Return every file, sorted by name; folders do not count."""
        entries = sorted(
            (entry for entry in self._archive.infolist() if not entry.is_dir()), key=lambda entry: entry.filename
        )
        return tuple(File(entry.filename, entry.file_size, entry.external_attr >> 16) for entry in entries)

    def read(self, name: str, size: int = -1) -> bytes:
        """Return the first bytes of a file, or all of them."""
        with self._archive.open(name) as file:
            return file.read(size)

    def unpack(self, folder: Path) -> None:
        """Write every file below a folder."""
        self._archive.extractall(folder)


class Folder:
    """The files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> tuple[File, ...]:
        """Return every file, sorted by name; folders do not count."""
        states = ((name, (self._folder / name).stat()) for name in files_in(self._folder))
        return tuple(File(name, state.st_size, state.st_mode) for name, state in states)

    def read(self, name: str, size: int = -1) -> bytes:
        """Return the first bytes of a file, or all of them."""
        with (self._folder / name).open("rb") as file:
            return file.read(size)


@contextmanager
def open_storage(path: str | os.PathLike[str]) -> Iterator[Zip | Folder]:
    """Open a zip or a folder.

    Raises:
        UnreadableZipError: It is missing, no zip, or damaged.
    """
    if Path(path).is_dir():
        yield Folder(Path(path))
        return
    try:
        with ZipFile(path) as archive:
            if any(entry.flag_bits & _ENCRYPTED for entry in archive.infolist()):
                raise BadZipFile("it is encrypted")  # noqa: TRY301  # like all else that is wrong with a zip
            yield Zip(archive)
    except (OSError, BadZipFile, zlib.error, NotImplementedError) as error:
        raise UnreadableZipError(f"{path} cannot be read as a zip: {error}") from error
