"""What a layer does without, each rule with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momento_lambda_layer.tree import files_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """Files to leave out.

    Attributes:
        name: What the files are.
        pattern: A regular expression that is searched in the path below the tree, with forward slashes.
        reason: Why no function will miss them.
    """

    name: str
    pattern: str
    reason: str

    def select(self, names: Iterable[str]) -> list[str]:
        """Return the paths that the rule leaves out."""
        return [name for name in names if re.search(self.pattern, name)]


# Of these it is known what they read at run time. What a user adds may read its own stubs or tests, and keeps them.
_KNOWN = r"^(google/(protobuf|_upb)|grpc|momento_lambda|aws_lambda_powertools)/"

RULES = (
    Rule(
        "stubs",
        rf"{_KNOWN}.*(\.pyi|/?py\.typed)$",
        "types are checked before a function is deployed",
    ),
    Rule("C sources", rf"{_KNOWN}.*\.(c|cc|cpp|h|hpp|pxd|pxi|pyx)$", "sources of extension modules already compiled"),
    Rule("protocol sources", rf"{_KNOWN}.*\.proto$", "generated modules carry their own descriptors"),
    Rule("tests", rf"{_KNOWN}(.*/)?tests?/", "tests of the dependencies were run by those who released them"),
    Rule("console scripts", r"^bin/", "they name the interpreter of the machine that built the layer"),
    Rule(
        "foreign bytecode",
        r"(^|/)__pycache__/",
        "it is the builder's; the target's is made afterwards",
    ),
    Rule(
        "traces of the installation",
        r"^[^/]+\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_[a-z_]+\.json)$",
        "they differ from build to build, and no function reads them",
    ),
    Rule("lock file", r"^\.lock$", "uv's own lock on the folder while it unpacks"),
)


def trim(tree: Path) -> tuple[str, ...]:
    """Delete from a tree what the rules name.

    Returns:
        What was deleted: sorted paths below the tree.
    """
    names = files_in(tree)
    removed = sorted({name for rule in RULES for name in rule.select(names)})
    for name in removed:
        (tree / name).unlink()
    return tuple(removed)
