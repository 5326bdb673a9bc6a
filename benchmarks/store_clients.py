"""Ways for a gateway to reach Redis: many calls at once over each of them, and what each does when a reply is lost.

The others are installed with `pip install redis valkey-glide`; with `--quick` only what comes with the server is
measured.
"""

import asyncio
import importlib.metadata
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError

from benchmarks.report import Report, arguments, publish
from benchmarks.ways_to_redis import WAYS, Way
from momento_lambda.errors import MomentoError
from momento_lambda.testing import FaultProxy
from momento_lambda.testing.redis_cluster import RedisCluster
from momento_lambda.testing.redis_server import RedisServer

KEYS: Final = 1_000
CONCURRENCIES: Final = (1, 16, 64)
# As often as a reply is lost before one is let through.
LOST_REPLIES: Final = 3


@dataclass(frozen=True)
class Finding:
    """What one way did in one round.

    Attributes:
        rate: Calls per second.
        cpu: Seconds of processor time that this process spent on a call.
        p99: Seconds that 99 of 100 calls took at most.
    """

    rate: float
    cpu: float
    p99: float


async def main() -> int:
    """Measure, and print what was found."""
    told = arguments("Ways for a gateway to reach Redis.").parse_args()
    rounds, calls = (1, 200) if told.quick else (7, 8_000)
    ways = dict(list(WAYS.items())[:2]) if told.quick else WAYS
    for way in ways.values():
        for package in way.packages:
            try:
                importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                print(f"{package} is not installed: pip install redis valkey-glide; --quick goes without")
                return 1
    with RedisCluster() as cluster:
        found = {name: await measure(way, cluster.addresses, rounds, calls) for name, way in ways.items()}
    lost = {name: await executions_of_one_increment(way) for name, way in ways.items()}
    publish(report(found, lost, ways), write=told.write)
    return 0


async def measure(way: type[Way], addresses: str, rounds: int, calls: int) -> list[Finding]:
    """Return what a way does with each number of calls at once: medians of the rounds."""
    client = way(addresses, cluster=True)
    await client.open()
    try:
        for number in range(KEYS):
            await client.increment(b"key-%d" % number)
        medians = []
        for concurrency in CONCURRENCIES:
            await _round(client, calls, concurrency)  # warms up
            each = [await _round(client, calls, concurrency) for _ in range(rounds)]
            medians.append(Finding(*(statistics.median(values) for values in zip(*map(vars_of, each), strict=True))))
        return medians
    finally:
        await client.close()


def vars_of(finding: Finding) -> tuple[float, float, float]:
    """Return the numbers of a finding."""
    return finding.rate, finding.cpu, finding.p99


async def _round(client: Way, calls: int, concurrency: int) -> Finding:
    left = iter(range(calls))
    seconds: list[float] = []

    async def caller() -> None:
        for number in left:
            began = time.perf_counter()
            await client.get(b"key-%d" % (number % KEYS))
            seconds.append(time.perf_counter() - began)

    cpu, began = _cpu(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    passed = time.perf_counter() - began
    return Finding(calls / passed, (_cpu() - cpu) / calls, statistics.quantiles(seconds, n=100)[-1])


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def executions_of_one_increment(way: type[Way]) -> int:
    """Return how often a node carries out one increment whose replies are lost, as long as they are."""
    with RedisServer() as server, FaultProxy("127.0.0.1", server.port) as proxy:
        client = way(proxy.address, cluster=False)
        # Not every way lets other work go on while it connects.
        await asyncio.to_thread(asyncio.run, _lose_replies(client, server, proxy))
        return int(server.command("GET", "count").split()[1])


async def _lose_replies(client: Way, server: RedisServer, proxy: FaultProxy) -> None:
    await client.open()
    proxy.add_latency(0.1)
    asked = asyncio.ensure_future(client.increment(b"count"))
    seen = 0
    give_up = time.monotonic() + 5
    while not asked.done() and time.monotonic() < give_up and seen < LOST_REPLIES:
        count = int((server.command("GET", "count").split()[1:] or [b"0"])[0])
        if count > seen:
            seen = count
            proxy.reset()
        await asyncio.sleep(0.002)
    proxy.heal()
    try:
        await asked
    except (RedisError, MomentoError, OSError) as error:
        print(f"an increment whose reply is lost: {type(error).__name__}")
    await client.close()


def report(found: dict[str, list[Finding]], lost: dict[str, int], ways: dict[str, type[Way]]) -> Report:
    """Return the table."""
    base = found[next(iter(ways))]
    header = ["way"]
    for concurrency in CONCURRENCIES:
        header += [f"{concurrency} at once", "CPU", "p99"]
    rows: list[Sequence[str]] = []
    for name, findings in found.items():
        row = [name]
        for finding, reference in zip(findings, base, strict=True):
            row += [
                f"{finding.rate / reference.rate:.2f} ({finding.rate:,.0f}/s)",
                f"{finding.cpu * 1e6:.0f} µs",
                f"{finding.p99 * 1e3:.1f} ms",
            ]
        rows.append([*row, str(lost[name]), f"{_megabytes(ways[name].packages):.1f} MB"])
    return Report(
        title="Ways to reach Redis",
        about=(
            "Reads of short values spread over a cluster of three primaries, by so many callers at once in "
            "one event loop: calls per second\nas a ratio to what the server does, the processor time that a call "
            "costs the gateway, and the latency of the slowest in a hundred.\nDone: how often Redis carried out one "
            "increment whose replies were lost. Installed: the package and what it needs."
        ),
        header=[*header, "done", "installed"],
        rows=rows,
    )


def _megabytes(packages: Sequence[str]) -> float:
    files = (Path(file.locate()) for package in packages for file in importlib.metadata.files(package) or ())
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
