import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda_layer import Target, UnsupportedTargetError
from momento_lambda_layer.target import ARCHITECTURES, RUNTIMES

SPELLINGS = {runtime.name for runtime in RUNTIMES} | {runtime.version for runtime in RUNTIMES}


@pytest.mark.parametrize("spelling", ["3.13", "python3.13"])
def test_spellings_of_a_runtime(spelling: str) -> None:
    """A runtime is named as Lambda does, or by its version alone."""
    assert str(Target.of(spelling, "x86_64")) == "python3.13 on x86_64"


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("x86_64", "x86_64"), ("amd64", "x86_64"), ("AMD64", "x86_64"), ("arm64", "arm64"), ("aarch64", "arm64")],
)
def test_spellings_of_an_architecture(spelling: str, name: str) -> None:
    """An architecture is named as Lambda does, or as any operating system does."""
    assert Target.of("3.13", spelling).architecture.name == name


def test_ended_runtime() -> None:
    """Python 3.10 is refused with the reason and the runtimes that remain."""
    with pytest.raises(UnsupportedTargetError, match=r"Lambda ended the runtime 3\.10 on .*python3\.11"):
        Target.of("3.10", "x86_64")


@given(st.text() | st.from_regex(r"(python)?3\.[0-9]{1,3}", fullmatch=True))
def test_unknown_runtimes(text: str) -> None:
    """Whatever is not a runtime of Lambda is refused, by a ValueError that names those that are."""
    if text not in SPELLINGS:
        with pytest.raises(ValueError, match=r"choose one of python3\.11"):
            Target.of(text, "x86_64")


@given(st.text())
def test_unknown_architectures(text: str) -> None:
    """Whatever is not an architecture of Lambda is refused, with those that are."""
    if text.lower() not in {name for known in ARCHITECTURES for name in (known.name, *known.aliases)}:
        with pytest.raises(UnsupportedTargetError, match="choose one of x86_64, arm64"):
            Target.of("3.13", text)


@pytest.mark.parametrize(
    ("runtime", "architecture", "platform"),
    [
        ("python3.11", "x86_64", "x86_64-manylinux2014"),
        ("python3.11", "arm64", "aarch64-manylinux2014"),
        ("python3.12", "x86_64", "x86_64-manylinux_2_34"),
        ("python3.13", "arm64", "aarch64-manylinux_2_34"),
        ("python3.14", "x86_64", "x86_64-manylinux_2_34"),
    ],
)
def test_wheel_platform(runtime: str, architecture: str, platform: str) -> None:
    """Wheels are never newer than the C library of the runtime: 2.26 for Python 3.11, 2.34 from 3.12 on."""
    assert Target.of(runtime, architecture).uv_platform == platform


def test_this_machine(target: Target) -> None:
    """What is not named is as on this machine, which runs what is built for it."""
    assert target.runtime.minor == sys.version_info.minor
    assert target.fits_this_machine


def test_other_machines(target: Target) -> None:
    """A target for another processor does not run here."""
    others = [Target(target.runtime, architecture) for architecture in ARCHITECTURES]
    assert [other for other in others if other.fits_this_machine] == [target]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("momento-lambda-python3.12-arm64.zip", ["python3.12 on arm64"]),
        ("mine_x86_64_python3.11.zip", ["python3.11 on x86_64"]),
        ("layer-python3.12-python3.13-arm64.zip", ["python3.12 on arm64", "python3.13 on arm64"]),
        ("layer.zip", []),
        ("layer-python3.12.zip", []),
    ],
)
def test_file_names(name: str, expected: list[str]) -> None:
    """A file name tells the targets when it holds both parts of them; it may name several runtimes."""
    assert [str(target) for target in Target.in_file_name(name)] == expected


def test_options_beside_file_names() -> None:
    """What is given overrules either half of what the name tells."""
    (target,) = Target.in_file_name("layer-python3.12-arm64.zip", "3.13", None)
    assert str(target) == "python3.13 on arm64"
    (target,) = Target.in_file_name("layer-python3.12.zip", None, "x86_64")
    assert str(target) == "python3.12 on x86_64"
