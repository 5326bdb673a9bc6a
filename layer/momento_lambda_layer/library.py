"""The library itself, `momento_lambda`, copied from where it is installed.

It is found as any installed distribution is, and never imported: a layer is built from what lies on disk.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer.errors import LibraryError

if TYPE_CHECKING:
    from collections.abc import Callable

DISTRIBUTION = "momento-lambda"
PACKAGE = "momento_lambda"
# A function imports none of these, and what they import (typer, PyJWT, pytest) is not in the layer.
LEFT_OUT = frozenset({"cli", "server", "testing"})


@dataclass(frozen=True)
class Library:
    """The library as installed here."""

    folder: Path
    distribution: Distribution

    @property
    def version(self) -> str:
        """Its version, as its metadata states it."""
        return self.distribution.version


def find_library() -> Library:
    """Return the library that is installed beside this package.

    Raises:
        LibraryError: It is not installed.
    """
    try:
        found = distribution(DISTRIBUTION)
    except PackageNotFoundError as error:
        raise LibraryError(f"{DISTRIBUTION} is not installed here: pip install {DISTRIBUTION}") from error
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise LibraryError(f"{DISTRIBUTION} lacks its package {PACKAGE}: install it again")
    return Library(Path(spec.origin).parent, found)


def copy_library(library: Library, tree: Path) -> None:
    """Copy what a function imports, with the metadata and licence that scanners look for."""
    shutil.copytree(library.folder, tree / PACKAGE, ignore=_ignored_in(library.folder))
    information = tree / f"{PACKAGE}-{library.version}.dist-info"
    information.mkdir()
    metadata = library.distribution.read_text("METADATA") or ""
    (information / "METADATA").write_text(metadata, encoding="utf-8", newline="\n")
    for file in library.distribution.files or ():
        if "licenses" in file.parts:
            licence = information / Path(*file.parts[1:])
            licence.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(library.distribution.locate_file(file)), licence)


def _ignored_in(root: Path) -> Callable[[str, list[str]], set[str]]:
    def ignored(folder: str, names: list[str]) -> set[str]:
        caches = {"__pycache__"}
        return (caches | LEFT_OUT if Path(folder) == root else caches) & set(names)

    return ignored
