"""What goes into the runtime folder."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from momento_lambda.testing.runtime_packages import RuntimePackages, runtime_packages


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that the interpreter finds before those that are installed."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, files: Sequence[str], requires: Sequence[str] = ()) -> None:
    """Lay down the metadata of a package."""
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    lines = [f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {requirement}" for requirement in requires)]
    (metadata / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files), encoding="utf-8")
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


def ask() -> RuntimePackages | str:
    """Ask this interpreter, as if for the first time."""
    return runtime_packages.__wrapped__(Path(sys.executable))


def test_the_client_comes_with_all_it_requires(packages: Path) -> None:
    """Requirements of requirements are in, what no requirement names and what was not for this machine is out."""
    client = ["awslambdaric/__init__.py", "runtime_client.so", "../bin/command"]
    requires = ["direct (>=1)", "not-for-us==2; sys_platform == 'win32'", "extra-only; extra == 'x'"]
    install(packages, "awslambdaric", client, requires)
    install(packages, "direct", ["direct.py"], ["indirect>=1 ; python_version > '3'"])
    install(packages, "indirect", ["indirect/deep/module.py"], ["direct"])
    install(packages, "unrelated", ["unrelated.py"])
    names = ["awslambdaric/__init__.py", "runtime_client.so", "direct.py", "indirect/deep/module.py"]
    assert (
        RuntimePackages(
            python_version="{}.{}".format(*sys.version_info), files={name: str(packages / name) for name in names}
        )
        == ask()
    )


def test_a_missing_requirement_is_named(packages: Path) -> None:
    """A client that cannot be imported is none."""
    install(packages, "awslambdaric", ["runtime_client.so"], ["no-such-package>=3"])
    assert "package no-such-package is not installed" == ask()


def test_a_client_without_its_compiled_part_is_none(packages: Path) -> None:
    """That is what an installation from sources gives on a system other than Linux."""
    install(packages, "awslambdaric", ["awslambdaric/__init__.py"])
    assert "package awslambdaric is installed without its compiled part, which exists for Linux alone" == ask()
