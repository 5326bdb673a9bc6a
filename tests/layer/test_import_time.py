"""What bytecode is worth, measured against the same wheels without it."""

import subprocess
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from momento_lambda_layer import Layer
from momento_lambda_layer.interpreters import find_interpreter

ROUNDS = 5
# What a function imports; the time is the process's own, which a busy machine changes least.
MEASURE = """\
import sys, time
sys.path.insert(0, sys.argv[1])
started = time.process_time()
import momento_lambda, grpc, grpc.aio
momento_lambda.SimpleCacheClient
print(time.process_time() - started)
"""


@pytest.fixture(scope="module")
def sources(layer: Layer, layer_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same layer without bytecode."""
    path = tmp_path_factory.mktemp("sources") / layer.path.name
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in layer_files.items():
            if not name.endswith(".pyc"):
                archive.writestr(name, content)
    return path


def unpacked(path: Path, folder: Path) -> Path:
    """Unzip a layer and return what goes on Python's path."""
    with ZipFile(path) as archive:
        archive.extractall(folder)
    return folder / "python"


def test_import_time(layer: Layer, sources: Path, tmp_path: Path) -> None:
    """An import takes at most 0.55 times as long as without bytecode, where nothing compiled can be kept."""
    interpreter = find_interpreter(layer.target.runtime)
    assert interpreter is not None

    def seconds(root: Path) -> float:
        finished = subprocess.run(  # noqa: S603  # an interpreter that was found, with code of our own
            [interpreter.path, "-S", "-c", MEASURE, str(root)],
            env={"PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            capture_output=True,
            text=True,
        )
        return float(finished.stdout)

    with_bytecode, without = unpacked(layer.path, tmp_path / "with"), unpacked(sources, tmp_path / "without")
    rounds = [(seconds(with_bytecode), seconds(without)) for _ in range(ROUNDS)]
    ratio = min(each[0] for each in rounds) / min(each[1] for each in rounds)
    assert ratio <= 0.55, f"{ratio:.2f} times as long"


def test_zipped_size(layer: Layer, sources: Path) -> None:
    """Bytecode makes the zip at most 1.2 times as large."""
    assert layer.zipped_bytes / sources.stat().st_size <= 1.2
