"""What is wrong with a layer or a function, in the words that a user would read on Lambda."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Fault(StrEnum):
    """The kinds of fault."""

    LAYOUT = "layout"
    PERMISSIONS = "permissions"
    SIZE = "size"
    LAYER_COUNT = "layer count"
    ABI = "python abi"
    MACHINE = "architecture"
    SYSTEM_LIBRARY = "system library"
    SLOW_PROTOBUF = "slow protobuf"
    REQUIREMENT = "missing requirement"
    PROVIDED = "provided by Lambda"
    SECOND_COPY = "second copy"
    SHADOWED = "shadowed"
    BYTECODE = "bytecode"
    IMPORT = "import"


@dataclass(frozen=True)
class Finding:
    """One fault of a layer or a function.

    Attributes:
        fault: Its kind.
        files: Where it is: names in the zip or folder.
        symptom: What it does on Lambda, in the words of the error if there is one.
        remedy: What to do.
    """

    fault: Fault
    files: tuple[str, ...]
    symptom: str
    remedy: str

    @property
    def place(self) -> str:
        """The files, shortened for a person."""
        if not self.files:
            return "all of it"
        first, *others = self.files
        return f"{first} and {len(others)} more" if others else first


def write_findings(findings: Iterable[Finding]) -> None:
    """Write findings to standard output: where each is, what it does on Lambda, and how to fix it."""
    for finding in findings:
        sys.stdout.write(f"{finding.place}\n  on Lambda  {finding.symptom}\n  to fix it  {finding.remedy}\n")
