"""A script for a bare interpreter: import from a layer, and report what that took.

It runs as ``python -I -S clean_import.py FOLDER ROOTS MODULE...``: the folder is the unzipped layer, and the roots,
with the path separator between them, are what goes on ``sys.path`` beside the standard library, as on Lambda.

Its last line on standard output is JSON:

- ``protobuf``: the implementation in use (``upb``, ``python``), or null where there is no protobuf;
- ``compiled``: the sources below the roots, imported or not, whose bytecode Python did not accept.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path

# Below `python`, what Python finds by another root, or never.
OTHER_VERSION = re.compile(r"lib/python3\.[0-9]+/")


def main(folder: str, roots: list[str], modules: list[str]) -> None:
    """Import the modules, load all other code, and print the report."""
    sys.path[:0] = roots
    compiled = record_compilations(f"{folder}/")
    for module in modules:
        import_everything_public(module)
    for root in roots:
        load_every_source(Path(root))
    report = {"protobuf": protobuf_implementation(), "compiled": sorted(compiled)}
    sys.stdout.write(f"\n{json.dumps(report)}\n")


def record_compilations(prefix: str) -> set[str]:
    """Return a set that will hold every source below a folder that Python compiles from now on."""
    compiled: set[str] = set()

    def hear(event: str, details: tuple[object, ...]) -> None:
        if event == "compile" and str(details[1]).startswith(prefix):
            compiled.add(str(details[1]).removeprefix(prefix))

    sys.addaudithook(hear)
    return compiled


def import_everything_public(name: str) -> None:
    """Import a module and resolve the names that it offers, since some modules import them on first use."""
    module = import_module(name)
    for public in getattr(module, "__all__", ()):
        getattr(module, public)


def load_every_source(folder: Path) -> None:
    """Load the code of every source in the folder, without running it."""
    for source in sorted(folder.rglob("*.py")):
        if OTHER_VERSION.match(source.relative_to(folder).as_posix()):
            continue
        # Some packages bring sources for other Python versions, which this one never imports.
        with suppress(SyntaxError):
            SourceFileLoader(source.stem, str(source)).get_code(source.stem)


def protobuf_implementation() -> str | None:
    """Return which implementation protobuf chose, or None if it was not imported."""
    if "google.protobuf" not in sys.modules:
        return None
    return str(import_module("google.protobuf.internal.api_implementation").Type())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].split(os.pathsep), sys.argv[3:])
