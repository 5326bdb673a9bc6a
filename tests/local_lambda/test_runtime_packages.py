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


def entries_in(folder: Path) -> dict[str, str]:
    """Return what is asked for and lies in a folder."""
    found = ask()
    assert isinstance(found, RuntimePackages)
    return {entry: installed for entry, installed in found.entries.items() if Path(installed).is_relative_to(folder)}


def test_the_client_comes_with_all_it_requires(packages: Path) -> None:
    """Requirements of requirements are in, what no requirement names and what was not for this machine is out."""
    client = ["awslambdaric/__init__.py", "awslambdaric/bootstrap.py", "runtime_client.so", "../bin/command"]
    requires = ["direct (>=1)", "not-for-us==2; sys_platform == 'win32'", "extra-only; extra == 'x'"]
    install(packages, "awslambdaric", client, requires)
    install(packages, "direct", ["direct.py"], ["indirect>=1 ; python_version > '3'"])
    install(packages, "indirect", ["indirect/deep/module.py"], ["direct"])
    install(packages, "unrelated", ["unrelated.py"])
    names = ["awslambdaric", "runtime_client.so", "direct.py", "indirect/deep/module.py"]
    assert {name: str(packages / name) for name in names} == entries_in(packages)


def test_boto3_comes_with_all_it_requires(packages: Path) -> None:
    """As on Lambda a function finds boto3, which it did not bring, and the metadata of it."""
    install(packages, "awslambdaric", ["runtime_client.so"])
    install(packages, "boto3", ["boto3/__init__.py", "boto3-1.0.dist-info/METADATA"], ["core"])
    install(packages, "core", ["core/__init__.py"])
    names = ["runtime_client.so", "boto3", "boto3-1.0.dist-info", "core"]
    assert {name: str(packages / name) for name in names} == entries_in(packages)


def test_a_missing_requirement_is_named(packages: Path) -> None:
    """A client that cannot be imported is none."""
    install(packages, "awslambdaric", ["runtime_client.so"], ["no-such-package>=3"])
    assert "package no-such-package is not installed" == ask()


def test_a_client_without_its_compiled_part_is_none(packages: Path) -> None:
    """That is what an installation from sources gives on a system other than Linux."""
    install(packages, "awslambdaric", ["awslambdaric/__init__.py"])
    assert "package awslambdaric is installed without its compiled part, which exists for Linux alone" == ask()
