"""What an import's time is spent on: gRPC, then what the client adds, then what a decorated function adds."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.cold.layers import our_layer
from benchmarks.cold.phases import COLLECTING, DECODING, LOOKING, READING, RUNNING
from benchmarks.imports import BARE, CACHED, CLIENT, FLOOR, OURS, OURS_CACHED
from benchmarks.report import Report, arguments, publish

STEPS = {FLOOR: BARE, f"{OURS}, beyond that": CLIENT, f"{OURS_CACHED}, beyond that": CACHED}
PHASES = {
    LOOKING: "looking for files",
    READING: "reading them",
    DECODING: "decoding bytecode",
    COLLECTING: "collecting garbage",
    RUNNING: "running modules",
}


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="momento-lambda-imports-") as name:
        layer = our_layer(Path(name), offline=told.quick)
        found = [profile(layer) for _ in range(2 if told.quick else 20)]
    publish(report(found[1:]), write=told.write)  # the first one warmed up the file system


def profile(layer: Path) -> list[dict[str, float]]:
    """Return what the steps of one process took, phase by phase."""
    program = Path(__file__).parent / "cold" / "phases.py"
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-S", str(program), str(layer / "python"), *STEPS.values()],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        text=True,
    )
    steps: list[dict[str, float]] = json.loads(done.stdout)
    return steps


def report(found: Sequence[list[dict[str, float]]]) -> Report:
    """Return the table."""
    return Report(
        title="What an import's time is spent on",
        about=(
            "A fresh process imports gRPC with one generated module, then makes a client, then decorates a function "
            "and a handler, from this\nproject's unzipped layer with its bytecode. Milliseconds by the clock, medians "
            "of processes, with the interpreter's importer taken apart;\nto do so makes it slower by some percent. "
            "What is left of a step when its other parts are taken away counts as running."
        ),
        header=("imported and made", "modules", "ms", *PHASES.values()),
        rows=list(_rows(found)),
    )


def _rows(found: Sequence[list[dict[str, float]]]) -> Iterator[Sequence[str]]:
    for index, name in enumerate(STEPS):
        steps = [each[index] for each in found]
        phases = [median(step[phase] for step in steps) for phase in PHASES]
        whole = median(sum(step[phase] for phase in PHASES) for step in steps)
        yield name, str(round(steps[0]["modules"])), f"{whole:.1f}", *(f"{each:.1f}" for each in phases)


if __name__ == "__main__":
    main()
