"""uv, the program that resolves, fetches and unpacks wheels."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from momento_lambda_layer.errors import MissingExtraError
from momento_lambda_layer.process import run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


# It asks sysconfig, which answers wrongly when two threads are the first to ask.
_asking = Lock()


def run_uv(*arguments: str | Path, offline: bool) -> subprocess.CompletedProcess[str]:
    """Run uv to its end; its exit code is the caller's to judge.

    Args:
        arguments: The command and its options.
        offline: Take everything from uv's cache.

    Raises:
        MissingExtraError: uv is not installed.
    """
    quiet = ("--quiet", "--color", "never", "--no-python-downloads")
    return run([find_uv(), *arguments, *quiet, *(["--offline"] if offline else [])])


def find_uv() -> str:
    """Return the path of uv's program.

    Raises:
        MissingExtraError: uv is not installed.
    """
    try:
        from uv import find_uv_bin  # noqa: PLC0415  # an optional extra, asked for only when needed

        with _asking:
            return find_uv_bin()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise MissingExtraError("uv") from error
