"""Which interpreters are found, and what becomes of bytecode where one is not."""

import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from momento_lambda_layer import Bytecode, InterpreterError, build_layer
from momento_lambda_layer.bytecode import compile_tree, find_compilers
from momento_lambda_layer.interpreters import Interpreter, find_interpreter
from momento_lambda_layer.target import RUNTIMES, Runtime, Target

HERE = next(runtime for runtime in RUNTIMES if runtime.minor == sys.version_info.minor)
OTHER = next(runtime for runtime in RUNTIMES if runtime != HERE)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """Look anew in every test, and forget afterwards what was found."""
    find_interpreter.cache_clear()
    yield
    find_interpreter.cache_clear()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder on the PATH, where uv knows of no other interpreter either."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    unknown = CompletedProcess([], 2, "", "error: no interpreter found")
    monkeypatch.setattr("momento_lambda_layer.interpreters.run_uv", lambda *_, **__: unknown)
    return folder


def put(folder: Path, script: str) -> None:
    """Put a program under the name of the other version."""
    program = folder / OTHER.name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_this_interpreter(path: Path) -> None:
    """The interpreter that runs is found without a search."""
    assert list(path.iterdir()) == []
    found = find_interpreter(HERE)
    assert found is not None
    assert found.path == sys.executable


def test_interpreter_on_the_path(path: Path) -> None:
    """A program on the PATH that says it is of the version is found, and is called where it says that it lies."""
    put(path, f'echo \'["/elsewhere/python", "{OTHER.version}.9", {OTHER.magic}]\'')
    assert find_interpreter(OTHER) == Interpreter("/elsewhere/python", f"{OTHER.version}.9")


@pytest.mark.parametrize(
    "script",
    [
        "echo 'pyenv: command not found' >&2; exit 127",
        "echo hello",
        f'exec {sys.executable} "$@"',
        f'echo \'["/preview", "{OTHER.version}.0a1", 1]\'',
        "exec /nowhere/python",
    ],
    ids=["a shim that leads nowhere", "no Python", "another version", "a preview", "a broken link"],
)
def test_programs_that_deceive(path: Path, script: str) -> None:
    """A program that is not what its name says is passed over."""
    put(path, script)
    assert find_interpreter(OTHER) is None


def test_shim_of_pyenv(path: Path) -> None:
    """A shim that only leads to versions that are switched on is told which version to switch on."""
    answer = f'["/pyenv/python", "{OTHER.version}.1", {OTHER.magic}]'
    put(path, f"test \"$PYENV_VERSION\" = {OTHER.version} || exit 127\necho '{answer}'")
    assert find_interpreter(OTHER) == Interpreter("/pyenv/python", f"{OTHER.version}.1")


def test_interpreter_of_uv(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that uv knows is found, and still asked what it is."""
    known = path / "managed"
    known.write_text(f'#!/bin/sh\necho \'["{known}", "{OTHER.version}.2", {OTHER.magic}]\'\n')
    known.chmod(0o755)
    answer = CompletedProcess([], 0, f"{known}\n", "")
    monkeypatch.setattr("momento_lambda_layer.interpreters.run_uv", lambda *_, **__: answer)
    assert find_interpreter(OTHER) == Interpreter(str(known), f"{OTHER.version}.2")


@pytest.mark.usefixtures("path")
def test_modes() -> None:
    """`auto` takes the versions that are here, `none` takes none, `require` fails and names those that are missing."""
    assert [runtime.name for runtime in find_compilers(RUNTIMES, Bytecode.AUTO)] == [HERE.name]
    assert find_compilers(RUNTIMES, Bytecode.NONE) == {}
    with pytest.raises(InterpreterError, match=rf"{OTHER.name}.* not on this machine"):
        find_compilers([HERE, OTHER], Bytecode.REQUIRE)
    assert list(find_compilers([HERE], Bytecode.REQUIRE)) == [HERE]


@pytest.mark.usefixtures("path")
def test_required_bytecode(tmp_path: Path) -> None:
    """A build that requires bytecode and cannot have it fails before it begins."""
    with pytest.raises(InterpreterError, match="--bytecode auto"):
        build_layer(tmp_path / "out", Target.of(OTHER.name), bytecode=Bytecode.REQUIRE, offline=True)
    assert not (tmp_path / "out").exists()


def test_bytecode_of_each_version(runtime_here: Runtime, tmp_path: Path) -> None:
    """Bytecode is what the runtime reads, unchecked, and folders of other versions are left alone."""
    own, other = tmp_path / "lib" / runtime_here.name, tmp_path / "lib" / "python3.9"
    for folder in (tmp_path, own, other):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "example.py").write_text("VALUE = {1, 2} and 'a'\n")
    interpreter = find_interpreter(runtime_here)
    assert interpreter is not None
    compile_tree(tmp_path, runtime_here, interpreter)
    compiled = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.pyc"))
    name = f"__pycache__/example.cpython-3{runtime_here.minor}.pyc"
    assert compiled == [name, f"lib/{runtime_here.name}/{name}"]
    header = (tmp_path / name).read_bytes()[:8]
    assert (int.from_bytes(header[:2], "little"), int.from_bytes(header[4:], "little")) == (runtime_here.magic, 1)
