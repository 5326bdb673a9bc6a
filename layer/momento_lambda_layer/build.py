"""The pipeline: from a lock to layers that are known to work."""

from __future__ import annotations

import os
import zlib
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING

from momento_lambda_layer.archive import hash_contents, hash_file, write_archive
from momento_lambda_layer.bytecode import Bytecode, compile_tree, find_compilers
from momento_lambda_layer.errors import VerificationError
from momento_lambda_layer.fetch import fetch
from momento_lambda_layer.layer import Layer
from momento_lambda_layer.library import copy_library, find_library
from momento_lambda_layer.manifest import render_manifest
from momento_lambda_layer.merge import merge
from momento_lambda_layer.packages import Packages
from momento_lambda_layer.plan import Plan
from momento_lambda_layer.progress import DONE, STEPS, ignore
from momento_lambda_layer.target import Target
from momento_lambda_layer.tree import files_in
from momento_lambda_layer.trim import trim
from momento_lambda_layer.verify import verify_layer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from momento_lambda_layer.fetch import Fetched
    from momento_lambda_layer.interpreters import Interpreter
    from momento_lambda_layer.library import Library
    from momento_lambda_layer.progress import Progress
    from momento_lambda_layer.target import Runtime

_FETCHING, _TRIMMING, _COMPILING, _PACKING, _VERIFYING = STEPS


def build_layer(
    output: str | os.PathLike[str],
    target: Target | Plan | None = None,
    *,
    packages: Packages | None = None,
    bytecode: Bytecode = Bytecode.AUTO,
    offline: bool = False,
    progress: Progress = ignore,
) -> Layer:
    """Build a layer, verify it, and write it with its manifest.

    Equal inputs give equal bytes. Nothing appears under its final name before it is complete and verified, so a
    failure or an interruption leaves an earlier layer as it was.

    Args:
        output: The folder to write to; made if missing.
        target: What to build for, one target or a plan for several: this machine's Python version and processor,
            unless given.
        packages: What to put in beside the library: what it needs, unless given.
        bytecode: For which of the runtimes to ship bytecode.
        offline: Take everything from uv's cache.
        progress: Hears of every step.

    Raises:
        UnsupportedTargetError: Lambda does not offer this machine's Python version or processor.
        MissingExtraError: A package of the `layer` extra is not installed.
        FetchError: A wheel is not to be had.
        InterpreterError: Bytecode is required, and no interpreter can write it.
        LibraryError: `momento_lambda` is not installed, or a source does not compile.
        VerificationError: What was built has faults.
    """
    plan = target if isinstance(target, Plan) else Plan.of(target or Target.of_this_machine())
    compilers = find_compilers(plan.runtimes, bytecode)
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    # Inside the output folder, because only within one file system is a move all or nothing.
    with TemporaryDirectory(prefix=".momento-lambda-", dir=output) as folder:
        scratch = Path(folder)
        library = find_library()
        fetched = _assemble(scratch, plan, library, packages or Packages(), offline=offline, progress=progress)
        progress(plan, _COMPILING)
        for runtime, compiler in compilers.items():
            compile_tree(scratch / "python", runtime, compiler)
        progress(plan, _PACKING)
        layer = _pack(scratch, output, plan, library, fetched, bytecode=bytecode, compilers=compilers)
        progress(plan, _VERIFYING)
        _verify(scratch / layer.path.name, plan)
        for path in (layer.path, layer.manifest_path):
            (scratch / path.name).replace(path)
    progress(plan, DONE)
    return layer


