"""A layer's zip with all that Lambda is told about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from momento_lambda_layer.archive import hash_file
from momento_lambda_layer.errors import UnreadableZipError
from momento_lambda_layer.publish_errors import PublishError
from momento_lambda_layer.target import Target
from momento_lambda_layer.verify import tell_targets

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

LICENCE = "Apache-2.0. Each package inside has its own licence in its dist-info folder."


@dataclass(frozen=True, kw_only=True)
class Release:
    """A layer, ready to be published.

    Attributes:
        path: The zip.
        name: Of the layer on Lambda.
        sha256: Of the zip, in hexadecimal.
        size: Of the zip, in bytes.
        targets: What it runs on: one architecture, one runtime or several.
        description: Its contents for a person: version, target and hash.
        licence: What Lambda shows as its licence.
    """

    path: Path
    name: str
    sha256: str
    size: int
    targets: tuple[Target, ...]
    description: str
    licence: str

    @classmethod
    def of(
        cls,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        runtimes: Iterable[str] = (),
        architecture: str | None = None,
        licence: str = LICENCE,
    ) -> Release:
        """Read a zip, and the manifest beside it if there is one.

        Args:
            path: The zip.
            name: Of the layer on Lambda; the file's, unless given.
            runtimes: What it runs on, as ``3.13``; told by the manifest or else by the file name, unless given.
            architecture: The processor it is for; told by the manifest or else by the file name, unless given.
            licence: What Lambda is to show as its licence.

        Raises:
            UnreadableZipError: The file is not there.
            UnsupportedTargetError: Nothing tells what it is for, or Lambda does not offer that.
            PublishError: The manifest is about another zip.
        """
        path = Path(path)
        try:
            sha256, size = hash_file(path), path.stat().st_size
        except OSError as error:
            raise UnreadableZipError(f"{path} cannot be read: {error.strerror}") from error
        manifest = _manifest(path.with_suffix(".json"), sha256)
        targets = _targets(path, manifest, runtimes, architecture)
        return cls(
            path=path,
            # Lambda allows no dots in a name.
            name=name or path.stem.replace(".", ""),
            sha256=sha256,
            size=size,
            targets=targets,
            description=_description(manifest, targets, sha256),
            licence=licence,
        )

    @property
    def runtimes(self) -> list[str]:
        """The runtimes, in Lambda's words."""
        return [target.runtime.name for target in self.targets]

    @property
    def architectures(self) -> list[str]:
        """The architectures, in Lambda's words."""
        return list(dict.fromkeys(target.architecture.name for target in self.targets))


def _manifest(path: Path, sha256: str) -> dict[str, Any]:
    """Return the manifest beside a zip, or an empty one: anybody's layer can be published."""
    if not path.exists():
        return {}
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError as error:
        raise PublishError(f"the manifest {path} is not JSON: {error}; build the layer again, or remove it") from error
    if not isinstance(manifest, dict) or manifest.get("sha256") != sha256:
        raise PublishError(f"the manifest {path} is about another zip: build the layer again, or remove it")
    return manifest


def _targets(
    path: Path, manifest: dict[str, Any], runtimes: Iterable[str], architecture: str | None
) -> tuple[Target, ...]:
    named: list[str | None] = [*dict.fromkeys(runtimes)] or [None]
    if manifest.get("targets") and named == [None] and architecture is None:
        return tuple(Target.of(stated["runtime"], stated["architecture"]) for stated in manifest["targets"])
    return tuple(target for runtime in named for target in tell_targets(path, runtime, architecture))


def _description(manifest: dict[str, Any], targets: tuple[Target, ...], sha256: str) -> str:
    what = f"{manifest['name']} {manifest['version']} for " if {"name", "version"} <= manifest.keys() else ""
    runtimes = ", ".join(target.runtime.name for target in targets)
    return f"{what}{runtimes} on {targets[0].architecture.name}, sha256 {sha256}"
