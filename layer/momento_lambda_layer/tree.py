"""The files below a folder, in one order on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def files_in(tree: Path) -> list[str]:
    """Return the path of every file below a folder: relative, with forward slashes, sorted."""
    return sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
