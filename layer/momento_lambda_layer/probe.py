"""What can be told about a layer only by importing from it, where the target is this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypedDict

from momento_lambda_layer.finding import Fault, Finding
from momento_lambda_layer.process import last_line, run
from momento_lambda_layer.stale import lacks_bytecode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from momento_lambda_layer.contents import Contents
    from momento_lambda_layer.interpreters import Interpreter
    from momento_lambda_layer.storage import Zip


class _Report(TypedDict):
    """What the script prints; it says what each means."""

    protobuf: str | None
    compiled: list[str]


_SCRIPT = Path(__file__).with_name("clean_import.py")
# What a function imports, where the layer has it.
_MODULES = ("grpc", "google.protobuf", "momento_lambda")


def probe(layer: Zip, contents: Contents, interpreter: Interpreter) -> Iterator[Finding]:
    """Import from the unzipped layer in an interpreter that sees nothing else.

    This runs the code in the zip.
    """
    modules = [name for name in _MODULES if f"{name.replace('.', '/')}/__init__.py" in contents.modules]
    with TemporaryDirectory(prefix="momento-lambda-") as folder:
        layer.unpack(Path(folder))
        roots = os.pathsep.join(str(Path(folder, root)) for root in contents.import_roots)
        # An empty environment: variables such as PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION would change the answer.
        finished = run([interpreter.path, "-I", "-S", _SCRIPT, folder, roots, *modules], cwd=Path(folder), env={})
    if finished.returncode:
        yield Finding(
            Fault.IMPORT,
            (),
            last_line(finished.stderr),
            f"make what {', '.join(modules)} import part of the layer",
        )
    else:
        yield from _judge(json.loads(last_line(finished.stdout)), contents)


def _judge(report: _Report, contents: Contents) -> Iterator[Finding]:
    if report["protobuf"] not in ("upb", None):
        yield Finding(
            Fault.SLOW_PROTOBUF,
            (),
            f"no error: protobuf runs its {report['protobuf']} implementation, many times slower than upb",
            "install a protobuf wheel that names the target's platform",
        )
    if report["compiled"] and not lacks_bytecode(contents):
        yield Finding(
            Fault.BYTECODE,
            tuple(report["compiled"]),
            "no error: every cold start spends its time compiling these",
            f"run {contents.target.runtime.name} -m compileall --invalidation-mode unchecked-hash on the folder",
        )
