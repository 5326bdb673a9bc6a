"""Whether the bytecode in a layer is of use: what Python does not accept, every cold start compiles again."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from momento_lambda_layer.finding import Fault, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from momento_lambda_layer.contents import Contents

# PEP 552: the magic number, then flags that say how to tell whether the bytecode is current.
_HEADER = struct.Struct("<HHL")
_UNCHECKED_HASH = 0b01


def check_bytecode(contents: Contents) -> Iterator[Finding]:
    """All bytecode for the target is accepted as it is, and no source goes without.

    A layer of sources alone is in order, and so is bytecode for other runtimes that it serves as well.
    """
    compiled = {path: name for path, name in contents.modules.items() if _is_for(path, contents.target.runtime.minor)}
    if compiled:
        foreign = _foreign(contents, compiled)
        yield from _finding("is for another Python", foreign, contents)
        yield from _finding("is not marked unchecked-hash", _checked(contents, compiled), contents)
        if not foreign:
            yield from _finding("is missing", _uncompiled(contents, compiled), contents)


def lacks_bytecode(contents: Contents) -> bool:
    """Tell whether there are sources for the target, and no bytecode for it."""
    paths = contents.modules
    return any(path.endswith(".py") for path in paths) and not any(
        _is_for(path, contents.target.runtime.minor) for path in paths
    )


def _finding(what: str, files: tuple[str, ...], contents: Contents) -> Iterator[Finding]:
    if files:
        compiler = f"{contents.target.runtime.name} -m compileall --invalidation-mode unchecked-hash"
        yield Finding(
            Fault.BYTECODE,
            files,
            f"no error: bytecode {what}, so every cold start spends its time compiling",
            f"run {compiler} on the folder, then zip again",
        )


def _foreign(contents: Contents, compiled: dict[str, str]) -> tuple[str, ...]:
    magic = contents.target.runtime.magic
    return tuple(name for name in compiled.values() if _header(contents, name)[0] != magic)


def _checked(contents: Contents, compiled: dict[str, str]) -> tuple[str, ...]:
    return tuple(name for name in compiled.values() if _header(contents, name)[1] != _UNCHECKED_HASH)


def _uncompiled(contents: Contents, compiled: dict[str, str]) -> tuple[str, ...]:
    sources = ((path, name) for path, name in contents.modules.items() if path.endswith(".py"))
    return tuple(name for path, name in sources if _cached(path, contents.target.runtime.minor) not in compiled)


def _is_for(path: str, minor: int) -> bool:
    return path.endswith(f".cpython-3{minor}.pyc") and path.split("/")[-2:-1] == ["__pycache__"]


def _cached(path: str, minor: int) -> str:
    folder, slash, file = path.rpartition("/")
    return f"{folder}{slash}__pycache__/{file.removesuffix('.py')}.cpython-3{minor}.pyc"


def _header(contents: Contents, name: str) -> tuple[int, int]:
    """Return the magic number and the flags; a file too short to have them gets zeros."""
    magic, _, flags = _HEADER.unpack(contents.read(name, _HEADER.size).ljust(_HEADER.size, b"\0"))
    return magic, flags
