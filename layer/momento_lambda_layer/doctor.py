"""The judgement on a function together with its layers: each by itself, and what they do to one another."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer.checks import (
    UNZIPPED_LIMIT,
    check_layout,
    check_permissions,
    check_protobuf,
)
from momento_lambda_layer.contents import Contents
from momento_lambda_layer.copies import check_provided, find_copies, places_in
from momento_lambda_layer.extensions import check_extensions, check_stable_abi
from momento_lambda_layer.finding import Fault, Finding
from momento_lambda_layer.requirements import find_missing, read_distributions
from momento_lambda_layer.stale import check_bytecode
from momento_lambda_layer.storage import open_storage

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from momento_lambda_layer.storage import Storage
    from momento_lambda_layer.target import Target

LAYER_LIMIT = 5
# The folders below /opt that Lambda knows.
_OF_A_LAYER = re.compile(r"(bin|extensions|lib|python)/")
_EACH = (check_extensions, check_stable_abi, check_protobuf, check_provided)
# Of a function's own folder it is not yet known what a zip of it will look like.
_LAYERS = (check_layout, check_permissions, check_bytecode)


@dataclass(frozen=True)
class Part:
    """A function or a layer.

    Attributes:
        name: What the user called it.
        contents: What it holds.
        is_layer: Whether it is a layer.
    """

    name: str
    contents: Contents
    is_layer: bool


def diagnose(paths: Sequence[str | os.PathLike[str]], target: Target) -> tuple[Finding, ...]:
    """Return what is wrong with a function and its layers, or nothing. None of their code is run.

    Args:
        paths: Folders or zips: the function's, and its layers' in the order in which the function names them. What
            holds its code below ``python/`` is a layer.
        target: What they are for.

    Raises:
        UnreadableZipError: A path is missing, or a zip that is damaged.
        MissingExtraError: A package of the `layer` extra is not installed.
    """
    with ExitStack() as stack:
        parts = [_part(Path(path), stack.enter_context(open_storage(path)), target) for path in paths]
        return tuple(dict.fromkeys([*_each(parts), *_together(parts, target)]))


def _part(path: Path, storage: Storage, target: Target) -> Part:
    layer, function = Contents.of_layer(storage, target), Contents.of_function(storage, target)
    code = [file.name for file in function.files if file.name.endswith((".py", ".pyc", ".so"))]
    is_layer = any(name.startswith("python/") for name in code) and all(map(_OF_A_LAYER.match, code))
    return Part(str(path), layer if is_layer else function, is_layer)


def _each(parts: Sequence[Part]) -> Iterator[Finding]:
    for part in parts:
        for check in (*_EACH, *(_LAYERS if part.is_layer else ())):
            for finding in check(part.contents):
                files = tuple(f"{part.name}: {file}" for file in finding.files)
                yield replace(finding, files=files or (part.name,))


def _together(parts: Sequence[Part], target: Target) -> Iterator[Finding]:
    yield from find_missing([each for part in parts for each in read_distributions(part.contents)], target)
    yield from find_copies([place for part in _on_the_path(parts) for place in places_in(part.contents, part.name)])
    yield from _limits(parts)


def _on_the_path(parts: Sequence[Part]) -> list[Part]:
    """Return the parts as Python comes upon them: the function, then layers, the later ones over the earlier."""
    functions = [part for part in parts if not part.is_layer]
    return [*functions, *reversed([part for part in parts if part.is_layer])]


def _limits(parts: Sequence[Part]) -> Iterator[Finding]:
    size = sum(part.contents.unzipped_bytes for part in parts)
    if size > UNZIPPED_LIMIT:
        yield Finding(
            Fault.SIZE,
            tuple(f"{part.name}: {part.contents.unzipped_bytes} bytes" for part in parts),
            "InvalidParameterValueException: Function code combined with layers exceeds the maximum allowed size of "
            f"{UNZIPPED_LIMIT} bytes",
            f"leave something out: together they take up {size} bytes",
        )
    layers = [part.name for part in parts if part.is_layer]
    if len(layers) > LAYER_LIMIT:
        yield Finding(
            Fault.LAYER_COUNT,
            tuple(layers),
            f"InvalidParameterValueException: Cannot reference more than {LAYER_LIMIT} layers",
            "put what several layers hold into one",
        )
