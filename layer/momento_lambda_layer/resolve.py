"""Which wheels a target gets: the lock, and what a user adds under it, resolved by uv.

Nothing is ever built from source, since a build would be for this machine, and nothing that Lambda already has is
taken.
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from momento_lambda_layer.errors import FetchError
from momento_lambda_layer.process import one_line
from momento_lambda_layer.provided import PROVIDED_BY_LAMBDA
from momento_lambda_layer.uv import run_uv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from momento_lambda_layer.packages import Packages
    from momento_lambda_layer.target import Target


@dataclass(frozen=True)
class Pin:
    """A distribution at one version.

    Attributes:
        name: As PEP 503 compares it.
        version: The one version.
        files: The SHA-256 of each wheel of it that runs on the target, by its file name.
        address: Where the one wheel lies, where it comes from no index.
    """

    name: str
    version: str
    files: Mapping[str, str]
    address: str | None

    @property
    def requirement(self) -> str:
        """It as a line of a requirements file, with hashes."""
        what = f"{self.name} @ {self.address}" if self.address else f"{self.name}=={self.version}"
        return " ".join([what, *(f"--hash=sha256:{digest}" for digest in self.files.values())])


@dataclass(frozen=True)
class Resolution:
    """What a target gets.

    Attributes:
        pins: The distributions, sorted by name.
        left_out: What would be needed too, but is there on Lambda.
    """

    pins: tuple[Pin, ...]
    left_out: tuple[str, ...]


def resolve(packages: Packages, target: Target, *, offline: bool = False) -> Resolution:
    """Return the wheels that a target gets.

    Raises:
        FetchError: There is no answer, or a wheel is not the one that the lock or the user's file names.
        MissingExtraError: uv is not installed.
    """
    with TemporaryDirectory(prefix="momento-lambda-") as folder:
        answer = Path(folder, "pylock.toml")
        inputs = packages.write_requirements(Path(folder))
        # The lock is closed: only what a user adds can need more.
        depth = () if packages.added else ("--no-deps",)
        finished = run_uv(
            *("pip", "compile", "--format", "pylock.toml", "--no-header", "--output-file", answer),
            *("--python", sys.executable, "--only-binary", ":all:", *depth, *selection(target)),
            *(f"--no-emit-package={name}" for name in sorted(PROVIDED_BY_LAMBDA)),
            *inputs,
            offline=offline,
        )
        if finished.returncode:
            raise FetchError(explain(finished.stderr, target, packages, offline=offline))
        text = answer.read_text(encoding="utf-8")
    promised = packages.promised_hashes()
    pins = (_pin(package) for package in tomllib.loads(text)["packages"])
    return Resolution(tuple(_as_promised(pin, promised) for pin in pins), _left_out(text))


def selection(target: Target) -> tuple[str, ...]:
    """Return the options by which uv picks wheels for a target."""
    return ("--python-version", target.runtime.version, "--python-platform", target.uv_platform)


def explain(said: str, target: Target, packages: Packages, *, offline: bool) -> str:
    """Return the message for what uv could not do."""
    if offline:
        hint = f"uv's cache does not hold every wheel for {target}; run once without --offline"
    elif packages.added:
        hint = f"uv could not supply the wheels for {target}; what you add needs one there, since nothing is built"
    else:
        hint = f"uv could not supply the wheels for {target}"
    return f"{hint}. uv said: {one_line(said)}"


def _pin(package: dict[str, Any]) -> Pin:
    """Read what uv says of a distribution: wheels of an index, or one file."""
    wheels = package.get("wheels", [])
    if "archive" in package:
        wheels = [package["archive"]]
    if not wheels:
        raise FetchError(f"{package['name']} is no wheel; add it as one, since nothing is built from source")
    files = {_address(wheel): wheel["hashes"]["sha256"] for wheel in wheels}
    first = next(iter(files))
    return Pin(
        package["name"],
        package["version"],
        {unquote(urlsplit(address).path).rpartition("/")[2]: digest for address, digest in files.items()},
        first if "archive" in package or first.startswith("file:") else None,
    )


def _address(wheel: dict[str, Any]) -> str:
    return str(wheel.get("url") or Path(wheel["path"]).resolve().as_uri())


def _as_promised(pin: Pin, promised: Mapping[str, frozenset[str]]) -> Pin:
    """Leave of what an index offers the wheels that the lock knows: it may have got others since."""
    known = promised.get(pin.name)
    if known is None:
        return pin
    files = {name: digest for name, digest in pin.files.items() if digest in known}
    if not files:
        raise FetchError(f"{', '.join(pin.files)} is not the wheel that was locked: its hash is another")
    return replace(pin, files=files)


def _left_out(text: str) -> tuple[str, ...]:
    """Return what uv's comment at the end says it left out."""
    named = re.findall(r"^#\s+([a-z0-9-]+)$", text, re.MULTILINE)
    return tuple(sorted(PROVIDED_BY_LAMBDA.intersection(named)))
