"""What is in a layer's zip, as text for a person."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from momento_lambda_layer.checks import UNZIPPED_LIMIT
from momento_lambda_layer.elf import read_elf
from momento_lambda_layer.requirements import distribution_of
from momento_lambda_layer.storage import open_storage
from momento_lambda_layer.trim import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from momento_lambda_layer.storage import File, Storage
    from momento_lambda_layer.trim import Rule

_IMPORT_ROOT = re.compile(r"^python/(lib/python3\.[0-9]+/site-packages/)?")


def inspect_layer(path: Path) -> str:
    """Return a description of a layer's zip: sizes, distributions, compiled parts, bytecode, and what could go.

    Raises:
        UnreadableZipError: It is missing, no zip, or damaged.
        MissingExtraError: pyelftools is not installed.
    """
    with open_storage(path) as storage:
        files = storage.files()
        sections = {
            "distributions": sorted({*_distributions(storage, files)}),
            "compiled parts": [*_libraries(storage, files)],
            "bytecode": [*_bytecode(files)],
            "trim rules, and what they would still take out": [_applied(rule, files) for rule in RULES],
        }
    sizes = f"{path.stat().st_size / 1e6:.1f} MB zipped, {sum(file.size for file in files) / 1e6:.1f} MB unzipped"
    lines = [str(path), f"  {len(files)} files, {sizes} of the {UNZIPPED_LIMIT / 1e6:.1f} MB that Lambda allows"]
    for title, content in sections.items():
        lines += ["", title, *(f"  {line}" for line in content or ["none"])]
    return "\n".join(lines)


def _distributions(storage: Storage, files: tuple[File, ...]) -> Iterator[str]:
    for file in files:
        if file.name.endswith(".dist-info/METADATA"):
            found = distribution_of(file.name, storage.read(file.name))
            yield f"{found.name} {found.version}"


def _libraries(storage: Storage, files: tuple[File, ...]) -> Iterator[str]:
    for file in files:
        if re.search(r"\.so(\.[0-9]+)*$", file.name):
            elf = read_elf(storage.read(file.name))
            what = f"{elf.machine} {' '.join(need.symbol for need in elf.newest_needs())}" if elf else "not for Linux"
            yield f"{file.name}  {what.removeprefix('EM_')}  {file.size / 1e6:.1f} MB"


def _bytecode(files: tuple[File, ...]) -> Iterator[str]:
    names = (re.search(r"\.cpython-3([0-9]+)\.pyc$", file.name) for file in files)
    for minor, count in sorted(Counter(int(name[1]) for name in names if name).items()):
        yield f"python3.{minor}: {count} files"


def _applied(rule: Rule, files: tuple[File, ...]) -> str:
    sizes = {_IMPORT_ROOT.sub("", file.name): file.size for file in files}
    # Bytecode is taken out before the target's is made.
    found = [] if rule.name == "foreign bytecode" else rule.select(sizes)
    kept = f"{len(found)} files, {sum(sizes[name] for name in found)} bytes" if found else "nothing"
    return f"{rule.name}: {rule.reason} ({kept})"
