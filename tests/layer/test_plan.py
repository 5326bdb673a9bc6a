from argparse import ArgumentParser

import pytest

from momento_lambda_layer import Plan, Target, UnsupportedTargetError, plan_layers
from momento_lambda_layer.build_command import add_commands, plans_for


def stems(*arguments: str) -> list[str]:
    """Return the names of the layers that a command line asks for."""
    parser = ArgumentParser()
    add_commands(parser.add_subparsers())
    prefix = "momento-lambda-"
    return [plan.stem.removeprefix(prefix) for plan in plans_for(parser.parse_args(["build", *arguments]))]


def test_matrix() -> None:
    """The default matrix is every runtime on both architectures, a layer for each."""
    assert sorted(plan.stem for plan in plan_layers()) == sorted(
        f"momento-lambda-python3.{minor}-{architecture}"
        for minor in (11, 12, 13, 14)
        for architecture in ("x86_64", "arm64")
    )


def test_multi() -> None:
    """A layer for several runtimes is one for each architecture, and its name tells all that it serves."""
    assert [plan.stem for plan in plan_layers(multi=True)] == [
        f"momento-lambda-python3.11-python3.12-python3.13-python3.14-{name}" for name in ("x86_64", "arm64")
    ]


@pytest.mark.parametrize("plan", [*plan_layers(), *plan_layers(multi=True)], ids=str)
def test_names(plan: Plan) -> None:
    """What a layer serves is read from its file name as it was written there."""
    assert Target.in_file_name(f"{plan.stem}.zip") == plan.targets


def test_two_architectures() -> None:
    """No layer is for two processors."""
    with pytest.raises(UnsupportedTargetError, match="one architecture"):
        Plan.of(Target.of("3.13", "arm64"), Target.of("3.13", "x86_64"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--python", "3.13", "--arch", "arm64"], ["python3.13-arm64"]),
        (["--python", "python3.13", "--arch", "aarch64"], ["python3.13-arm64"]),
        (["--python", "3.12", "--python", "3.14", "--arch", "arm64"], ["python3.12-arm64", "python3.14-arm64"]),
        (["--python", "3.13", "--python", "python3.13", "--arch", "arm64"], ["python3.13-arm64"]),
        (["--python", "3.13", "--all"], ["python3.13-x86_64", "python3.13-arm64"]),
        (["--python", "3.14", "--python", "3.13", "--arch", "arm64", "--multi"], ["python3.13-python3.14-arm64"]),
        (["--arch", "arm64", "--multi"], ["python3.11-python3.12-python3.13-python3.14-arm64"]),
    ],
)
def test_command_lines(arguments: list[str], expected: list[str]) -> None:
    """Options name what is built; `--all` and `--multi` stand for all that is not named."""
    assert stems(*arguments) == expected


def test_no_options(target: Target) -> None:
    """Without options it is this machine, and with `--all` the whole matrix."""
    assert stems() == [f"{target.runtime.name}-{target.architecture.name}"]
    assert len(stems("--all")) == 8
    assert len(stems("--all", "--multi")) == 2
