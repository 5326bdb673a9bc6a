"""Bytecode that survives on Lambda.

``/opt`` is read-only, so what is not compiled at build time is compiled at every cold start. Bytecode with a
timestamp is of no use: a zip rounds times, the timestamps no longer match, and Python compiles again. Bytecode
with an unchecked hash is taken as it is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from momento_lambda_layer.errors import LibraryError
from momento_lambda_layer.process import one_line, run

if TYPE_CHECKING:
    from pathlib import Path

    from momento_lambda_layer.target import Target

# Where Lambda unpacks the `python` folder of a layer: tracebacks name these paths.
MOUNT = "/opt/python"


def compile_tree(tree: Path, target: Target) -> str | None:
    """Compile every source in a tree for a target.

    Returns:
        The Python version that the bytecode is for, or None when no interpreter of that version is at hand: the
        layer then carries sources alone and works, with slower cold starts.

    Raises:
        LibraryError: A source does not compile.
    """
    if sys.version_info[:2] != (3, target.runtime.minor):
        return None
    # In a process of its own, and an isolated one: how constants are written down depends on what else the
    # process has interned, and equal inputs must give equal bytes.
    interpreter = (sys.executable, "-I", "-S", "-m", "compileall")
    options = ("-q", "--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", MOUNT)
    finished = run([*interpreter, *options, str(tree)])
    if finished.returncode:
        raise LibraryError(f"a source does not compile: {one_line(finished.stdout + finished.stderr)}")
    return target.runtime.version
