"""What one warm call takes, in time and in processor time, beside other clients of the same server."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.charts import BarChart
from benchmarks.clients.contestants import (
    OFFICIAL,
    OFFICIAL_ON_LAMBDA,
    OURS,
    OURS_ON_LAMBDA,
    REDIS,
    STUB,
    STUB_TUNED,
    Contestant,
    by_turns,
    coroutines,
    running,
)
from benchmarks.report import Report, Target, arguments, publish
from benchmarks.spread import Spread, percentile, ratio, spread

VALUE_BYTES = 100
CALLS = 100
GROUPS = {
    "threads": (STUB, OURS, OFFICIAL, REDIS),
    "threads, on Lambda": (STUB_TUNED, OURS_ON_LAMBDA, OFFICIAL_ON_LAMBDA),
    "coroutines": tuple(map(coroutines, (STUB, OURS, OFFICIAL, REDIS))),
}
"""Who is set beside whom: first what calls cost at the least, then this library, then the official SDK."""


BOUNDS = {
    "threads": (1.10, 0.95, 0.95),
    "threads, on Lambda": (None, 0.85, 0.70),
    "coroutines": (None, 0.90, 0.90),
}
"""What a get may take at most: processor time to the bare stub; time and processor time to the official SDK."""


@dataclass(frozen=True)
class Finding:
    """What one client's calls took.

    Attributes:
        p50: Microseconds that half of the calls of a round took at most, for each round.
        cpu: Microseconds of processor time of a call, for each round.
        p99: Microseconds that 99 of 100 calls of all rounds took at most.
    """

    p50: list[float]
    cpu: list[float]
    p99: float


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    rounds, operations = (1, ("get",)) if told.quick else (40, ("get", "set"))
    found = {
        (operation, group): measure(contestants, operation, rounds)
        for group, contestants in GROUPS.items()
        for operation in operations
    }
    publish(report(found), write=told.write)


def measure(contestants: Sequence[Contestant], operation: str, rounds: int) -> dict[str, Finding]:
    """Have clients make the same calls by turns."""
    with running(contestants) as clients:
        for client in clients.values():
            client.do("fill", keys=1, size=VALUE_BYTES)
        taken = by_turns(
            clients, rounds, lambda client: client.do("one_by_one", operation=operation, size=VALUE_BYTES, calls=CALLS)
        )
    return {name: _finding(found) for name, found in taken.items()}


def _finding(taken: Sequence[dict[str, Any]]) -> Finding:
    walls = [sorted(nanoseconds / 1000 for nanoseconds in each["walls"]) for each in taken]
    return Finding(
        p50=[percentile(each, 50) for each in walls],
        cpu=[each["cpu"] / CALLS / 1000 for each in taken],
        p99=percentile(sorted(itertools.chain.from_iterable(walls)), 99),
    )


def report(found: dict[tuple[str, str], dict[str, Finding]]) -> Report:
    """Return the table."""
    return Report(
        title="Warm calls",
        about=(
            f"Gets and sets of {VALUE_BYTES} bytes, each call after the last. Every client is a process of its own and "
            f"makes {CALLS} calls whenever it is its turn.\n"
            "Ratios are of rounds, to the bare gRPC stub and to the official SDK of the same group, in time and in "
            "processor time of the client's own process:\nmedians of the rounds' ratios, with the quartiles of what "
            "they are ratios of. The server of all but redis-py is this project's own, in another process.\n"
            "On Lambda this library has callers read for themselves; the tuned stub is told to do the same."
        ),
        header=(
            "call",
            "client",
            "time to stub",
            "CPU to stub",
            "time to official",
            "CPU to official",
            "p50, µs",
            "p99, µs",
            "CPU, µs",
        ),
        rows=[row for (operation, group), findings in found.items() for row in _rows(operation, group, findings)],
        figures={
            f"{operation}, {group}, {name}": {
                "p50_us": spread(finding.p50),
                "cpu_us": spread(finding.cpu),
                "p99_us": finding.p99,
            }
            for (operation, group), findings in found.items()
            for name, finding in findings.items()
        },
        targets=list(_targets(found)),
        chart=BarChart(
            "A warm get of 100 bytes: processor time of the client",
            "µs a call",
            {
                group: {name: spread(finding.cpu) for name, finding in findings.items()}
                for (operation, group), findings in found.items()
                if operation == "get"
            },
        ),
    )


def _rows(operation: str, group: str, findings: dict[str, Finding]) -> Iterator[Sequence[str]]:
    stub, official = (_of(findings, place) for place in (0, 2))
    for name, finding in findings.items():
        ratios = [_ratio(finding, other) for other in (stub, official)]
        cells = [f"{each.median:.2f}" for pair in ratios for each in pair]
        figures = (spread(finding.p50).shown(0), f"{finding.p99:,.0f}", spread(finding.cpu).shown(0))
        yield f"{operation}, {group}", name, *cells, *figures


def _targets(found: dict[tuple[str, str], dict[str, Finding]]) -> Iterator[Target]:
    for group, (of_stub, time, cpu) in BOUNDS.items():
        findings = found["get", group]
        stub, ours, official = (_of(findings, place) for place in range(3))
        if of_stub is not None:
            yield Target(f"get, {group}: CPU to the bare stub", _ratio(ours, stub)[1].median, of_stub)
        to_official = _ratio(ours, official)
        yield Target(f"get, {group}: time to the official SDK", to_official[0].median, time)
        yield Target(f"get, {group}: CPU to the official SDK", to_official[1].median, cpu)


def _of(findings: dict[str, Finding], place: int) -> Finding:
    return list(findings.values())[place]


def _ratio(one: Finding, other: Finding) -> tuple[Spread, Spread]:
    return ratio(one.p50, other.p50), ratio(one.cpu, other.cpu)


if __name__ == "__main__":
    main()
