"""A finished layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from momento_lambda_layer.target import Target


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer as built, verified and written.

    Attributes:
        path: The zip.
        manifest_path: The JSON file beside it that says what is inside.
        target: What it runs on.
        version: Of `momento-lambda` inside.
        wheels: The version of each third-party distribution inside, by its name.
        bytecode: The Python version that its bytecode is for, or None when it carries sources alone.
        tools: The versions of what shaped the bytes: rebuild with the same to get the same hash.
        sha256: Of the zip, in hexadecimal.
        file_count: Files inside.
        zipped_bytes: Size of the zip.
        unzipped_bytes: Size of its files, which is what Lambda limits.
    """

    path: Path
    manifest_path: Path
    target: Target
    version: str
    wheels: Mapping[str, str]
    bytecode: str | None
    tools: Mapping[str, str]
    sha256: str
    file_count: int
    zipped_bytes: int
    unzipped_bytes: int
