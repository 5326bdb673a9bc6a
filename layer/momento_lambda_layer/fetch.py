"""The wheels of a target, fetched and unpacked by uv."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from momento_lambda_layer.distribution_names import normalized
from momento_lambda_layer.errors import FetchError
from momento_lambda_layer.resolve import explain, resolve, selection
from momento_lambda_layer.uv import run_uv

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from momento_lambda_layer.packages import Packages
    from momento_lambda_layer.resolve import Pin, Resolution
    from momento_lambda_layer.target import Target


@dataclass(frozen=True, order=True)
class Wheel:
    """A wheel that went into a layer.

    Attributes:
        name: Its distribution.
        version: The distribution's version.
        file: Its file name.
        sha256: Its hash, in hexadecimal.
    """

    name: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Fetched:
    """What a target got.

    Attributes:
        wheels: What was unpacked, sorted by name.
        left_out: What was not, since Lambda has it.
    """

    wheels: tuple[Wheel, ...]
    left_out: tuple[str, ...]


def fetch(tree: Path, target: Target, packages: Packages, *, offline: bool = False) -> Fetched:
    """Unpack the wheels that fit a target.

    Args:
        tree: The folder to unpack into; made if missing.
        target: What the wheels must run on.
        packages: What to fetch.
        offline: Take everything from uv's cache.

    Raises:
        FetchError: A wheel is not to be had, or is not the one that the lock names.
        MissingExtraError: uv is not installed.
    """
    resolution = resolve(packages, target, offline=offline)
    _unpack(resolution, tree, target, packages, offline=offline)
    unpacked = {normalized(wheel.metadata["Name"]): wheel for wheel in distributions(path=[str(tree)])}
    wheels = (_wheel(pin, unpacked[pin.name]) for pin in resolution.pins)
    return Fetched(tuple(sorted(wheels)), resolution.left_out)


def _unpack(resolution: Resolution, tree: Path, target: Target, packages: Packages, *, offline: bool) -> None:
    with TemporaryDirectory(prefix="momento-lambda-") as folder:
        requirements = Path(folder, "requirements.txt")
        lines = [*packages.sources(), *(pin.requirement for pin in resolution.pins)]
        requirements.write_text("\n".join(lines), encoding="utf-8")
        finished = run_uv(
            *("pip", "install", "--python", sys.executable, *selection(target)),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
            # Not links: what happens to the tree must not happen to uv's cache.
            *("--link-mode", "copy", "--target", tree, "--requirement", requirements),
            offline=offline,
        )
    if finished.returncode:
        raise FetchError(explain(finished.stderr, target, packages, offline=offline))


def _wheel(pin: Pin, unpacked: Distribution) -> Wheel:
    """Tell which of the wheels that would have fitted was taken, by the tags that it bears."""
    tags = set(re.findall(r"^Tag: (\S+)", unpacked.read_text("WHEEL") or "", re.MULTILINE))
    files = [file for file in pin.files if tags & _tags(file)] or sorted(pin.files)
    return Wheel(unpacked.metadata["Name"], pin.version, files[0], pin.files[files[0]])


def _tags(file: str) -> set[str]:
    """Return the tags in a wheel's file name, each written out."""
    pythons, abis, platforms = (part.split(".") for part in file.removesuffix(".whl").split("-")[-3:])
    return {f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms}
