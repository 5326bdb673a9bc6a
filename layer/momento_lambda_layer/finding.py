"""What is wrong with a layer, in the words that a user would read on Lambda."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """The kinds of fault."""

    LAYOUT = "layout"
    PERMISSIONS = "permissions"
    SIZE = "size"
    ABI = "python abi"
    MACHINE = "architecture"
    SYSTEM_LIBRARY = "system library"
    SLOW_PROTOBUF = "slow protobuf"
    REQUIREMENT = "missing requirement"
    BYTECODE = "bytecode"
    IMPORT = "import"


@dataclass(frozen=True)
class Finding:
    """One fault of a layer.

    Attributes:
        fault: Its kind.
        files: Where it is: names in the zip.
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
            return "the whole layer"
        first, *others = self.files
        return f"{first} and {len(others)} more" if others else first
