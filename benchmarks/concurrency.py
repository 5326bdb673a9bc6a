"""How many gets a second one client makes, for more and more callers at a time."""

from collections.abc import Iterator

from benchmarks.charts import LineChart
from benchmarks.clients.contestants import OFFICIAL, OURS, REDIS, STUB, coroutines
from benchmarks.report import Report, Target, arguments, publish
from benchmarks.sweep import Groups, Sweep, lines, numbers, rows, sweep, times

VALUE_BYTES = 100
CALLS = 512
THREADS = (1, 2, 4, 8, 16, 32)
COROUTINES = (1, 4, 16, 64, 256)
TARGET_COROUTINES = 64
PROMPT = "coroutines, prompt server"


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    clients = (OURS, STUB, OFFICIAL, REDIS)
    embedded = {
        "threads": (clients, THREADS[:2] if told.quick else THREADS),
        "coroutines": (tuple(map(coroutines, clients)), COROUTINES[:2] if told.quick else COROUTINES),
    }
    found = _measure(embedded, quick=told.quick)
    if not told.quick:
        found |= _measure({PROMPT: (tuple(map(coroutines, clients[:3])), (TARGET_COROUTINES,))}, prompt=True)
    publish(report(found), write=told.write)


def _measure(groups: Groups, *, quick: bool = False, prompt: bool = False) -> Sweep:
    return sweep(
        groups,
        prepare=lambda client: client.do("fill", keys=1, size=VALUE_BYTES),
        ask=lambda client, callers: client.do("together", operation="get", workers=callers, calls=CALLS),
        figure=lambda taken, _: CALLS / (taken["wall"] / 1e9),
        rounds=lambda callers: 2 if quick else 20 if callers == TARGET_COROUTINES else 6,
        prompt=prompt,
    )


def report(found: Sweep) -> Report:
    """Return the table."""
    return Report(
        title="Many callers at once",
        about=(
            f"Gets of {VALUE_BYTES} bytes through one client, {CALLS} a round, divided among threads or coroutines.\n"
            "Ratios are of calls a second, medians of the rounds: more is better. All but redis-py share the embedded "
            "server, one process\non the same machine: where that is what is waited for, all are alike. The prompt "
            "server knows one value and writes\nanswers by hand: there the client is what is waited for."
        ),
        header=("callers are", "callers", "client", "to momento-lambda", "to the stub", "to official", "gets a second"),
        rows=list(rows(found, (STUB.name, OFFICIAL.name), OURS.name)),
        figures=numbers(found),
        targets=list(_targets(found)),
        chart=LineChart("Many callers at once", "callers", "gets a second", lines(found)),
    )


def _targets(found: Sweep) -> Iterator[Target]:
    for group in ("coroutines", PROMPT):
        measured = found.get((group, TARGET_COROUTINES))
        if measured is not None:
            more = times(measured, OURS.name, OFFICIAL.name).median
            what = f"{TARGET_COROUTINES} {group}: calls a second to the official SDK"
            yield Target(what, more, 1.2, at_least=True)


if __name__ == "__main__":
    main()
