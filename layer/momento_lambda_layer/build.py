"""The pipeline: from a lock to a layer that is known to work."""

from __future__ import annotations

import platform
import zlib
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from momento_lambda_layer.archive import hash_file, write_archive
from momento_lambda_layer.bytecode import compile_tree
from momento_lambda_layer.errors import VerificationError
from momento_lambda_layer.fetch import fetch
from momento_lambda_layer.layer import Layer
from momento_lambda_layer.library import copy_library, find_library
from momento_lambda_layer.manifest import render_manifest
from momento_lambda_layer.target import Target
from momento_lambda_layer.tree import files_in
from momento_lambda_layer.trim import trim
from momento_lambda_layer.verify import verify_layer

if TYPE_CHECKING:
    import os


def build_layer(output: str | os.PathLike[str], target: Target | None = None, *, offline: bool = False) -> Layer:
    """Build a layer, verify it, and write it with its manifest.

    Equal inputs give equal bytes. Nothing appears under its final name before it is complete and verified, so a
    failure or an interruption leaves an earlier layer as it was.

    Args:
        output: The folder to write to; made if missing.
        target: What to build for: this machine's Python version and processor, unless given.
        offline: Take wheels from uv's cache alone.

    Raises:
        UnsupportedTargetError: Lambda does not offer this machine's Python version or processor.
        MissingExtraError: uv or pyelftools is not installed.
        FetchError: A wheel is not to be had.
        LibraryError: `momento_lambda` is not installed, or does not compile.
        VerificationError: What was built has faults.
    """
    target = target or Target.of_this_machine()
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    # Inside the output folder, because only within one file system is a move all or nothing.
    with TemporaryDirectory(prefix=".momento-lambda-", dir=output) as scratch:
        layer = _build(Path(scratch), output, target, offline=offline)
        findings = verify_layer(Path(scratch, layer.path.name), target)
        if findings:
            raise VerificationError(findings)
        for path in (layer.path, layer.manifest_path):
            Path(scratch, path.name).replace(path)
    return layer


def _build(scratch: Path, output: Path, target: Target, *, offline: bool) -> Layer:
    """Write the zip and the manifest into the scratch folder, and describe them where they will be."""
    tree = scratch / "python"
    library = find_library()
    wheels = fetch(tree, target, offline=offline)
    copy_library(library, tree)
    trim(tree)
    bytecode = compile_tree(tree, target)
    stem = f"momento-lambda-{target.runtime.name}-{target.architecture.name}"
    archive = scratch / f"{stem}.zip"
    write_archive(tree, archive, prefix="python/")
    files = files_in(tree)
    layer = Layer(
        path=output / archive.name,
        manifest_path=output / f"{stem}.json",
        target=target,
        version=library.version,
        wheels=wheels,
        bytecode=bytecode,
        tools=_tools(),
        sha256=hash_file(archive),
        file_count=len(files),
        zipped_bytes=archive.stat().st_size,
        unzipped_bytes=sum((tree / name).stat().st_size for name in files),
    )
    (scratch / layer.manifest_path.name).write_text(render_manifest(layer), encoding="utf-8", newline="\n")
    return layer


def _tools() -> dict[str, str]:
    return {"python": platform.python_version(), "uv": version("uv"), "zlib": zlib.ZLIB_RUNTIME_VERSION}
