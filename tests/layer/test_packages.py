"""What goes into a layer beside the library: the lock, what a user adds, and what Lambda has already."""

from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from momento_lambda_layer import FetchError, Packages, Plan, Target, build_layer
from momento_lambda_layer.fetch import fetch
from momento_lambda_layer.packages import LOCK, LOCK_WITH_POWERTOOLS
from momento_lambda_layer.plan import plan_layers
from momento_lambda_layer.resolve import resolve

WriteWheel = Callable[..., Path]
MATRIX = [target for plan in plan_layers() for target in plan.targets]
PYTHON_313_ON_ARM64 = Target.of("3.13", "arm64")


def names(packages: Packages, target: Target) -> list[str]:
    """Return what a target gets."""
    return [pin.name for pin in resolve(packages, target, offline=True).pins]


@pytest.mark.parametrize("target", MATRIX, ids=str)
def test_lock(target: Target) -> None:
    """The lock has an answer for every target, and every wheel in it is one that the lock names."""
    resolution = resolve(Packages(), target, offline=True)
    assert [pin.name for pin in resolution.pins] == ["grpcio", "protobuf", "typing-extensions"]
    grpcio = resolution.pins[0]
    (file,) = grpcio.files
    assert f"-cp3{target.runtime.minor}-" in file
    assert file.endswith(f"_{target.architecture.machine}.whl")
    assert f"--hash=sha256:{grpcio.files[file]}" in LOCK.read_text()


@pytest.mark.parametrize("target", [MATRIX[0], MATRIX[-1]], ids=str)
def test_powertools(target: Target, tmp_path: Path) -> None:
    """Powertools comes on request; what it needs and Lambda has stays out, and is named."""
    fetched = fetch(tmp_path, target, Packages(powertools=True), offline=True)
    assert [wheel.name for wheel in fetched.wheels] == [
        "aws_lambda_powertools",
        "grpcio",
        "protobuf",
        "typing_extensions",
    ]
    assert fetched.left_out == ("jmespath",)
    assert not (tmp_path / "jmespath").exists()


def test_locks_agree() -> None:
    """Both locks hold the same versions with the same hashes."""
    locked, with_powertools = (Packages(powertools=powertools).promised_hashes() for powertools in (False, True))
    assert {name: with_powertools[name] for name in locked} == locked
    assert with_powertools.keys() - locked.keys() == {"aws-lambda-powertools", "jmespath"}
    assert LOCK_WITH_POWERTOOLS.is_file()


def test_added_wheel(write_wheel: WriteWheel, tmp_path: Path, target: Target) -> None:
    """A package of the user's own, and what it needs, is in the layer; what Lambda has is left out with a note."""
    wheel = write_wheel("example", "typing-extensions", "Six")
    layer = build_layer(tmp_path / "out", target, packages=Packages((f"example @ {wheel.as_uri()}",)), offline=True)
    assert [each.name for each in layer.wheels] == ["example", "grpcio", "protobuf", "typing_extensions"]
    assert layer.wheels[0].file == wheel.name
    assert layer.left_out == ("six",)
    with ZipFile(layer.path) as archive:
        assert archive.read("python/example.py") == b"VALUE = 1\n"
        assert "python/six.py" not in archive.namelist()


def test_requirements_file(write_wheel: WriteWheel, tmp_path: Path) -> None:
    """A requirements file may name folders of wheels, relative to itself."""
    write_wheel("example")
    file = tmp_path / "requirements.txt"
    file.write_text("--find-links wheels\nexample==1.0\n")
    fetched = fetch(tmp_path / "tree", PYTHON_313_ON_ARM64, Packages(file=file), offline=True)
    assert "example" in [wheel.name for wheel in fetched.wheels]
    assert (tmp_path / "tree" / "example.py").is_file()


def test_hash_in_a_requirements_file(write_wheel: WriteWheel, tmp_path: Path) -> None:
    """A hash that the user's file names is held against the wheel."""
    write_wheel("example")
    file = tmp_path / "requirements.txt"
    file.write_text(f"--find-links wheels\nexample==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    with pytest.raises(FetchError, match=r"example-1\.0-py3-none-any\.whl is not the wheel that was locked"):
        resolve(Packages(file=file), PYTHON_313_ON_ARM64, offline=True)


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("cp313-cp313-manylinux_2_28_aarch64", True),
        ("cp312-abi3-manylinux2014_aarch64", True),
        ("cp312-cp312-manylinux2014_aarch64", False),
        ("cp313-cp313-manylinux2014_x86_64", False),
        ("cp313-cp313-manylinux_2_39_aarch64", False),
        ("cp313-cp313-musllinux_1_2_aarch64", False),
        ("cp313-cp313-macosx_11_0_arm64", False),
    ],
)
def test_wheels_that_fit(
    tag: str,
    fits: bool,  # noqa: FBT001  # a column of the table
    write_wheel: WriteWheel,
    tmp_path: Path,
) -> None:
    """Only a wheel for the runtime's Python, processor and C library is taken; another is an error that says so."""
    write_wheel("example", tag=tag)
    file = tmp_path / "requirements.txt"
    file.write_text("--find-links wheels\nexample\n")
    packages = Packages(file=file)
    if fits:
        assert "example" in names(packages, PYTHON_313_ON_ARM64)
        return
    with pytest.raises(FetchError, match=r"example.* no wheels with a matching"):
        resolve(packages, PYTHON_313_ON_ARM64, offline=True)


def test_no_build_from_source(tmp_path: Path) -> None:
    """A folder with sources is refused: a build would be for this machine."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "example"\nversion = "1"\n')
    with pytest.raises(FetchError):
        resolve(Packages((f"example @ {project.as_uri()}",)), PYTHON_313_ON_ARM64, offline=True)


def test_conflict_with_the_lock() -> None:
    """What is added must agree with the lock."""
    with pytest.raises(FetchError, match="protobuf"):
        resolve(Packages(("protobuf<5",)), PYTHON_313_ON_ARM64, offline=True)


def test_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a package of the user's is not to be had, the error says what is needed of it."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(FetchError, match="what you add needs one there, since nothing is built"):
        resolve(Packages(("protobuf<5",)), PYTHON_313_ON_ARM64)


def test_missing_requirements_file(tmp_path: Path) -> None:
    """A requirements file that is not there is named."""
    with pytest.raises(FetchError, match=r"absent\.txt is not there"):
        resolve(Packages(file=tmp_path / "absent.txt"), PYTHON_313_ON_ARM64, offline=True)


def test_code_of_each_version(write_wheel: WriteWheel, tmp_path: Path, target: Target) -> None:
    """In a layer for several runtimes, code that differs from version to version lies in a folder of each."""
    for minor in (11, 12):
        write_wheel("example", tag=f"cp3{minor}-none-any", code=f"VALUE = {minor}\n")
    file = tmp_path / "requirements.txt"
    file.write_text("--find-links wheels\nexample\n")
    plan = Plan.of(*(Target.of(f"3.{minor}", target.architecture.name) for minor in (11, 12)))
    layer = build_layer(tmp_path / "out", plan, packages=Packages(file=file), offline=True)
    with ZipFile(layer.path) as archive:
        for minor in (11, 12):
            content = archive.read(f"python/lib/python3.{minor}/site-packages/example.py")
            assert content == f"VALUE = {minor}\n".encode()
        assert "python/grpc/__init__.py" not in archive.namelist()
    assert [wheel.file for wheel in layer.wheels if wheel.name == "example"] == [
        "example-1.0-cp311-none-any.whl",
        "example-1.0-cp312-none-any.whl",
    ]
