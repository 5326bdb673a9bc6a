"""What it takes to read many keys: one call for all, or as many calls as there are keys."""

from collections.abc import Iterator
from functools import partial

from benchmarks.charts import LineChart
from benchmarks.clients.contestants import (
    OFFICIAL,
    OFFICIAL_ON_LAMBDA,
    OURS,
    OURS_ON_LAMBDA,
    REDIS,
    STUB,
    STUB_TUNED,
    coroutines,
)
from benchmarks.report import Report, Target, arguments, publish
from benchmarks.sweep import Groups, Sweep, lines, median_wall_us, numbers, rows, sweep, times

VALUE_BYTES = 100
SIZES = (1, 10, 100, 1_000)
TARGET_KEYS = 100
ASYNC = tuple(map(coroutines, (OURS, STUB, OFFICIAL, REDIS)))
BOUNDS = (("threads", STUB.name, 4.0), ("threads", OFFICIAL.name, 8.0), ("coroutines", OFFICIAL.name, 1.6))
PROMPT = "prompt server"


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    sizes = SIZES[:2] if told.quick else SIZES
    embedded = {
        "threads": ((OURS, STUB, OFFICIAL, REDIS), sizes),
        "threads, on Lambda": ((OURS_ON_LAMBDA, STUB_TUNED, OFFICIAL_ON_LAMBDA), sizes[-2:-1]),
        "coroutines": (ASYNC, sizes),
    }
    if told.quick:
        embedded = {"threads": embedded["threads"]}
    prompt = {f"{group}, {PROMPT}": (clients[:3], sizes[-2:-1]) for group, (clients, _) in embedded.items()}
    found = _measure(embedded, quick=told.quick) | _measure(prompt, quick=told.quick, prompt=True)
    publish(report(found), write=told.write)


def _measure(groups: Groups, *, quick: bool, prompt: bool = False) -> Sweep:
    return sweep(
        groups,
        prepare=lambda client: client.do("fill", keys=max(SIZES), size=VALUE_BYTES),
        ask=lambda client, keys: client.do("one_by_one", operation="get_multi", keys=keys, calls=max(1, 50 // keys)),
        figure=median_wall_us,
        rounds=partial(_rounds, quick=quick),
        prompt=prompt,
    )


def _rounds(keys: int, *, quick: bool) -> int:
    return 2 if quick else 7 if keys == max(SIZES) else 15


def report(found: Sweep) -> Report:
    """Return the table."""
    return Report(
        title="Many keys at once",
        about=(
            f"Reads of up to {max(SIZES):,} values of {VALUE_BYTES} bytes, in the fastest way that a client offers.\n"
            "`get_multi` of this library and `MGET` of redis-py are one call. The bare gRPC stub makes a call for each "
            "key, all at once on one channel,\nand so does the official SDK for asyncio; for threads it offers one get "
            "after the other.\n"
            "Ratios are of medians of rounds, to this library's client and to the others'. The embedded server packs "
            "the answers to a batch into few messages for this\nclient; the prompt server knows one value and sends "
            "each by itself, all in one piece, as a hosted service may: there the client is what is measured."
        ),
        header=("clients", "keys", "client", "to momento-lambda", "to the stub", "to official", "to redis-py", "µs"),
        rows=list(rows(found, (STUB.name, OFFICIAL.name, REDIS.name), OURS.name)),
        figures=numbers(found),
        targets=list(_targets(found)),
        chart=LineChart("Many keys at once, from the embedded server", "keys", "µs", lines(found)),
    )


def _targets(found: Sweep) -> Iterator[Target]:
    for style, other, bound in BOUNDS:
        for group in (style, f"{style}, {PROMPT}"):
            if (group, TARGET_KEYS) in found:
                faster = times(found[group, TARGET_KEYS], other, OURS.name).median
                yield Target(f"{TARGET_KEYS} keys, {group}: times faster than {other}", faster, bound, at_least=True)


if __name__ == "__main__":
    main()
