import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from momento_lambda_layer import Target, build_layer
from tests.left_out import NO_WHEELS

MAKEFILE = Path(__file__).resolve().parents[2] / "layer" / "Makefile"
# What a make that runs these tests tells the makes below it.
OUTER_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "PYTHON", "MOMENTO_LAYER_PYTHON")


def make(
    *arguments: str, folder: Path, makefile: Path = MAKEFILE, umask: int = 0o022
) -> subprocess.CompletedProcess[str]:
    """Run make as SAM does, in a folder that need not be the one of the Makefile."""
    environment = {name: value for name, value in os.environ.items() if name not in OUTER_MAKE}
    return subprocess.run(  # noqa: S603  # make, with arguments of our own
        ["make", "--makefile", str(makefile), *arguments],  # noqa: S607  # make is where PATH says
        cwd=folder,
        env={**environment, "UV_OFFLINE": "1"},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, by their path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def logical_id(target: Target) -> str:
    """Return the logical id that asks for a target."""
    architecture = {"x86_64": "X8664", "arm64": "Arm64"}[target.architecture.name]
    return f"MomentoLayerPython3{target.runtime.minor}{architecture}"


@pytest.mark.skipif(sys.platform != "linux", reason=NO_WHEELS)
def test_artifacts(tmp_path: Path) -> None:
    """The artifacts folder gets what a built layer holds and nothing else, readable for all whatever the umask."""
    target = Target.of_this_machine()
    artifacts = tmp_path / "the artifacts"
    (artifacts / "python").mkdir(parents=True)
    (artifacts / "python" / "left_behind.py").touch()
    options = (f"PYTHON={sys.executable}", f"ARTIFACTS_DIR={artifacts}")
    made = make(f"build-{logical_id(target)}", *options, folder=tmp_path, umask=0o077)
    assert 0 == made.returncode, made.stderr
    with ZipFile(build_layer(tmp_path / "layer", target, offline=True).path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files_in(artifacts)
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    assert modes == {name: (artifacts / name).stat().st_mode & 0o777 for name in modes}
    folders = [path for path in (artifacts / "python").rglob("*") if path.is_dir()]
    assert {0o755} == {path.stat().st_mode & 0o777 for path in folders}


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["build-MomentoLayerPython313Arm64"], '--python "3.13" --arch arm64'),
        (["build-MomentoLayerPython311X8664"], '--python "3.11" --arch x86_64'),
        (["build-MomentoLayerArm64", "MOMENTO_LAYER_PYTHON=3.12"], '--python "3.12" --arch arm64'),
        (["build-MomentoLayerX8664", "MOMENTO_LAYER_PYTHON=3.14"], '--python "3.14" --arch x86_64'),
        (["build-MomentoLayerPython313X8664", "MOMENTO_LAYER_PYTHON=3.12"], '--python "3.13" --arch x86_64'),
        (["build-MomentoLayerPowertoolsPython313Arm64"], '--python "3.13" --arch arm64 --with-powertools'),
        (
            ["build-MomentoLayerPowertoolsX8664", "MOMENTO_LAYER_PYTHON=3.12"],
            '--python "3.12" --arch x86_64 --with-powertools',
        ),
    ],
)
def test_logical_ids(arguments: list[str], options: str, tmp_path: Path) -> None:
    """The logical id says the architecture, whether Powertools is in, and the version or leaves it to a variable."""
    shown = make("--dry-run", *arguments, f"ARTIFACTS_DIR={tmp_path}", folder=tmp_path)
    command = " ".join(shown.stdout.replace("\\\n", " ").split())
    assert (0, True) == (shown.returncode, f" build {options} --output " in command)


def test_version_of_the_builder(tmp_path: Path) -> None:
    """Where neither says a version, it is that of the Python that builds."""
    shown = make(
        "--dry-run", "build-MomentoLayerArm64", "PYTHON=my-python", f"ARTIFACTS_DIR={tmp_path}", folder=tmp_path
    )
    assert """ build --python "$("my-python" -c 'import sys; """ in shown.stdout


@pytest.mark.parametrize("beside", [True, False])
def test_interpreter(tmp_path: Path, *, beside: bool) -> None:
    """It builds with the project's own Python, also from elsewhere, and with the one on PATH where there is none."""
    project = tmp_path / "a project"
    (project / "layer").mkdir(parents=True)
    makefile = Path(shutil.copy(MAKEFILE, project / "layer"))
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    if beside:
        python.touch()
    shown = make(
        "--dry-run", "build-MomentoLayerArm64", f"ARTIFACTS_DIR={tmp_path}", folder=tmp_path, makefile=makefile
    )
    expected = project / "layer" / ".." / ".venv" / "bin" / "python" if beside else "python3"
    assert f'"{expected}" -m momento_lambda_layer build' in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["build-MomentoLayer32Bit", "ARTIFACTS_DIR=x"], "expected a name that ends in Arm64 or X8664"),
        (["build-SomethingElse", "ARTIFACTS_DIR=x"], "No rule to make target"),
        (["build-MomentoLayerArm64"], "error: ARTIFACTS_DIR is not set: name the folder to fill"),
        (["build-MomentoLayerArm64", "ARTIFACTS_DIR=x", "PYTHON=false"], "error: false has no layer builder"),
        (["build-MomentoLayerPython39Arm64", "ARTIFACTS_DIR=x"], "'3.9' is not a Python runtime of Lambda"),
        (["build-MomentoLayerSmallArm64", "ARTIFACTS_DIR=x"], "'Small' is not a Python runtime of Lambda"),
    ],
)
def test_wrong_usage(arguments: list[str], reason: str, tmp_path: Path) -> None:
    """What cannot be built is said, and nothing is written."""
    python = [] if any(argument.startswith("PYTHON=") for argument in arguments) else [f"PYTHON={sys.executable}"]
    failed = make(*arguments, *python, folder=tmp_path)
    assert 2 == failed.returncode
    assert reason in failed.stderr
    assert [] == list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason=NO_WHEELS)
def test_failed_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that fails leaves the artifacts folder as it was, and nothing in the folder for temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    kept = tmp_path / "artifacts" / "python" / "kept.py"
    kept.parent.mkdir(parents=True)
    kept.touch()
    options = (f"PYTHON={sys.executable}", f"ARTIFACTS_DIR={kept.parents[1]}")
    failed = make("build-MomentoLayerArm64", *options, folder=tmp_path)
    assert 2 == failed.returncode
    assert "error: " in failed.stderr
    assert [[kept], []] == [list(kept.parent.iterdir()), list(temporary.iterdir())]
