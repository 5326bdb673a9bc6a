"""A function's folder with the packages that it brings, as a deployment package has them."""

import shutil
from importlib.metadata import distribution
from pathlib import Path

import momento_lambda

LIBRARY = ("grpcio", "protobuf", "typing_extensions")
"""What this library needs."""

_NAMESPACE = "google"


def bundle(folder: Path, *distributions: str) -> None:
    """Link installed packages into a function's folder: this library, what it needs, and others by name."""
    _link(folder / "momento_lambda", Path(momento_lambda.__file__).parent)
    for name in (*LIBRARY, *distributions):
        found = distribution(name)
        for file in found.files or ():
            # Of a namespace, which is nobody's own, what lies in it.
            parts = file.parts[: 2 if file.parts[0] == _NAMESPACE else 1]
            if ".." not in parts:
                _link(folder.joinpath(*parts), Path(str(found.locate_file(Path(*parts)))))


def function_folder(folder: Path, module: Path, *distributions: str) -> Path:
    """Return a new folder with a function's module and the packages that it needs."""
    folder.mkdir()
    shutil.copy(module, folder)
    bundle(folder, *distributions)
    return folder


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(target)
