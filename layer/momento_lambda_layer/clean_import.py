"""A script for a bare interpreter: import from a layer, and report what that took.

It runs as ``python -I -S clean_import.py FOLDER MODULE...``, so that nothing but the standard library and the folder
is on ``sys.path``, as on Lambda. Its last line on standard output is JSON:

- ``protobuf``: the implementation in use (``upb``, ``python``), or null where there is no protobuf;
- ``compiled``: the sources in the folder, imported or not, whose bytecode Python did not accept.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path


def main(folder: str, modules: list[str]) -> None:
    """Import the modules from the folder and print the report."""
    sys.path.insert(0, folder)
    compiled = record_compilations(folder)
    for module in modules:
        import_everything_public(module)
    load_every_source(Path(folder))
    report = {"protobuf": protobuf_implementation(), "compiled": sorted(compiled)}
    sys.stdout.write(f"\n{json.dumps(report)}\n")


def record_compilations(folder: str) -> set[str]:
    """Return a set that will hold every source in the folder that Python compiles from now on."""
    compiled: set[str] = set()

    def hear(event: str, details: tuple[object, ...]) -> None:
        if event == "compile" and str(details[1]).startswith(folder):
            compiled.add(str(details[1]).removeprefix(folder).lstrip("/"))

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
        SourceFileLoader(source.stem, str(source)).get_code(source.stem)


def protobuf_implementation() -> str | None:
    """Return which implementation protobuf chose, or None if it was not imported."""
    if "google.protobuf" not in sys.modules:
        return None
    return str(import_module("google.protobuf.internal.api_implementation").Type())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
