"""How much memory a process takes for a client: imported, connected, and for each further one."""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.clients.client import Place
from benchmarks.clients.contestants import OFFICIAL, OURS, REDIS, Contestant
from benchmarks.clients.servers import cache_server, redis_server
from benchmarks.report import Report, arguments, publish
from benchmarks.spread import ratio, spread
from momento_lambda.testing.redis_server import is_installed

FURTHER = 20
STEPS = ("imported", "first client", "each further")


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    rounds, further = (1, 2) if told.quick else (7, FURTHER)
    with ExitStack() as stack:
        places = dict.fromkeys((OURS, OFFICIAL), stack.enter_context(cache_server()))
        if is_installed():
            places[REDIS] = stack.enter_context(redis_server())
        found: dict[str, list[dict[str, float]]] = {each.name: [] for each in places}
        for _ in range(rounds):
            for each, place in places.items():
                found[each.name].append(megabytes(each, place, further))
    publish(report(found), write=told.write)


def megabytes(contestant: Contestant, place: Place, further: int) -> dict[str, float]:
    """Return what each step takes in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.clients.memory", contestant.module]
    done = subprocess.run(  # noqa: S603  # our own program
        [*command, str(place.port), place.token, str(further)], capture_output=True, check=True, text=True
    )
    taken: dict[str, float] = json.loads(done.stdout)
    return taken


def report(found: dict[str, list[dict[str, float]]]) -> Report:
    """Return the table."""
    columns = {name: {step: [each[step] for each in taken] for step in STEPS} for name, taken in found.items()}
    return Report(
        title="Memory of clients",
        about=(
            "Megabytes that a process holds (resident), beyond those of the interpreter: for importing a client, for "
            f"the first that was used,\nand for each of {FURTHER} further ones, each with a connection of its own. "
            "Ratios are of what import and first client take together."
        ),
        header=("client", "to official", *(f"{step}, MB" for step in STEPS)),
        rows=[_row(name, columns) for name in columns],
        figures={name: {step: spread(taken) for step, taken in steps.items()} for name, steps in columns.items()},
    )


def _row(name: str, columns: dict[str, dict[str, list[float]]]) -> Sequence[str]:
    sums = {
        each: [imported + first for imported, first in zip(steps["imported"], steps["first client"], strict=True)]
        for each, steps in columns.items()
    }
    return (
        name,
        f"{ratio(sums[name], sums[OFFICIAL.name]).median:.2f}",
        *(spread(columns[name][step]).shown(2) for step in STEPS),
    )


if __name__ == "__main__":
    main()
