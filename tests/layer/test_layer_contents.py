import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from momento_lambda_layer.provided import PROVIDED_BY_LAMBDA


def run_bare(folder: Path, code: str) -> str:
    """Run code in an interpreter that sees the standard library and the folder; return what it printed."""
    finished = subprocess.run(  # noqa: S603  # this interpreter, with code of our own
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"],
        env={},
        check=True,
        capture_output=True,
        text=True,
    )
    return finished.stdout


def files_below(folder: Path) -> set[Path]:
    """Return every file below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


def test_imports_compile_nothing(unzipped: Path) -> None:
    """Python accepts the bytecode in the layer: importing writes none, though it could."""
    before = files_below(unzipped)
    run_bare(unzipped, "import grpc, grpc.aio, google.protobuf.message, momento_lambda")
    assert files_below(unzipped) == before


def test_imports_compile_what_is_missing(unzipped: Path) -> None:
    """The proof above can fail: bytecode that is missing is written again."""
    (bytecode,) = unzipped.glob("grpc/__pycache__/__init__.*.pyc")
    bytecode.unlink()
    run_bare(unzipped, "import grpc")
    assert bytecode.exists()


def test_bytecode_names_lambda_paths(layer_files: dict[str, bytes]) -> None:
    """Bytecode knows its source by the path on Lambda, not by that of the folder it was built in."""
    bytecode = {name: content for name, content in layer_files.items() if name.endswith(".pyc")}
    assert [name for name, content in bytecode.items() if b"/opt/python/" not in content] == []
    assert [name for name, content in bytecode.items() if b"/.momento-lambda-" in content] == []


def test_versions(unzipped: Path) -> None:
    """`importlib.metadata` knows everything in the layer."""
    names = ["momento-lambda", "grpcio", "protobuf", "typing_extensions"]
    printed = run_bare(unzipped, f"import importlib.metadata as m, json; print(json.dumps([*map(m.version, {names})]))")
    assert json.loads(printed) == [version(name) for name in names]


def test_fast_protobuf(unzipped: Path) -> None:
    """Protobuf runs on upb."""
    code = "from google.protobuf.internal import api_implementation; print(api_implementation.Type())"
    assert run_bare(unzipped, code) == "upb\n"


@pytest.mark.parametrize("package", ["cli", "server", "testing"])
def test_left_out(layer_files: dict[str, bytes], package: str) -> None:
    """What no function imports is not in the layer."""
    assert [name for name in layer_files if name.startswith(f"python/momento_lambda/{package}/")] == []


@pytest.mark.parametrize("pattern", [r"\.pyi$", r"\.proto$", r"/RECORD$", r"/tests/", r"^python/bin/", r"\.h$"])
def test_trimmed(layer_files: dict[str, bytes], pattern: str) -> None:
    """What no function reads is not in the layer."""
    assert [name for name in layer_files if re.search(pattern, name)] == []


@pytest.mark.parametrize("distribution", ["grpcio", "momento_lambda", "protobuf", "typing_extensions"])
def test_licences(layer_files: dict[str, bytes], distribution: str) -> None:
    """Every distribution brings its licence."""
    pattern = rf"python/{distribution}-[^/]+\.dist-info/(licenses/)?LICENSE"
    assert [name for name in layer_files if re.fullmatch(pattern, name)]


def test_tls_roots(layer_files: dict[str, bytes]) -> None:
    """The certificates that gRPC trusts by default are there."""
    assert b"BEGIN CERTIFICATE" in layer_files["python/grpc/_cython/_credentials/roots.pem"]


def test_nothing_that_lambda_has(layer_files: dict[str, bytes]) -> None:
    """Nothing that the runtime already has is shipped."""
    modules = {name.replace("-", "_") for name in PROVIDED_BY_LAMBDA} | {"dateutil"}
    assert {name.split("/")[1].removesuffix(".py") for name in layer_files} & modules == set()
