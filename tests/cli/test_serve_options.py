"""The options of `serve`, as the documentation has them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "server.md"


def test_every_option_is_documented(command: Callable[..., Any]) -> None:
    """The table has every option that `--help` shows, and the variable that each may be given in."""
    entries = [" ".join(entry.split()) for entry in re.split(r"\n  (?=--)", command("serve", "--help").output)[1:]]
    offered = [(entry.split()[0], *re.findall(r"\[env var: (\w+)", entry)) for entry in entries]
    offered.remove(("--help",))
    section = DOCUMENTATION.read_text().partition("### Configuration")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `--")]
    options = [option for row in rows for option in re.findall(r"`(--[a-z-]+)`", row[1])]
    variables = [variable for row in rows for variable in re.findall(r"`([A-Z_]+)`", row[2])]
    assert sorted(offered) == sorted(zip(options, variables, strict=True))
