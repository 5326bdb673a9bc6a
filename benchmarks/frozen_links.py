"""What the first invocations after a freeze cost where the connection did not outlive it: this library, and the SDK.

Two functions run at the same time on Lambda's own runtime client, each in a process that is stopped between two
events: one with this library's `@cached`, one with the official SDK in its configuration for Lambda. While both stand
still, the same thing happens to the connection of each.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.links.bundle import function_folder
from benchmarks.links.site import TROUBLES, Site, Trouble
from benchmarks.report import Report, arguments, publish
from momento_lambda.testing import LocalLambda, local_lambda_available

FUNCTIONS = Path(__file__).with_name("links") / "functions"
CLIENTS = {"ours": (), "official": ("momento", "momento-wire-types", "PyJWT")}
"""The functions, and what each needs beside this library."""

FREEZES = ("1m", "5m")
WARM_INVOCATIONS = 20
AFTERWARDS = 2


@dataclass
class Outcome:
    """What was found of one client in one trouble.

    Attributes:
        warm: Milliseconds of warm invocations.
        after: Of the first invocations after the thaw, the milliseconds and where the answer came from.
    """

    warm: list[float] = field(default_factory=list)
    after: list[list[tuple[float, str]]] = field(default_factory=lambda: [[] for _ in range(AFTERWARDS)])


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    if not local_lambda_available():
        sys.exit("frozen_links.py needs awslambdaric, which has wheels for Linux alone")
    with tempfile.TemporaryDirectory(prefix="momento-lambda-links-") as folder:
        folders = {
            client: function_folder(Path(folder) / client, FUNCTIONS / f"{client}.py", *needs)
            for client, needs in CLIENTS.items()
        }
        rows = [
            row
            for trouble in TROUBLES
            for freeze in (FREEZES[:1] if told.quick else FREEZES)
            for row in _rows(trouble, freeze, measure(folders, trouble, freeze, quick=told.quick))
        ]
    publish(report(rows), write=told.write)


def measure(folders: dict[str, Path], trouble: Trouble, freeze: str, *, quick: bool) -> dict[str, Outcome]:
    """Bring a trouble about for all clients at the same time, three times unless it is to be quick."""
    outcomes = {client: Outcome() for client in folders}
    for _ in range(1 if quick else 3):
        with ExitStack() as running:
            places = {client: running.enter_context(_place(folder, trouble)) for client, folder in folders.items()}
            for client, (_, function) in places.items():
                outcomes[client].warm += [_invoke(function)[0] for _ in range(WARM_INVOCATIONS + 1)][1:]
            for site, function in places.values():
                function.freeze()
                site.strike()
            if not quick:
                # In truth, since it is gRPC that counts, whose clock does not move for us.
                time.sleep(trouble.name_rests)
            for client, (_, function) in places.items():
                function.thaw(freeze)
                for found in outcomes[client].after:
                    found.append(_invoke(function))
    return outcomes


def report(rows: Sequence[Sequence[str]]) -> Report:
    """Return the table."""
    return Report(
        title="Connections that did not outlive a freeze",
        about=(
            "Two functions look a user up, beside a loader that takes no time: one through `@cached`, the other with "
            "the official SDK 1.29.1 (its synchronous client, `Configurations.Lambda.latest()`).\n"
            "Each runs in a local Lambda and is stopped; then its connection meets with something, its clocks move on "
            "by a minute or by five, and it is invoked twice. Medians of three runs; a warm one is an invocation that "
            "hits, before the freeze.\n"
            "GOAWAY: the server says goodbye to its clients, and an empty one takes its place. Silent drop: what is "
            "sent goes nowhere, yet is acknowledged, as behind some middleboxes. Server restarted: on the same port, "
            "empty. Address changed: the name leads to another address, and the old one resets and refuses; gRPC "
            "looks a name up at most every 30 s by a clock of its own, so here the functions stood still for 35 s in "
            "truth.\n"
            "An empty server cannot but miss, so the first answer is the loader's. This library's operations may take "
            "0.25 s, the SDK's 1.1 s, which are the defaults of both."
        ),
        header=(
            "while frozen",
            "for",
            "client",
            "1st answer from",
            "1st to a warm one",
            "2nd answer from",
            "2nd to a warm one",
            "ms, 1st",
            "ms, warm",
        ),
        rows=rows,
    )


def _rows(trouble: Trouble, freeze: str, outcomes: dict[str, Outcome]) -> Iterator[Sequence[str]]:
    for client, outcome in outcomes.items():
        warm = statistics.median(outcome.warm)
        cells = []
        for found in outcome.after:
            milliseconds = statistics.median(each for each, _ in found)
            cells += [", ".join(sorted({source for _, source in found})), f"{milliseconds / warm:,.1f}"]
        first = statistics.median(each for each, _ in outcome.after[0])
        yield trouble.name, freeze, client, *cells, f"{first:,.1f}", f"{warm:.1f}"


@contextmanager
def _place(folder: Path, trouble: Trouble) -> Iterator[tuple[Site, LocalLambda]]:
    with Site(trouble) as site:
        handler = f"{folder.name}.handler"
        function = LocalLambda(handler, task_root=folder, environment=site.environment, movable_clock=True)
        with function:
            yield site, function


def _invoke(function: LocalLambda) -> tuple[float, str]:
    outcome = function.invoke({"id": "1"})
    assert outcome.error is None, outcome.error
    return outcome.duration_ms, "loader" if outcome.payload["loaded"] else "cache"


if __name__ == "__main__":
    main()
