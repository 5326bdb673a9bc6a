import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from momento_lambda_layer import clean_import

MODULES = ("grpc", "google.protobuf", "momento_lambda")


def report(root: Path, *modules: str) -> Any:
    """Run the script on a folder in a bare interpreter, and return its report."""
    script = Path(clean_import.__file__)
    finished = subprocess.run(  # noqa: S603  # this interpreter, with a script of our own
        [sys.executable, "-I", "-S", script, root.parent, root, *modules],
        env={},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(finished.stdout.splitlines()[-1])


def test_layer_as_built(unzipped: Path) -> None:
    """From the layer as built, protobuf is fast and nothing at all is compiled, imported or not."""
    assert report(unzipped, *MODULES) == {"protobuf": "upb", "compiled": []}


def test_compiled_sources(unzipped: Path) -> None:
    """Sources whose bytecode is missing or outdated are named, whether they are imported or not."""
    (missing,) = unzipped.glob("grpc/__pycache__/__init__.*.pyc")
    missing.unlink()
    (outdated,) = unzipped.glob("google/protobuf/__pycache__/json_format.*.pyc")
    timestamp = bytes(12)
    outdated.write_bytes(outdated.read_bytes()[:4] + timestamp + outdated.read_bytes()[16:])
    compiled = ["python/google/protobuf/json_format.py", "python/grpc/__init__.py"]
    assert report(unzipped, *MODULES)["compiled"] == compiled


def test_no_protobuf(tmp_path: Path) -> None:
    """Without protobuf there is no implementation to name."""
    (tmp_path / "example.py").touch()
    assert report(tmp_path, "example")["protobuf"] is None
