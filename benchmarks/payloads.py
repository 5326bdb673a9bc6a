"""What a get and a set take, for larger and larger values."""

from benchmarks.charts import LineChart
from benchmarks.clients.contestants import OFFICIAL, OURS, REDIS, STUB
from benchmarks.report import Report, arguments, publish
from benchmarks.sweep import Sweep, lines, median_wall_us, numbers, rows, sweep

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
CALLS = 10


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    found: Sweep = {}
    for size in SIZES[:2] if told.quick else SIZES:
        for operation in ("get", "set"):
            found |= sweep(
                {operation: ((OURS, STUB, OFFICIAL, REDIS), (size,))},
                prepare=lambda client, size=size: client.do("fill", keys=1, size=size),  # type: ignore[misc]  # a default binds the size
                ask=lambda client, size, operation=operation: client.do(  # type: ignore[misc]  # as above
                    "one_by_one", operation=operation, size=size, calls=CALLS
                ),
                figure=median_wall_us,
                rounds=lambda _: 2 if told.quick else 15,
            )
    publish(report(found), write=told.write)


def report(found: Sweep) -> Report:
    """Return the table."""
    return Report(
        title="Larger values",
        about="Gets and sets by clients for threads, each call after the last. Ratios are of medians of rounds.",
        header=("call", "bytes", "client", "to momento-lambda", "to the stub", "to official", "to redis-py", "µs"),
        rows=list(rows(found, (STUB.name, OFFICIAL.name, REDIS.name), OURS.name)),
        figures=numbers(found),
        chart=LineChart("Larger values", "bytes", "µs a call", lines(found)),
    )


if __name__ == "__main__":
    main()
