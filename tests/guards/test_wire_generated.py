import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WIRE = Path("momento_lambda", "wire")
SCRIPT = Path("scripts", "generate_wire.py")
TOOLS = Path("build", "wire-tools")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the generator reads and writes, with the compiler within reach."""
    for path in (SCRIPT, *(path.relative_to(ROOT) for path in (ROOT / WIRE).iterdir() if path.is_file())):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / path)
    (tmp_path / TOOLS).parent.mkdir()
    (tmp_path / TOOLS).symlink_to(ROOT / TOOLS, target_is_directory=True)
    return tmp_path


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the generator that lies in a tree."""
    command = [sys.executable, str(root / SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own script


def test_modules_are_what_the_protocol_files_say() -> None:
    """The modules in the repository are, byte for byte, what the .proto files generate."""
    done = generate(ROOT, "--check")
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["auth_pb2.py", "cache_pb2.py", "cache_pb2.pyi", "control_pb2.py", "control_pb2.pyi"])
def test_a_changed_module_is_named(tree: Path, name: str) -> None:
    """A module that was edited by hand fails the check, which names it alone and leaves it alone."""
    edited = (tree / WIRE / name).read_text() + "# edited\n"
    (tree / WIRE / name).write_text(edited)
    done = generate(tree, "--check")
    assert (1, [str(WIRE / name)]) == (done.returncode, [line.split()[0] for line in done.stderr.splitlines()])
    assert edited == (tree / WIRE / name).read_text()


def test_a_missing_module_is_named(tree: Path) -> None:
    """A module that was not generated fails the check."""
    (tree / WIRE / "control_pb2.py").unlink()
    done = generate(tree, "--check")
    assert (1, [str(WIRE / "control_pb2.py")]) == (done.returncode, [done.stderr.split()[0]])


def test_generating_repairs(tree: Path) -> None:
    """Without --check the modules are written anew, and one whose .proto file is gone is removed."""
    for name in ("cache_pb2.py", "gone_pb2.py"):
        (tree / WIRE / name).write_text("# edited\n")
    done = generate(tree)
    assert done.stdout == "6 files generated, 1 changed\n"
    assert done.returncode == 0
    assert (ROOT / WIRE / "cache_pb2.py").read_bytes() == (tree / WIRE / "cache_pb2.py").read_bytes()
    assert not (tree / WIRE / "gone_pb2.py").exists()


def test_without_the_compiler_it_says_what_to_run(tree: Path) -> None:
    """Where the compiler is not installed, the error names the command that installs it."""
    (tree / TOOLS).unlink()
    done = generate(tree, "--check")
    assert done.returncode != 0
    assert "make wire" in done.stderr
