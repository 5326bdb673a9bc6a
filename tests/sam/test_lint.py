"""What the linters of AWS say of the application."""

import itertools
import json
from typing import TYPE_CHECKING

from momento_lambda_layer.target import ARCHITECTURES, RUNTIMES
from tests.sam.choices import EVERYTHING
from tests.sam.templates import Template, decide

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sam.conftest import RunTool


def test_sam_validate(run_tool: "RunTool") -> None:
    """`sam validate --lint`, as samconfig.toml has it, finds nothing."""
    assert "template.yaml is a valid SAM Template" in run_tool("sam", "validate", "--lint")


def test_cfn_lint(run_tool: "RunTool", translated: Template, tmp_path: "Path") -> None:
    """cfn-lint finds nothing: in the template, and in what it becomes for each runtime, each processor, and in a VPC.

    It does not look a parameter's values up itself, so choices are shown to it with their values in place.
    """
    choices = [
        {"Runtime": runtime.name, "Architecture": architecture.name}
        for runtime, architecture in zip(RUNTIMES, itertools.cycle(ARCHITECTURES), strict=False)
    ]
    choices.append(EVERYTHING)
    templates = []
    for number, choice in enumerate(choices):
        templates.append(tmp_path / f"{number}.json")
        templates[-1].write_text(json.dumps(decide(translated, **choice)), encoding="utf-8")
    # Parameters are not used any more, and whether a runtime is about to be deprecated depends on the day.
    ignored = ("--ignore-checks", "W2001", "W2531")
    assert "" == run_tool("cfn-lint", *ignored, "--", "template.yaml", *map(str, templates))
