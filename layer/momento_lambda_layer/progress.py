"""What a person sees while layers are built: a moving line for each on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from momento_lambda_layer.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from momento_lambda_layer.plan import Plan

Progress = Callable[["Plan", str], None]
"""What hears that a layer has come to a step, or is done; it may be called from several threads."""

STEPS = ("fetching wheels", "trimming", "compiling", "packing", "verifying")
DONE = "done"


def ignore(_plan: Plan, _step: str) -> None:
    """Hear of a step and say nothing."""


@contextmanager
def reporting(plans: Sequence[Plan]) -> Iterator[Progress]:
    """Show the progress of layers on standard error, as long as the context lasts.

    Raises:
        MissingExtraError: It is a terminal, and rich is not installed.
    """
    if not sys.stderr.isatty():
        yield _say
        return
    try:
        from rich import progress as shown  # noqa: PLC0415  # as above
        from rich.console import Console  # noqa: PLC0415  # an optional extra, and slow to import
    except ModuleNotFoundError as error:
        raise MissingExtraError("rich") from error
    columns = (
        shown.SpinnerColumn(),
        shown.TextColumn("{task.description}"),
        shown.BarColumn(),
        shown.TimeElapsedColumn(),
        shown.TextColumn("{task.fields[step]}"),
    )
    with shown.Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Rows(bars, plans)


def _say(plan: Plan, step: str) -> None:
    sys.stderr.write(f"{plan}: {step}\n")
    sys.stderr.flush()


class _Rows:
    """One row for each layer."""

    def __init__(self, bars: Bars, plans: Sequence[Plan]) -> None:
        self._bars = bars
        self._rows: dict[Plan, TaskID] = {
            plan: bars.add_task(str(plan), total=len(STEPS), start=False, step="waiting") for plan in plans
        }

    def __call__(self, plan: Plan, step: str) -> None:
        row = self._rows[plan]
        if step == DONE:
            self._bars.update(row, completed=len(STEPS), step=step)
            return
        if step == STEPS[0]:
            self._bars.start_task(row)
        self._bars.update(row, completed=STEPS.index(step), step=step)
