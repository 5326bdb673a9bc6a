"""What stands on a function's path: this project's layer, and packages as `pip install -t` and a zip leave them."""

import shutil
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

from momento_lambda_layer import build_layer

OFFICIAL = ("momento", "momento-wire-types", "PyJWT", "grpcio", "protobuf", "typing_extensions")
BARE = ("grpcio", "protobuf", "typing_extensions")


def our_layer(folder: Path, *, offline: bool = False) -> Path:
    """Build the layer for this machine, and return the folder that it is unzipped into, as /opt is."""
    layer = build_layer(folder / "built", offline=offline)
    with ZipFile(layer.path) as archive:
        archive.extractall(folder / "ours")
    return folder / "ours"


def without_bytecode(layer: Path, folder: Path) -> Path:
    """Return a copy of a layer without its bytecode."""
    shutil.copytree(layer, folder, ignore=shutil.ignore_patterns("*.pyc"))
    return folder


def plain_layer(folder: Path, *distributions: str) -> Path:
    """Return a folder like /opt with installed packages.

    Bytecode is left out: that of `pip install -t` names the time of its source to the second, a zip keeps every other
    second at best, and so Python compiles anew at each start, in a folder that keeps nothing.
    """
    for name in distributions:
        found = distribution(name)
        for file in found.files or ():
            if ".." in file.parts or file.suffix == ".pyc":
                continue
            target = folder / "python" / Path(*file.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(found.locate_file(file)), target)
    return folder
