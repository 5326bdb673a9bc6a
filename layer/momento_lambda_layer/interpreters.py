"""The Python interpreters on this machine: bytecode of a version needs one, and so does an import to prove it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer.process import run
from momento_lambda_layer.uv import run_uv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from momento_lambda_layer.target import Runtime

_PATIENCE_S = 20
_QUESTION = """\
import importlib.util, json, platform, sys
magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
usual = sys.implementation.name == "cpython" and "t" not in sys.abiflags
print(json.dumps([sys.executable, platform.python_version(), magic if usual else 0]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs here.

    Attributes:
        path: Its program.
        version: Such as ``3.13.1``.
    """

    path: str
    version: str


@cache
def find_interpreter(runtime: Runtime) -> Interpreter | None:
    """Return an interpreter whose bytecode the runtime accepts, or None: this one, one on the PATH, or one of uv's.

    Each is asked what it is, because names deceive: a shim may lead nowhere, and a preview of a version writes bytecode
    that the version does not read. Nothing is downloaded.
    """
    for candidate in _candidates(runtime):
        found = _ask(candidate, runtime)
        if found:
            return found
    return None


def _candidates(runtime: Runtime) -> Iterator[str]:
    if sys.version_info[:2] == (3, runtime.minor):
        yield sys.executable
    for folder in os.get_exec_path():
        program = Path(folder, runtime.name)
        if program.is_file() and os.access(program, os.X_OK):
            yield str(program)
    # Last, since it looks at every interpreter of the machine.
    known = run_uv("python", "find", "--no-project", runtime.version, offline=True)
    if known.returncode == 0:
        yield known.stdout.strip()


def _ask(program: str, runtime: Runtime) -> Interpreter | None:
    """Return what a program is, or None where it is no interpreter that will do."""
    # A shim of pyenv only leads to versions that are switched on; this switches on the one that it is named after.
    environment = {**os.environ, "PYENV_VERSION": runtime.version}
    try:
        answer = run([program, "-I", "-S", "-c", _QUESTION], env=environment, timeout_s=_PATIENCE_S)
        path, version, magic = json.loads(answer.stdout) if answer.returncode == 0 else ("", "", 0)
    except (OSError, ValueError, subprocess.TimeoutExpired):  # it does not start, babbles, or hangs
        return None
    return Interpreter(path, version) if magic == runtime.magic else None
