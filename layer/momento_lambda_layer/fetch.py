"""The wheels of a target, picked by uv from the hashed lock."""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer.errors import FetchError, MissingExtraError
from momento_lambda_layer.process import one_line, run

if TYPE_CHECKING:
    from momento_lambda_layer.target import Target

LOCK = Path(__file__).with_name("lock.txt")


def fetch(tree: Path, target: Target, *, offline: bool = False) -> dict[str, str]:
    """Unpack the locked wheels that fit a target.

    Args:
        tree: The folder to unpack into; made if missing.
        target: What the wheels must run on.
        offline: Take wheels from uv's cache alone.

    Returns:
        The version of each distribution by its name, sorted by name.

    Raises:
        FetchError: A wheel is not to be had, or is not the one that the lock names.
        MissingExtraError: uv is not installed.
    """
    finished = run([find_uv(), *_arguments(tree, target), *(["--offline"] if offline else [])])
    if finished.returncode:
        raise FetchError(_explain(finished.stderr, target, offline=offline))
    found = {wheel.metadata["Name"]: wheel.version for wheel in distributions(path=[str(tree)])}
    return dict(sorted(found.items()))


def find_uv() -> str:
    """Return the path of uv's program.

    Raises:
        MissingExtraError: uv is not installed.
    """
    try:
        from uv import find_uv_bin  # noqa: PLC0415  # an optional extra, asked for only when needed

        return find_uv_bin()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise MissingExtraError("uv") from error


def _arguments(tree: Path, target: Target) -> list[str]:
    return [
        *("pip", "install", "--quiet", "--color", "never"),
        *("--python", sys.executable, "--no-python-downloads"),
        *("--python-version", target.runtime.version, "--python-platform", target.uv_platform),
        # The lock is the whole answer, and nothing is ever built here: a build would be for this machine.
        *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
        # Not links: what happens to the tree must not happen to uv's cache.
        *("--link-mode", "copy"),
        *("--target", str(tree), "--requirement", str(LOCK)),
    ]


def _explain(stderr: str, target: Target, *, offline: bool) -> str:
    said = one_line(stderr)
    if offline:
        return f"uv's cache does not hold every wheel for {target}; run once without --offline. uv said: {said}"
    return f"uv could not supply the wheels for {target}. uv said: {said}"
