import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from momento_lambda_layer import Fault, Finding, Layer
from momento_lambda_layer.cli import main


def test_build(layer: Layer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`build` ends with 0 and says what was built, what is inside, how large it is, and where it lies."""
    assert main(["build", "--output", str(tmp_path), "--offline"]) == 0
    said = capsys.readouterr().out
    wheels = ", ".join(f"{wheel.name} {wheel.version}" for wheel in layer.wheels)
    assert said.startswith(f"Built momento-lambda {layer.version} for {layer.target}\n")
    assert f"{wheels}" in said
    assert re.search(r"[0-9.]+ MB zipped, [0-9.]+ MB unzipped of the 262\.1 MB", said)
    assert json.loads((tmp_path / layer.manifest_path.name).read_text())["sha256"] in said
    assert str(tmp_path / layer.path.name) in said


def test_failed_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A build that failed ends with 1 and one line on standard error."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    assert main(["build", "--output", str(tmp_path / "output"), "--offline"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    *progress, error = said.err.splitlines()
    assert error.startswith("error: uv's cache does not hold every wheel")
    assert all(line.endswith(": fetching wheels") for line in progress)


def test_faulty_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A build whose result is faulty ends with 1 and says what is wrong with it."""
    finding = Finding(Fault.SIZE, (), "too large", "leave something out")
    monkeypatch.setattr("momento_lambda_layer.build.verify_layer", lambda *_: (finding,))
    assert main(["build", "--output", str(tmp_path), "--offline"]) == 1
    said = capsys.readouterr()
    assert said.out == "all of it\n  on Lambda  too large\n  to fix it  leave something out\n"
    assert said.err.splitlines()[-1] == "error: the layer is faulty (size), so nothing was written"


def test_output_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An output that cannot be written to ends with 1 and names it."""
    (tmp_path / "output").touch()
    assert main(["build", "--output", str(tmp_path / "output")]) == 1
    assert "output" in capsys.readouterr().err


def test_verify(layer: Layer, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify` ends with 0 when there is no fault."""
    assert main(["verify", str(layer.path)]) == 0
    assert capsys.readouterr().out == f"{layer.path} for {layer.target}: no fault found\n"


def test_verify_with_a_remark(
    zipped: Callable[[dict[str, bytes]], Path], layer_files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no fault, but worth knowing, is a note, and `verify` ends with 0."""
    path = zipped({name: layer_files[name] for name in layer_files if not name.endswith(".pyc")})
    assert main(["verify", str(path), "--no-run"]) == 0
    note, verdict = capsys.readouterr().out.splitlines()
    assert note.startswith("note: no bytecode for python3.")
    assert verdict.endswith(": no fault found")


def test_verify_a_faulty_layer(zipped: Callable[[dict[str, bytes]], Path], capsys: pytest.CaptureFixture[str]) -> None:
    """`verify` ends with 1 and says of every fault where it is, what it does and how to fix it."""
    path = zipped({"example.py": b"", "other.py": b""})
    assert main(["verify", str(path)]) == 1
    said = capsys.readouterr()
    place, symptom, remedy = said.out.splitlines()
    assert place == "example.py and 1 more"
    assert symptom.split(maxsplit=2) == ["on", "Lambda", "ModuleNotFoundError: No module named 'example'"]
    assert remedy.split(maxsplit=3)[:3] == ["to", "fix", "it"]
    assert said.err == f"error: {path} has faults: 1\n"


def test_options_before_the_file_name(layer: Layer, capsys: pytest.CaptureFixture[str]) -> None:
    """`--arch` overrules what the file name says."""
    other = "arm64" if layer.target.architecture.name == "x86_64" else "x86_64"
    assert main(["verify", str(layer.path), "--arch", other]) == 1
    assert "cannot import name 'cygrpc' from 'grpc._cython'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "required"),
        (["build", "--python", "3.10"], "Lambda ended the runtime 3.10"),
        (["build", "--python", "ruby3.3"], "'ruby3.3' is not a Python runtime"),
        (["build", "--arch", "sparc"], "'sparc' is not an architecture"),
        (["build", "--bytecode", "some"], "--bytecode"),
        (["build", "--jobs", "0"], "'0' is not a whole number"),
        (["verify"], "ZIP"),
        (["doctor"], "PATH"),
        (["inspect"], "ZIP"),
        (["deploy"], "invalid choice"),
    ],
)
def test_wrong_usage(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage ends with 2 and says in one line what was wrong."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_unknown_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A zip whose name does not tell what it is for is wrong usage: options would tell."""
    assert main(["verify", str(tmp_path / "layer.zip")]) == 2
    assert "name the runtime and the architecture" in capsys.readouterr().err


def test_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends with the code that shells know, without a traceback."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("momento_lambda_layer.build_command.build_layers", interrupt)
    assert main(["build", "--output", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "interrupted; nothing half-done was left behind\n"
