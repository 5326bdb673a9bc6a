"""A layer's zip, seen as Lambda and Python will see it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

    from momento_lambda_layer.target import Target

_OTHER_PYTHON = re.compile(r"lib/python3\.[0-9]+/")


class Contents:
    """The files in a layer's zip, and where Python will find them.

    Args:
        archive: The zip, open for reading.
        target: What the layer is for.
    """

    def __init__(self, archive: ZipFile, target: Target) -> None:
        self._archive = archive
        self.target = target

    @property
    def import_roots(self) -> tuple[str, str]:
        """The folders in the zip that Lambda puts on ``sys.path``, in its order."""
        return (f"python/lib/{self.target.runtime.name}/site-packages/", "python/")

    @cached_property
    def entries(self) -> tuple[ZipInfo, ...]:
        """Every file, sorted by name; folders do not count."""
        files = (entry for entry in self._archive.infolist() if not entry.is_dir())
        return tuple(sorted(files, key=lambda entry: entry.filename))

    @cached_property
    def modules(self) -> dict[str, str]:
        """What Python can import: the name in the zip by the path below the import root, such as ``grpc/aio.py``."""
        found = ((self._below_root(entry.filename), entry.filename) for entry in self.entries)
        return {path: name for path, name in found if path is not None}

    @property
    def unzipped_bytes(self) -> int:
        """What the files take up once unzipped."""
        return sum(entry.file_size for entry in self.entries)

    def read(self, name: str, size: int = -1) -> bytes:
        """Return the first bytes of a file, or all of them."""
        with self._archive.open(name) as file:
            return file.read(size)

    def metadata_files(self, name: str) -> list[str]:
        """Return the names in the zip of the file called ``name`` that each distribution has about itself."""
        wanted = re.compile(rf"[^/]+\.dist-info/{re.escape(name)}")
        return [entry for path, entry in self.modules.items() if wanted.fullmatch(path)]

    def _below_root(self, name: str) -> str | None:
        """Return a file's path below the folder that is on ``sys.path``, or None if Python never looks there."""
        for root in self.import_roots:
            if name.startswith(root):
                path = name.removeprefix(root)
                return None if _OTHER_PYTHON.match(path) else path
        return None
