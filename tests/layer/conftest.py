"""Layers built once, from the wheels in uv's cache: no test leaves the machine.

The cache holds every target's wheels after `python scripts/warm_layer_cache.py`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from momento_lambda_layer import Layer, Target, build_layer, build_layers, plan_layers
from momento_lambda_layer.interpreters import find_interpreter
from momento_lambda_layer.target import RUNTIMES
from tests.left_out import NO_WHEELS

# The interpreter that runs the tests is always among them.
FOUND = [runtime for runtime in RUNTIMES if find_interpreter(runtime)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `runtime_here` once for every runtime whose interpreter is on this machine."""
    if "runtime_here" in metafunc.fixturenames:
        metafunc.parametrize("runtime_here", FOUND, ids=lambda runtime: runtime.name)


@pytest.fixture(scope="session")
def target() -> Target:
    """This machine, as Lambda would call it."""
    if sys.platform != "linux":
        pytest.skip(NO_WHEELS)
    return Target.of_this_machine()


@pytest.fixture(scope="session")
def layer(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """The layer for this machine."""
    return build_layer(tmp_path_factory.mktemp("layer"), target, offline=True)


@pytest.fixture(scope="session")
def layers(layer: Layer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Layer]:
    """A layer for every runtime whose interpreter is on this machine, by the runtime's name."""
    others = [runtime for runtime in FOUND if runtime != layer.target.runtime]
    plans = plan_layers(others, [layer.target.architecture])
    built = build_layers(tmp_path_factory.mktemp("layers"), plans, offline=True)
    return {each.target.runtime.name: each for each in (layer, *built)}


@pytest.fixture(scope="session")
def multi_layer(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """One layer for all of those runtimes."""
    (plan,) = plan_layers(FOUND, [target.architecture], multi=True)
    return build_layer(tmp_path_factory.mktemp("multi"), plan, offline=True)


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


@pytest.fixture
def write_wheel(tmp_path: Path) -> Callable[..., Path]:
    """Write a wheel of a distribution with one module of its name."""

    def write(name: str, *requirements: str, tag: str = "py3-none-any", code: str = "VALUE = 1\n") -> Path:
        folder = tmp_path / "wheels"
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}-1.0-{tag}.whl"
        needed = "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements)
        with ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", code)
            information = f"{name}-1.0.dist-info"
            archive.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needed}")
            archive.writestr(f"{information}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            archive.writestr(f"{information}/RECORD", "")
        return path

    return write


@pytest.fixture
def write_files(tmp_path: Path) -> Callable[[str, dict[str, bytes]], Path]:
    """Write files below a folder of this name and return the folder."""

    def write(name: str, files: dict[str, bytes]) -> Path:
        folder = tmp_path / name
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    return write
