"""Whether the compiled parts of a layer load on its target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from momento_lambda_layer.elf import read_elf
from momento_lambda_layer.finding import Fault, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from momento_lambda_layer.contents import Contents
    from momento_lambda_layer.elf import Elf
    from momento_lambda_layer.target import Target

_LIBRARY = re.compile(r"\.so(\.[0-9]+)*$")
# Endings that claim a Python version; a plain library has none.
_TAGGED = re.compile(r"\.(abi3|cpython|graalpy|pypy)")


def check_extensions(contents: Contents) -> Iterator[Finding]:
    """Extension modules have the name, the processor and the needs that the target can meet."""
    libraries = {path: name for path, name in contents.modules.items() if _LIBRARY.search(path)}
    fitting = {_module(path) for path in libraries if not _is_foreign(path, contents.target)}
    for path, name in libraries.items():
        foreign = _is_foreign(path, contents.target)
        # Beside one that fits, those for other Python versions serve other runtimes.
        if not (foreign and _module(path) in fitting):
            if foreign:
                yield _other_python(path, name, contents.target)
            yield from _check_elf(name, contents)


def check_stable_abi(contents: Contents) -> Iterator[Finding]:
    """Extension modules for many Python versions are not for newer ones only: their names do not tell."""
    target = contents.target
    for name in contents.metadata_files("WHEEL"):
        oldest = [int(minor) for minor in re.findall(rb"^Tag: cp3([0-9]+)-abi3-", contents.read(name), re.MULTILINE)]
        if oldest and min(oldest) > target.runtime.minor:
            yield Finding(
                Fault.ABI,
                (name,),
                "ImportError: undefined symbol, from an extension module of this distribution",
                f"it needs Python 3.{min(oldest)} or newer: {_install(target)}",
            )


def _module(path: str) -> str:
    """Return an extension module's path without its ending, which is the same for every Python version."""
    folder, slash, file = path.rpartition("/")
    return f"{folder}{slash}{file.partition('.')[0]}"


def _is_foreign(path: str, target: Target) -> bool:
    """Tell whether a file's name claims another Python version or processor."""
    ending = f".{path.rpartition('/')[2].partition('.')[2]}"
    return bool(_TAGGED.match(ending)) and ending not in target.extension_suffixes


def _other_python(path: str, name: str, target: Target) -> Finding:
    package, _, module = _module(path).rpartition("/")
    within = f" from '{package.replace('/', '.')}'" if package else ""
    return Finding(
        Fault.ABI,
        (name,),
        f"ImportError: cannot import name '{module}'{within}",
        f"{target.runtime.name} looks for {module}{target.extension_suffixes[0]}: {_install(target)}",
    )


def _check_elf(name: str, contents: Contents) -> Iterator[Finding]:
    elf, target = read_elf(contents.read(name)), contents.target
    place = f"{contents.mount}/{name}"
    if elf is None:
        yield Finding(Fault.MACHINE, (name,), f"ImportError: {place}: invalid ELF header", _install(target))
    elif elf.machine != target.architecture.elf:
        yield Finding(
            Fault.MACHINE,
            (name,),
            f"ImportError: {place}: cannot open shared object file: No such file or directory",
            f"it was compiled for another processor ({elf.machine}): {_install(target)}",
        )
    else:
        yield from _check_needs(place, name, elf, target)


def _check_needs(place: str, name: str, elf: Elf, target: Target) -> Iterator[Finding]:
    system = target.runtime.system
    for need in elf.newest_needs():
        newest = system.newest(need.family)
        if newest is not None and need.version > newest:
            offered = ".".join(map(str, newest))
            yield Finding(
                Fault.SYSTEM_LIBRARY,
                (name,),
                f"ImportError: {need.library}: version `{need.symbol}' not found (required by {place})",
                f"{target.runtime.name} runs on {system.name}, with {need.family}_{offered}: {_install(target)}",
            )


def _install(target: Target) -> str:
    return (
        f"install its wheel with uv pip install --only-binary :all: "
        f"--python-version {target.runtime.version} --python-platform {target.uv_platform}"
    )
