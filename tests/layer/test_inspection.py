import re
from collections.abc import Callable
from pathlib import Path

import pytest

from momento_lambda_layer import Layer
from momento_lambda_layer.cli import main
from momento_lambda_layer.inspection import inspect_layer
from momento_lambda_layer.trim import RULES


def test_layer(layer: Layer) -> None:
    """Of a layer it is said how large it is, what is in it, what that needs, and which bytecode there is."""
    said = inspect_layer(layer.path)
    assert f"{layer.file_count} files, {layer.zipped_bytes / 1e6:.1f} MB zipped" in said
    for wheel in layer.wheels:
        assert f"  {wheel.name.replace('_', '-')} {wheel.version}\n" in said
    assert re.search(r"cygrpc\.cpython-3\d+-\S+\.so  \S+ .*GLIBC_2\.\d+ .*MB", said)
    assert re.search(rf"{layer.target.runtime.name}: \d+ files", said)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_trim_rules(layer: Layer, rule: object) -> None:
    """Every trim rule is listed with its reason, and our own layer holds nothing that it would take out."""
    line = next(line for line in inspect_layer(layer.path).splitlines() if line.startswith(f"  {rule.name}: "))  # type: ignore[attr-defined]  # a rule, which pytest hands over as an object
    assert line == f"  {rule.name}: {rule.reason} (nothing)"  # type: ignore[attr-defined]  # as above


def test_what_could_go(zipped: Callable[[dict[str, bytes]], Path]) -> None:
    """In anybody's zip, what the rules would take out is counted."""
    said = inspect_layer(zipped({"python/grpc/a.pyi": b"12", "python/lib/python3.13/site-packages/grpc/b.pyi": b"3"}))
    assert re.search(r"  stubs: .* \(2 files, 3 bytes\)", said)
    assert "compiled parts\n  none\n" in said


def test_command(layer: Layer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`inspect` prints it and ends with 0, or with 1 where there is no zip."""
    assert main(["inspect", str(layer.path)]) == 0
    assert capsys.readouterr().out.startswith(f"{layer.path}\n")
    assert main(["inspect", str(tmp_path / "absent.zip")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
