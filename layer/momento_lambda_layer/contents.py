"""What a layer or a function holds, seen as Lambda and Python will see it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from momento_lambda_layer.storage import File, Storage
    from momento_lambda_layer.target import Target

_OTHER_PYTHON = re.compile(r"lib/python3\.[0-9]+/")


class Contents:
    """Files, and where Python will find them.

    Args:
        storage: Where the files lie.
        target: What they are for.
        import_roots: The folders among them that are on ``sys.path``, in its order.
        mount: Where Lambda puts the files.
    """

    def __init__(self, storage: Storage, target: Target, import_roots: tuple[str, ...], mount: str) -> None:
        self._storage = storage
        self.target = target
        self.import_roots = import_roots
        self.mount = mount

    @classmethod
    def of_layer(cls, storage: Storage, target: Target) -> Contents:
        """Return the contents of a layer."""
        return cls(storage, target, (f"python/lib/{target.runtime.name}/site-packages/", "python/"), "/opt")

    @classmethod
    def of_function(cls, storage: Storage, target: Target) -> Contents:
        """Return the contents of a function."""
        return cls(storage, target, ("",), "/var/task")

    @cached_property
    def files(self) -> tuple[File, ...]:
        """Every file, sorted by name; folders do not count."""
        return self._storage.files()

    @cached_property
    def below_roots(self) -> dict[str, dict[str, str]]:
        """For each import root what Python can import there: the name of a file by its path below the root."""
        found: dict[str, dict[str, str]] = {root: {} for root in self.import_roots}
        for file in self.files:
            root = next((root for root in self.import_roots if file.name.startswith(root)), None)
            path = file.name.removeprefix(root or "")
            if root is not None and not (self.mount == "/opt" and _OTHER_PYTHON.match(path)):
                found[root][path] = file.name
        return found

    @cached_property
    def modules(self) -> dict[str, str]:
        """What Python can import: the name of a file by its path below the import root, such as ``grpc/aio.py``."""
        return {path: name for root in reversed(self.import_roots) for path, name in self.below_roots[root].items()}

    @property
    def unzipped_bytes(self) -> int:
        """What the files take up once unzipped."""
        return sum(file.size for file in self.files)

    def read(self, name: str, size: int = -1) -> bytes:
        """Return the first bytes of a file, or all of them."""
        return self._storage.read(name, size)

    def metadata_files(self, name: str) -> list[str]:
        """Return where the file called ``name`` lies that each distribution has about itself."""
        wanted = re.compile(rf"[^/]+\.dist-info/{re.escape(name)}")
        return [entry for path, entry in self.modules.items() if wanted.fullmatch(path)]
