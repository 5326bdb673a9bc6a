"""`momento-lambda layer`: the builder's own command line under another name."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec

import pytest

from momento_lambda.cli.app import run


def momento_lambda(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["momento-lambda", *arguments])
    try:
        return run()
    except SystemExit as end:
        return int(end.code or 0)


def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its help is the builder's, under the name that was called."""
    assert momento_lambda(monkeypatch, "layer", "--help") == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: momento-lambda layer ")
    for command in ("build", "verify", "inspect", "doctor", "publish", "list"):
        assert f"\n    {command} " in said


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["verify", "layer-python3.13-arm64.zip"], 1, "error: layer-python3.13-arm64.zip cannot be read"),
        (["build", "--python", "3.10"], 2, "Lambda ended the runtime 3.10"),
        (["deploy"], 2, "momento-lambda layer --help"),
    ],
)
def test_exit_codes(
    arguments: list[str],
    code: int,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its exit codes and one line on standard error are the builder's."""
    assert momento_lambda(monkeypatch, "layer", *arguments) == code
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_missing_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the extra, one line says what to install."""
    find = importlib.util.find_spec

    def find_all_but_rich(name: str) -> ModuleSpec | None:
        return None if name == "rich" else find(name)

    monkeypatch.setattr("momento_lambda.cli.layer_command.find_spec", find_all_but_rich)
    assert momento_lambda(monkeypatch, "layer", "--help") == 1
    assert capsys.readouterr().err == "momento-lambda layer: rich not installed: pip install 'momento-lambda[layer]'\n"
