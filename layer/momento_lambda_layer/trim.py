"""What a layer does without, each rule with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momento_lambda_layer.tree import files_in

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """Files to leave out.

    Attributes:
        pattern: A regular expression that is searched in the path below the tree, with forward slashes.
        reason: Why no function will miss them.
    """

    pattern: str
    reason: str


RULES = (
    Rule(r"\.pyi$|/py\.typed$", "types are checked where the function is written, not where it runs"),
    Rule(r"\.(c|cc|cpp|h|hpp|pxd|pxi|pyx)$", "sources of extension modules that are already compiled"),
    Rule(r"\.proto$", "generated modules carry their own descriptors"),
    Rule(r"(^|/)tests?/", "tests of the dependencies"),
    Rule(r"^bin/", "console scripts: they name the interpreter of the machine that built the layer"),
    Rule(r"(^|/)__pycache__/", "bytecode of the machine that built the layer; the target's is made afterwards"),
    Rule(
        r"^[^/]+\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$",
        "traces of the installation: they differ from build to build, and no function reads them",
    ),
    Rule(r"^\.lock$", "uv's own lock on the folder"),
)


def trim(tree: Path) -> tuple[str, ...]:
    """Delete from a tree what the rules name.

    Returns:
        What was deleted: sorted paths below the tree.
    """
    removed = tuple(name for name in files_in(tree) if any(re.search(rule.pattern, name) for rule in RULES))
    for name in removed:
        (tree / name).unlink()
    return removed
