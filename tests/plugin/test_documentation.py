"""The test module that the documentation shows."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.left_out import NO_RUNTIME_CLIENT

PluginRun = Callable[..., tuple[dict[str, int], str]]

TESTING = Path(__file__).parents[2] / "docs" / "testing.md"


@pytest.mark.skipif(sys.platform != "linux", reason=NO_RUNTIME_CLIENT)
def test_the_tests_in_the_documentation_pass(plugin_run: PluginRun) -> None:
    """Copied into a project as they stand."""
    blocks = re.findall(r"^```python\n(.*?)^```", TESTING.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    [tests] = [block for block in blocks if "\ndef test_" in block]
    outcomes, printed = plugin_run(tests)
    assert {"passed": tests.count("\ndef test_")} == outcomes, printed