def build_layers(
    output: str | os.PathLike[str],
    plans: Sequence[Plan],
    *,
    jobs: int | None = None,
    packages: Packages | None = None,
    bytecode: Bytecode = Bytecode.AUTO,
    offline: bool = False,
    progress: Progress = ignore,
) -> tuple[Layer, ...]:
    """Build several layers side by side.

    The first failure, or Ctrl-C, ends the others at their next step; what is complete by then stays.

    Args:
        output: The folder to write to; made if missing.
        plans: One for each layer.
        jobs: How many at a time: as many as there are processors, unless given.
        packages: As for `build_layer`, like all that follows.
        bytecode: For which of the runtimes to ship bytecode.
        offline: Take everything from uv's cache.
        progress: Hears of every step.

    Returns:
        The layers, in the order of the plans.
    """
    # Before anything is built: what cannot be compiled at the end need not be begun.
    for plan in plans:
        find_compilers(plan.runtimes, bytecode)
    stop = Event()

    def build(plan: Plan) -> Layer:
        return build_layer(
            output,
            plan,
            packages=packages,
            bytecode=bytecode,
            offline=offline,
            progress=_stopping(stop, progress),
        )

    executor = ThreadPoolExecutor(jobs or os.cpu_count())  # the work is done by other programs and by zlib
    try:
        building = [executor.submit(build, plan) for plan in plans]
        for layer in wait(building, return_when=FIRST_EXCEPTION).done:
            layer.result()
        return tuple(layer.result() for layer in building)
    finally:
        # Nothing is left to stop, unless something failed or Ctrl-C was pressed.
        stop.set()
        executor.shutdown(cancel_futures=True)


def _stopping(stop: Event, progress: Progress) -> Progress:
    """Return what hears of steps, and ends a build at the next one after it is told to."""

    def hear(plan: Plan, step: str) -> None:
        if stop.is_set():
            raise CancelledError
        progress(plan, step)

    return hear


def _assemble(
    scratch: Path, plan: Plan, library: Library, packages: Packages, *, offline: bool, progress: Progress
) -> list[Fetched]:
    """Put the sources of a layer into the folder `python`."""
    progress(plan, _FETCHING)
    trees = {target.runtime: scratch / target.runtime.name for target in plan.targets}
    fetched = [fetch(trees[target.runtime], target, packages, offline=offline) for target in plan.targets]
    progress(plan, _TRIMMING)
    for tree in trees.values():
        copy_library(library, tree)
        trim(tree)
    if len(trees) == 1:
        trees[plan.runtimes[0]].rename(scratch / "python")
    else:
        merge(trees, scratch / "python")
    return fetched


def _pack(
    scratch: Path,
    output: Path,
    plan: Plan,
    library: Library,
    fetched: Sequence[Fetched],
    *,
    bytecode: Bytecode,
    compilers: Mapping[Runtime, Interpreter],
) -> Layer:
    """Write the zip and the manifest into the scratch folder, and describe them where they will be."""
    tree = scratch / "python"
    archive = scratch / f"{plan.stem}.zip"
    write_archive(tree, archive, prefix="python/")
    files = files_in(tree)
    layer = Layer(
        path=output / archive.name,
        manifest_path=output / f"{plan.stem}.json",
        plan=plan,
        version=library.version,
        wheels=tuple(sorted({wheel for each in fetched for wheel in each.wheels})),
        left_out=tuple(sorted({name for each in fetched for name in each.left_out})),
        bytecode=bytecode,
        compilers={runtime.version: compiler.version for runtime, compiler in compilers.items()},
        tools={"uv": version("uv"), "zlib": zlib.ZLIB_RUNTIME_VERSION},
        sha256=hash_file(archive),
        content_sha256=hash_contents(tree),
        file_count=len(files),
        zipped_bytes=archive.stat().st_size,
        unzipped_bytes=sum((tree / name).stat().st_size for name in files),
    )
    (scratch / layer.manifest_path.name).write_text(render_manifest(layer), encoding="utf-8", newline="\n")
    return layer


def _verify(path: Path, plan: Plan) -> None:
    findings = dict.fromkeys(finding for target in plan.targets for finding in verify_layer(path, target))
    if findings:
        raise VerificationError(tuple(findings))
