"""The judgement on a layer's zip, whoever built it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from momento_lambda_layer.checks import (
    check_layout,
    check_permissions,
    check_protobuf,
    check_requirements,
    check_size,
)
from momento_lambda_layer.contents import Contents
from momento_lambda_layer.errors import UnreadableZipError, UnsupportedTargetError
from momento_lambda_layer.extensions import check_extensions, check_stable_abi
from momento_lambda_layer.probe import probe
from momento_lambda_layer.stale import check_bytecode
from momento_lambda_layer.target import Target

if TYPE_CHECKING:
    import os

    from momento_lambda_layer.finding import Finding

_CHECKS = (
    check_layout,
    check_permissions,
    check_size,
    check_extensions,
    check_stable_abi,
    check_protobuf,
    check_requirements,
    check_bytecode,
)


def verify_layer(path: str | os.PathLike[str], target: Target | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with a layer's zip, or nothing.

    The zip is read, and when that finds no fault and the target is this machine, it is also unzipped and
    imported from in a bare interpreter. Importing runs what is in it: verify what you would also deploy.

    Args:
        path: The zip.
        target: What it is for; told by its file name, unless given.

    Raises:
        UnreadableZipError: It is missing, no zip, or damaged.
        UnsupportedTargetError: Neither an argument nor the file name tells the target.
        MissingExtraError: pyelftools is not installed.
    """
    target = target or Target.in_file_name(Path(path).name)
    if target is None:
        raise UnsupportedTargetError(
            f"the name {Path(path).name} does not tell what it is for, as layer-python3.13-arm64.zip would; "
            "name the runtime and the architecture"
        )
    try:
        with ZipFile(path) as archive:
            contents = Contents(archive, target)
            read = tuple(finding for check in _CHECKS for finding in check(contents))
            # A layer with a known fault fails in the same way when it is imported.
            return read if read or not target.runs_here else tuple(probe(archive, contents))
    except (OSError, BadZipFile) as error:
        raise UnreadableZipError(f"{path} cannot be read as a zip: {error}") from error
