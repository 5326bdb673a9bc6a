import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "momento_lambda" / "wire").glob("*_pb2.py"))


def protobuf_range() -> tuple[str, int]:
    """Return the lowest version of protobuf that pyproject.toml allows, and the major version it ends before."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [requirement] = [line for line in project["dependencies"] if line.startswith("protobuf")]
    found = re.fullmatch(r"protobuf>=(\d+\.\d+\.\d+),<(\d+)", requirement)
    assert found is not None, requirement
    return found[1], int(found[2])


def required_runtime(module: Path) -> str:
    """Return the version of protobuf that a generated module demands when it is loaded."""
    [call] = [
        node
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".ValidateProtobufRuntimeVersion")
    ]
    return ".".join(ast.unparse(argument) for argument in call.args[1:4])


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_modules_load_from_the_lower_bound_on(module: Path) -> None:
    """A module loads on its own version of protobuf and newer ones, so that is the lower bound, exactly."""
    lowest, _ = protobuf_range()
    assert lowest == required_runtime(module)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_range_ends_after_the_next_major(module: Path) -> None:
    """A module loads on the major version it was made for and on the next, which is all that protobuf promises."""
    _, excluded = protobuf_range()
    assert excluded == int(required_runtime(module).split(".")[0]) + 2


def test_there_are_modules() -> None:
    """What is checked above is every part of the protocol."""
    expected = ["auth_pb2.py", "cache_pb2.py", "control_pb2.py"]
    assert expected == [module.name for module in MODULES]
