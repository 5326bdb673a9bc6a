"""The synchronous client is printed from the asynchronous one, and the check that says so works."""

import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from momento_lambda import SimpleCacheClient, SimpleCacheClientAsync

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_sync_client.py"


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with the formatter of this environment within its reach."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    spec = importlib.util.spec_from_file_location("generate_sync_client", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--check"])
    return module


@pytest.fixture
def source(generator: ModuleType) -> str:
    """The asynchronous client's source."""
    return str(generator.SOURCE.read_text())


@pytest.mark.usefixtures("generator")
def test_up_to_date() -> None:
    """The synchronous client in this repository is what the asynchronous one prints."""
    command = [sys.executable, str(SCRIPT), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own script

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


def test_another_source(
    generator: ModuleType,
    source: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The check fails when the source has changed, says what to run, and writes nothing."""
    changed = tmp_path / "async_client.py"
    changed.write_text(source.replace("Return which keys hold an item", "Return which keys hold anything"))
    monkeypatch.setattr(generator, "SOURCE", changed)
    before = generator.TARGET.read_text()

    assert 1 == generator.main()

    assert "sync_client.py is not what async_client.py prints; run: make sync-client\n" == capsys.readouterr().err
    assert before == generator.TARGET.read_text()


def test_no_target(generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check fails where there is no synchronous client at all."""
    monkeypatch.setattr(generator, "TARGET", tmp_path / "sync_client.py")

    assert 1 == generator.main()
    assert [] == list(tmp_path.iterdir())


def test_useless_rule(generator: ModuleType, source: str) -> None:
    """A rule that changes nothing is refused, and named."""
    with pytest.raises(ValueError, match="the rule '__aexit__' changed nothing: remove it"):
        generator.sync_source(source.replace("__aexit__", "__exit__"))


@pytest.mark.parametrize("left", ["asyncio", "AWAITED", "the event loop"])
def test_missing_rule(generator: ModuleType, source: str, left: str) -> None:
    """Whatever asynchronous is left over is refused, with its line."""
    line = source.count("\n") + 1
    with pytest.raises(ValueError, match=f"line {line} still says .*: a rule is missing"):
        generator.sync_source(f"{source}# {left}\n")


def _methods(twin: type) -> dict[str, list[str]]:
    return {
        name: [str(parameter) for parameter in inspect.signature(method).parameters.values()]
        for name, method in inspect.getmembers(twin, inspect.isfunction)
        if not name.startswith("_")
    }


def test_same_methods() -> None:
    """Both clients have the same methods, with the same arguments and defaults."""
    assert _methods(SimpleCacheClientAsync) == _methods(SimpleCacheClient)


def test_what_is_awaited() -> None:
    """Every method of the asynchronous client is a coroutine but the one that iterates; of the other, none is."""
    methods = dict(inspect.getmembers(SimpleCacheClientAsync, inspect.isfunction))
    plain = {
        name for name, method in methods.items() if not (name.startswith("_") or inspect.iscoroutinefunction(method))
    }
    assert {"iter_caches"} == plain
    assert inspect.isasyncgenfunction(methods["iter_caches"])
    assert not any(map(inspect.iscoroutinefunction, vars(SimpleCacheClient).values()))
