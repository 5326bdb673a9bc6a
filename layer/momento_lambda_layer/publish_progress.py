"""What a person sees while something is uploaded: a bar on a terminal, lines elsewhere; always on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def say(text: str) -> None:
    """Say that something was done. Standard output is for results."""
    sys.stderr.write(f"{text}\n")


@contextmanager
def uploading(what: str, size: int | None) -> Iterator[Callable[[int], object]]:
    """Show that an upload is under way.

    Args:
        what: What is uploaded, and where to.
        size: In bytes, or None where nobody tells how far it is.

    Yields:
        What to call with the number of bytes that went out.
    """
    # A terminal without rich gets lines: publishing needs boto3 alone.
    if not (sys.stderr.isatty() and find_spec("rich")):
        say(f"{what} ...")
        yield _ignore
        return
    from rich.console import Console  # noqa: PLC0415  # an optional extra, and slow to import
    from rich.progress import Progress  # noqa: PLC0415  # as above

    with Progress(console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task(what, total=size)
        yield lambda count: progress.advance(task, count)
    say(what)


def _ignore(_: int) -> None:
    """Hear how far an upload is, and say nothing."""
