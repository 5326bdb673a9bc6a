"""The judgement on a layer's zip, whoever built it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer.checks import (
    DIRECT_UPLOAD_LIMIT,
    check_layout,
    check_permissions,
    check_protobuf,
    check_size,
)
from momento_lambda_layer.contents import Contents
from momento_lambda_layer.copies import check_copies, check_provided
from momento_lambda_layer.errors import UnsupportedTargetError
from momento_lambda_layer.extensions import check_extensions, check_stable_abi
from momento_lambda_layer.interpreters import find_interpreter
from momento_lambda_layer.probe import probe
from momento_lambda_layer.requirements import check_requirements
from momento_lambda_layer.stale import check_bytecode, lacks_bytecode
from momento_lambda_layer.storage import Zip, open_storage
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
    check_provided,
    check_copies,
    check_bytecode,
)


def verify_layer(
    path: str | os.PathLike[str], target: Target | None = None, *, run: bool = True
) -> tuple[Finding, ...]:
    """Return what is wrong with a layer's zip, or nothing.

    The zip is read, and when that finds no fault and the target's Python is on this machine, it is also unzipped and
    imported from in a bare interpreter. Importing runs what is in it: verify what you would also deploy.

    Args:
        path: The zip.
        target: What it is for; told by its file name, unless given. A name may tell several.
        run: Whether code in it may be run.

    Raises:
        UnreadableZipError: It is missing, no zip, or damaged.
        UnsupportedTargetError: Neither an argument nor the file name tells the target.
        MissingExtraError: A package of the `layer` extra is not installed.
    """
    targets = (target,) if target else tell_targets(path)
    return tuple(dict.fromkeys(finding for each in targets for finding in _verify(path, each, run=run)))


def remarks_on(path: str | os.PathLike[str], target: Target) -> tuple[str, ...]:
    """Return what is worth knowing of a layer's zip that is in order: nothing fails for it.

    Raises:
        UnreadableZipError: It is missing, no zip, or damaged.
    """
    remarks = []
    size = Path(path).stat().st_size
    if size > DIRECT_UPLOAD_LIMIT:
        remarks.append(f"{size / 1e6:.1f} MB zipped is more than the 50 MB of a direct upload: publish it through S3")
    with open_storage(path) as storage:
        if lacks_bytecode(Contents.of_layer(storage, target)):
            remarks.append(
                f"no bytecode for {target.runtime.name}: it works, and every cold start compiles what it imports"
            )
    return tuple(remarks)


def tell_targets(
    path: str | os.PathLike[str], runtime: str | None = None, architecture: str | None = None
) -> tuple[Target, ...]:
    """Return what a layer's zip is for, by its file name.

    Args:
        path: The zip.
        runtime: Overrules the name.
        architecture: Overrules the name.

    Raises:
        UnsupportedTargetError: The name does not tell, or tells what Lambda does not offer.
    """
    name = Path(path).name
    targets = Target.in_file_name(name, runtime, architecture)
    if not targets:
        raise UnsupportedTargetError(
            f"the name {name} does not tell what it is for, as layer-python3.13-arm64.zip would; name the runtime and "
            "the architecture"
        )
    return targets


def _verify(path: str | os.PathLike[str], target: Target, *, run: bool) -> tuple[Finding, ...]:
    with open_storage(path) as storage:
        contents = Contents.of_layer(storage, target)
        read = tuple(finding for check in _CHECKS for finding in check(contents))
        # A layer with a known fault fails in the same way when it is imported.
        if read or not run or not target.fits_this_machine or not isinstance(storage, Zip):
            return read
        interpreter = find_interpreter(target.runtime)
        return tuple(probe(storage, contents, interpreter)) if interpreter else ()
