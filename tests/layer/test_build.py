import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import pytest

from momento_lambda_layer import (
    Bytecode,
    Fault,
    FetchError,
    Layer,
    LibraryError,
    MissingExtraError,
    Packages,
    Target,
    VerificationError,
    build_layer,
    build_layers,
    plan_layers,
)
from momento_lambda_layer.library import find_library
from momento_lambda_layer.packages import LOCK


def put_an_earlier_layer(folder: Path, layer: Layer) -> Path:
    """Put something in the place of a layer that a build is to replace."""
    earlier = folder / layer.path.name
    earlier.write_bytes(b"earlier")
    return earlier


def test_manifest(layer: Layer, target: Target) -> None:
    """The manifest beside the zip says what it is, what is inside, and what made it."""
    manifest = json.loads(layer.manifest_path.read_text())
    assert manifest["targets"] == [{"runtime": target.runtime.name, "architecture": target.architecture.name}]
    assert manifest["file"] == f"momento-lambda-{target.runtime.name}-{target.architecture.name}.zip"
    assert manifest["sha256"] == sha256(layer.path.read_bytes()).hexdigest()
    assert manifest["bytes"] == {"zipped": layer.path.stat().st_size, "unzipped": layer.unzipped_bytes}
    assert manifest["bytecode"] == {"mode": "auto", "compilers": {target.runtime.version: platform.python_version()}}
    assert [wheel["name"] for wheel in manifest["wheels"]] == ["grpcio", "protobuf", "typing_extensions"]
    assert manifest["tools"].keys() == {"uv", "zlib"}


def test_wheel_hashes(layer: Layer) -> None:
    """Every wheel inside is named by its file and the hash that the lock has of it."""
    lock = LOCK.read_text()
    assert all(f"--hash=sha256:{wheel.sha256}" in lock for wheel in layer.wheels)
    grpcio = layer.wheels[0]
    assert grpcio.file.startswith(f"grpcio-{grpcio.version}-cp3{layer.target.runtime.minor}-")


def test_sizes(layer: Layer, layer_files: dict[str, bytes]) -> None:
    """The sizes are those of the files inside."""
    assert layer.file_count == len(layer_files)
    assert layer.unzipped_bytes == sum(map(len, layer_files.values()))


def test_empty_cache(layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline and without wheels in the cache, the build says so and leaves an earlier layer as it was."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    output = tmp_path / "output"
    output.mkdir()
    earlier = put_an_earlier_layer(output, layer)
    with pytest.raises(FetchError, match="run once without --offline"):
        build_layer(output, offline=True)
    assert list(output.iterdir()) == [earlier]
    assert earlier.read_bytes() == b"earlier"


def test_wheels_that_are_not_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When uv cannot supply a wheel, the error says for what, and what uv said."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(FetchError, match=r"could not supply the wheels for python3\.14 on arm64\. uv said: error"):
        build_layer(tmp_path / "output", Target.of("3.14", "arm64"))


def test_interruption(layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at the last step leaves an earlier layer as it was, and nothing else."""

    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("momento_lambda_layer.build.verify_layer", interrupt)
    earlier = put_an_earlier_layer(tmp_path, layer)
    with pytest.raises(KeyboardInterrupt):
        build_layer(tmp_path, offline=True)
    assert list(tmp_path.iterdir()) == [earlier]


def test_faulty_result(tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that is found faulty is not written."""

    def trim_too_much(tree: Path) -> None:
        for path in tree.glob("google/_upb/*.so"):
            path.unlink()

    monkeypatch.setattr("momento_lambda_layer.build.trim", trim_too_much)
    with pytest.raises(VerificationError, match="nothing was written") as caught:
        build_layer(tmp_path, target, offline=True)
    assert [finding.fault for finding in caught.value.findings] == [Fault.SLOW_PROTOBUF]
    assert list(tmp_path.iterdir()) == []


def test_source_that_does_not_compile(tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source with a syntax error stops the build, and the error names it."""

    def damage(tree: Path) -> None:
        (tree / "typing_extensions.py").write_text("def\n")

    monkeypatch.setattr("momento_lambda_layer.build.trim", damage)
    with pytest.raises(
        LibraryError, match=r"does not compile for python3\.[0-9]+: .*typing_extensions\.py.*SyntaxError"
    ):
        build_layer(tmp_path, target, offline=True)


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [("DISTRIBUTION", "no-such-library", "is not installed here"), ("PACKAGE", "no_such_package", "install it again")],
)
def test_missing_library(name: str, value: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library to put into the layer, the error says what to install."""
    monkeypatch.setattr(f"momento_lambda_layer.library.{name}", value)
    with pytest.raises(LibraryError, match=advice):
        find_library()


@pytest.mark.parametrize("state", ["package", "program"])
def test_missing_uv(state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uv, as a package or as a program, the error says what to install."""

    def find_nothing() -> NoReturn:
        raise FileNotFoundError

    if state == "package":
        monkeypatch.setitem(sys.modules, "uv", None)
    else:
        monkeypatch.setattr("uv.find_uv_bin", find_nothing)
    with pytest.raises(MissingExtraError, match=r"uv is needed .* pip install 'momento-lambda\[layer\]'"):
        build_layer(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_of_several_fails(write_wheel: Callable[..., Path], tmp_path: Path, target: Target) -> None:
    """Where one layer cannot be built, its error is raised, and no half of it is left; complete ones stay."""
    write_wheel("example", tag=f"cp3{target.runtime.minor}-cp3{target.runtime.minor}-linux_x86_64")
    write_wheel("example", tag=f"py3-none-manylinux2014_{target.architecture.machine}")
    file = tmp_path / "requirements.txt"
    file.write_text("--find-links wheels\nexample\n")
    output = tmp_path / "output"
    with pytest.raises(FetchError, match=r"example.* no wheels with a matching platform"):
        build_layers(
            output, plan_layers([target.runtime]), packages=Packages(file=file), bytecode=Bytecode.NONE, offline=True
        )
    assert {path.suffix for path in output.iterdir()} <= {".zip", ".json"}


def test_interrupted_process(tmp_path: Path) -> None:
    """Ctrl-C in a terminal ends the command and the programs that it started, and leaves nothing half-done."""
    process = subprocess.Popen(  # noqa: S603  # this interpreter, with arguments of our own
        [sys.executable, "-m", "momento_lambda_layer", "build", "--offline", "--output", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().endswith("fetching wheels\n")
    os.killpg(process.pid, signal.SIGINT)
    *_, last = process.stderr.readlines()
    assert process.wait() == 130
    process.stderr.close()
    assert last == "interrupted; nothing half-done was left behind\n"
    assert list(tmp_path.iterdir()) == []
