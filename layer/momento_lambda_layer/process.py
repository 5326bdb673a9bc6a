"""The one place that starts other programs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it said; its exit code is the caller's to judge.

    Args:
        command: The program and its arguments; no shell reads them.
        cwd: Where it runs; here, unless given.
        env: Its whole environment; that of this process, unless given.
        timeout_s: Seconds after which it is ended; never, unless given.

    Raises:
        subprocess.TimeoutExpired: It took longer.
    """
    return subprocess.run(  # noqa: S603  # callers pass uv or an interpreter, and no shell is involved
        command, cwd=cwd, env=env, timeout=timeout_s, capture_output=True, text=True, encoding="utf-8", check=False
    )


def last_line(text: str) -> str:
    """Return the last line that says something: where Python puts its reason."""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"


def one_line(text: str) -> str:
    """Return all that a program said, as one line."""
    return "; ".join(line.strip() for line in text.splitlines() if line.strip()) or "nothing"
