"""What the deployment guide has people copy."""

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from momento_lambda.cli.app import app

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "deployment.md").read_text(encoding="utf-8")
CFN_LINT = ROOT / "build" / "sam-tools" / "bin" / "cfn-lint"


def blocks(language: str) -> list[str]:
    """Return the guide's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(not CFN_LINT.exists(), reason="cfn-lint is not there: make build/sam-tools/ready")
def test_the_cloudformation_templates_are_sound(tmp_path: Path) -> None:
    """Cfn-lint finds nothing in them, and does find what is wrong with one that was spoilt."""
    function, endpoints = blocks("yaml")
    spoilt = function.replace("MemorySize: 512", "MemorySize: much")
    templates = {"function.yaml": function, "endpoints.yaml": endpoints, "spoilt.yaml": spoilt}
    for name, template in templates.items():
        (tmp_path / name).write_text(template)
    done = subprocess.run(  # noqa: S603  # our own environment
        [CFN_LINT, "--format", "parseable", *templates],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert "" == done.stderr
    [finding] = done.stdout.splitlines()
    assert finding.startswith("spoilt.yaml:")
    assert "'much'" in finding


def test_the_cdk_stack_is_python() -> None:
    """It compiles, and takes nothing but the CDK."""
    [stack] = [block for block in blocks("python") if "aws_cdk" in block]
    imports = [node.module for node in ast.parse(stack).body if isinstance(node, ast.ImportFrom)]
    assert ["aws_cdk", "constructs"] == imports


def test_all_of_them_say_the_same() -> None:
    """CloudFormation, CDK and Terraform describe one function: its handler, its cache, its size."""
    [cdk] = [block for block in blocks("python") if "aws_cdk" in block]
    for text in (blocks("yaml")[0], cdk, *blocks("hcl")):
        for said in ("quickstart.lambda_handler", "users-cache", "MOMENTO_API_KEY_SECRET", "512"):
            assert said in text
    assert "def lambda_handler" in (ROOT / "examples" / "quickstart.py").read_text(encoding="utf-8")


def test_the_parameters_are_those_of_the_application() -> None:
    """The guide explains each parameter of template.yaml, and no other."""
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    [parameters] = re.findall(r"^Parameters:\n((?: .*\n)+)", template, re.MULTILINE)
    [table] = re.findall(r"^\| parameter \| .*\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    explained = [cell for row in table.splitlines() for cell in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(re.findall(r"^  (\w+):", parameters, re.MULTILINE)) == sorted(explained)


def test_the_variables_are_those_that_the_library_reads() -> None:
    """No variable in the guide is misspelt or gone."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "momento_lambda").rglob("*.py"))
    known = set(re.findall(r'"(MOMENTO_[A-Z_]+)"', code))
    assert set(re.findall(r"MOMENTO_[A-Z_]+", GUIDE)) <= known


def commands() -> Iterator[tuple[list[str], list[str]]]:
    """Yield what the guide calls of the command line: the words of each command, and its options."""
    for block in blocks("sh"):
        for line in re.findall(r"^momento-lambda ([^#\n]*)", block, re.MULTILINE):
            words = shlex.split(line)
            yield words[:2], [word for word in words if word.startswith("--")]


@pytest.mark.parametrize(("command", "options"), list(commands()))
def test_the_commands_exist(command: list[str], options: list[str]) -> None:
    """Each knows every option that the guide gives it."""
    shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert 0 == shown.exit_code
    for option in options:
        assert option in shown.output
