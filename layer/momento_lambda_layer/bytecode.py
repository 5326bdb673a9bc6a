"""Bytecode that survives on Lambda.

``/opt`` is read-only, so what is not compiled at build time is compiled at every cold start. Bytecode with a
timestamp is of no use: a zip rounds times, the timestamps no longer match, and Python compiles again. Bytecode
with an unchecked hash is taken as it is.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from momento_lambda_layer.errors import InterpreterError, LibraryError
from momento_lambda_layer.interpreters import Interpreter, find_interpreter
from momento_lambda_layer.process import one_line, run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from momento_lambda_layer.target import Runtime

# Where Lambda unpacks the `python` folder of a layer: tracebacks name these paths.
MOUNT = "/opt/python"


class Bytecode(StrEnum):
    """For which Python versions a layer gets bytecode."""

    REQUIRE = "require"
    """For all that it serves, or it is not built."""
    AUTO = "auto"
    """For those whose interpreter is on this machine. The layer works without, with slower cold starts."""
    NONE = "none"
    """For none."""


def find_compilers(runtimes: Iterable[Runtime], mode: Bytecode) -> dict[Runtime, Interpreter]:
    """Return the interpreters that will write bytecode, by the runtime that it is for.

    Raises:
        InterpreterError: Bytecode is required, and an interpreter is missing.
    """
    if mode is Bytecode.NONE:
        return {}
    found = {runtime: find_interpreter(runtime) for runtime in runtimes}
    missing = [runtime.name for runtime, interpreter in found.items() if interpreter is None]
    if missing and mode is Bytecode.REQUIRE:
        raise InterpreterError(
            f"bytecode is required, and {', '.join(missing)} is not on this machine: put it on the PATH, install it "
            f"with `uv python install {' '.join(name.removeprefix('python') for name in missing)}`, or build with "
            "--bytecode auto"
        )
    return {runtime: interpreter for runtime, interpreter in found.items() if interpreter}


def compile_tree(tree: Path, runtime: Runtime, compiler: Interpreter) -> None:
    """Compile every source in a tree that a runtime looks at; other runtimes' own folders are left alone.

    Raises:
        LibraryError: A source does not compile.
    """
    others = rf"^{re.escape(str(tree))}/lib/python3\.(?!{runtime.minor}/)"
    # In a process of its own, and an isolated one: how constants are written down depends on what else the
    # process has interned, and equal inputs must give equal bytes.
    interpreter = (compiler.path, "-I", "-S", "-m", "compileall")
    options = ("-q", "--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", MOUNT, "-x", others)
    finished = run([*interpreter, *options, str(tree)])
    if finished.returncode:
        raise LibraryError(
            f"a source does not compile for {runtime.name}: {one_line(finished.stdout + finished.stderr)}; leave it "
            "out, or build with --bytecode none"
        )
