"""A finished layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from momento_lambda_layer.bytecode import Bytecode
    from momento_lambda_layer.fetch import Wheel
    from momento_lambda_layer.plan import Plan
    from momento_lambda_layer.target import Target


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer as built, verified and written.

    Attributes:
        path: The zip.
        manifest_path: The JSON file beside it that says what is inside.
        plan: What it serves.
        version: Of `momento-lambda` inside.
        wheels: What else is inside, sorted by name.
        left_out: What was asked for or needed, and is not inside because Lambda has it.
        bytecode: How it was decided which bytecode is inside.
        compilers: The interpreters whose bytecode is inside: the full version by the minor one.
        tools: The versions of what shaped the bytes: rebuild with the same to get the same hash.
        sha256: Of the zip, in hexadecimal.
        content_sha256: Of the names and contents inside: equal even where another zlib packed them in other bytes.
        file_count: Files inside.
        zipped_bytes: Size of the zip.
        unzipped_bytes: Size of its files, which is what Lambda limits.
    """

    path: Path
    manifest_path: Path
    plan: Plan
    version: str
    wheels: tuple[Wheel, ...]
    left_out: tuple[str, ...]
    bytecode: Bytecode
    compilers: Mapping[str, str]
    tools: Mapping[str, str]
    sha256: str
    content_sha256: str
    file_count: int
    zipped_bytes: int
    unzipped_bytes: int

    @property
    def target(self) -> Target:
        """The first of what it serves: the only one, unless it was built for several."""
        return self.plan.targets[0]
