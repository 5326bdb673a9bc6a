"""Equal inputs give equal bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from momento_lambda_layer import Layer

# An environment that differs in all that may not show.
ELSEWHERE = {"PYTHONHASHSEED": "1", "TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8"}


def build_elsewhere(folder: Path, *arguments: str) -> dict[str, str]:
    """Build in another process under another umask and environment; return the hashes by file name."""
    subprocess.run(  # noqa: S603  # this interpreter, with arguments of our own
        [sys.executable, "-m", "momento_lambda_layer", "build", "--offline", "--output", str(folder), *arguments],
        env={**os.environ, **ELSEWHERE},
        umask=0o077,
        cwd=folder.parent,
        check=True,
        capture_output=True,
    )
    manifests = (json.loads(path.read_text()) for path in folder.glob("*.json"))
    return {manifest["file"]: manifest["sha256"] for manifest in manifests}


def test_this_machine(layer: Layer, tmp_path: Path) -> None:
    """A build under another umask, hash seed, time zone, locale and folder gives the same zip and manifest."""
    assert build_elsewhere(tmp_path / "again") == {layer.path.name: layer.sha256}
    again = tmp_path / "again" / layer.manifest_path.name
    assert again.read_text() == layer.manifest_path.read_text()


def test_other_runtimes(layers: dict[str, Layer], tmp_path: Path) -> None:
    """So does a build for every other runtime whose interpreter is here."""
    names = [argument for name in layers for argument in ("--python", name)]
    assert build_elsewhere(tmp_path / "again", *names) == {each.path.name: each.sha256 for each in layers.values()}


def test_several_runtimes(multi_layer: Layer, tmp_path: Path) -> None:
    """So does a build of one layer for several runtimes."""
    names = [argument for target in multi_layer.plan.targets for argument in ("--python", target.runtime.name)]
    assert build_elsewhere(tmp_path / "again", "--multi", *names) == {multi_layer.path.name: multi_layer.sha256}


@pytest.mark.parametrize("bytecode", ["auto", "none"])
def test_other_processor(layer: Layer, bytecode: str, tmp_path: Path) -> None:
    """So does a build for another processor, twice."""
    other = "arm64" if layer.target.architecture.name == "x86_64" else "x86_64"
    first, second = (build_elsewhere(tmp_path / name, "--arch", other, "--bytecode", bytecode) for name in "ab")
    assert first == second
    assert list(first) == [f"momento-lambda-{layer.target.runtime.name}-{other}.zip"]
