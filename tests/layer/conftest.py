"""A layer built once, for this machine, from the wheels in uv's cache: no test leaves the machine."""

import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from momento_lambda_layer import Layer, Target, build_layer


@pytest.fixture(scope="session")
def target() -> Target:
    """This machine, as Lambda would call it."""
    if sys.platform != "linux":
        pytest.skip("uv's cache holds the wheels of a layer on Linux alone")
    return Target.of_this_machine()


@pytest.fixture(scope="session")
def layer(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """The layer for this machine."""
    return build_layer(tmp_path_factory.mktemp("layer"), target, offline=True)


@pytest.fixture(scope="session")
def layer_files(layer: Layer) -> dict[str, bytes]:
    """The files in the layer by their name in the zip; copy before changing anything."""
    with ZipFile(layer.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def unzipped(layer: Layer, tmp_path: Path) -> Path:
    """The folder that Lambda would mount as /opt/python."""
    with ZipFile(layer.path) as archive:
        archive.extractall(tmp_path / "opt")
    return tmp_path / "opt" / "python"


@pytest.fixture
def zipped(layer: Layer, tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Write files into a zip that is named as the layer is."""

    def write(files: dict[str, bytes], *, mode: int = 0o644) -> Path:
        path = tmp_path / layer.path.name
        with ZipFile(path, "w") as archive:
            for name, content in files.items():
                entry = ZipInfo(name)
                entry.create_system = 3
                entry.external_attr = mode << 16
                archive.writestr(entry, content)
        return path

    return write
