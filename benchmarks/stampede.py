"""How often a value is loaded each time it expires, when many processes want it all the time."""

import itertools
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.synchronize import Barrier
from typing import Any

from benchmarks.report import Report, arguments, publish
from momento_lambda import Cache, Configuration, SimpleCacheClient
from momento_lambda.server import LocalServer

CACHE = "prices"
# Longer than what is seen of a lease that was let go, so that values may be refreshed early.
TTL_SECONDS = 1.5
LOADER_SECONDS = 0.1
PAUSE_SECONDS = 0.005
PATIENCE_SECONDS = 10.0
# Loads that begin this soon after another's begin are about the same expiry: no value is stored in between.
SAME_EXPIRY_SECONDS = LOADER_SECONDS * 1.5


@dataclass(frozen=True)
class Protection:
    """How a cache is set up against a stampede.

    Attributes:
        name: What the table calls it.
        options: What `Cache` is told.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)


PROTECTIONS = (
    Protection("none"),
    Protection("early refresh", {"early_refresh": 1.0}),
    Protection("lease", {"lease": True}),
    Protection("early refresh and lease", {"early_refresh": 1.0, "lease": True}),
    Protection("stale", {"stale": "10s"}),
    Protection("stale and lease", {"stale": "10s", "lease": True}),
)


@dataclass(frozen=True)
class Share:
    """What one process did.

    Attributes:
        calls: How often it asked for the value.
        waits: How many of those took as long as half a load or longer.
        loads: When its loads began, in seconds on a clock that all processes share.
        errors: How many operations of the cache failed.
    """

    calls: int
    waits: int
    loads: Sequence[float]
    errors: int


@dataclass(frozen=True)
class Finding:
    """What all processes did together."""

    expiries: int
    loads: int
    calls: int
    waits: int


def main() -> None:
    """Compare the protections, and print what each is worth."""
    told = arguments(__doc__).parse_args()
    processes, seconds = (2, 1.8) if told.quick else (8, 36.0)
    protections = PROTECTIONS[::2][:2] if told.quick else PROTECTIONS
    found = {protection.name: measure(protection, processes, seconds) for protection in protections}
    publish(report(found, processes), write=told.write)


def measure(protection: Protection, processes: int, seconds: float) -> Finding:
    """Have processes ask for one value for some seconds, all at once."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    with (
        LocalServer(caches=[CACHE]) as server,
        ProcessPoolExecutor(processes, context, _prepare, (barrier,)) as pool,
    ):
        token = server.create_token()
        shares = list(pool.map(_hammer, *zip(*[(token, protection.options, seconds)] * processes, strict=True)))
    if any(share.errors for share in shares):
        raise SystemExit("operations of the cache failed: this machine is too busy to measure anything")
    loads = sorted(itertools.chain.from_iterable(share.loads for share in shares))
    return Finding(
        expiries=count_expiries(loads),
        loads=len(loads),
        calls=sum(share.calls for share in shares),
        waits=sum(share.waits for share in shares),
    )


def count_expiries(loads: Sequence[float]) -> int:
    """Return how many expiries loads are about, by when they began, in order."""
    expiries, first = 0, float("-inf")
    for began in loads:
        if began > first + SAME_EXPIRY_SECONDS:
            expiries, first = expiries + 1, began
    return expiries


def report(found: dict[str, Finding], processes: int) -> Report:
    """Return the table."""
    return Report(
        title="Stampedes",
        about=(
            f"{processes} processes ask for one value all the time, which lives for {TTL_SECONDS:g} s and takes "
            f"{LOADER_SECONDS * 1000:g} ms to load, without jitter.\nLoads an expiry: how many processes load it each "
            "time that it is over or about to be. Waits an expiry: how many calls\ntake at least half as long as a "
            "load. No handler surrounds the calls, so each refresh is one caller's own: beside a\nhandler, who "
            "refreshes early or serves a stale value would not wait for the load."
        ),
        header=("protection", "loads an expiry", "waits an expiry", "expiries", "loads", "waits", "calls"),
        rows=[_row(name, finding) for name, finding in found.items()],
    )


def _row(name: str, found: Finding) -> Sequence[str]:
    expiries = max(found.expiries, 1)
    ratios = (f"{found.loads / expiries:.2f}", f"{found.waits / expiries:.2f}")
    return (name, *ratios, *map(str, (found.expiries, found.loads, found.waits, found.calls)))


_starting: list[Barrier] = []


def _prepare(barrier: Barrier) -> None:
    _starting.append(barrier)


def _hammer(token: str, options: dict[str, Any], seconds: float) -> Share:
    loads: list[float] = []
    client = SimpleCacheClient(token, TTL_SECONDS, configuration=Configuration(timeout=PATIENCE_SECONDS))
    cache = Cache(CACHE, default_ttl=TTL_SECONDS, jitter=0, client=client, **{"early_refresh": None} | options)

    @cache.cached(key="price")
    def price() -> int:
        loads.append(time.monotonic())
        time.sleep(LOADER_SECONDS)
        return 42

    with client:
        # The first value is nobody's expiry: it is there, and every connection open, before anything is counted.
        price()
        _starting[0].wait()
        loads.clear()
        return _ask(price, cache, loads, seconds)


def _ask(price: Any, cache: Cache, loads: list[float], seconds: float) -> Share:
    calls = waits = 0
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        price()
        calls += 1
        waits += time.monotonic() - began >= LOADER_SECONDS / 2
        time.sleep(PAUSE_SECONDS)
    return Share(calls, waits, tuple(loads), cache.stats.counts["error"])


if __name__ == "__main__":
    main()
