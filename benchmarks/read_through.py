"""A read through the cache beside the same read without it, from a source of realistic latency."""

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import boto3  # type: ignore[import-untyped]  # it has no types

from benchmarks.remote.services import far_cache, slow_source
from benchmarks.remote.source import Latency
from benchmarks.report import Report, arguments, publish
from momento_lambda import Cache, Configuration, CredentialProvider, SimpleCacheClient
from momento_lambda.caching.cached import CachedFunction

CACHE = "articles"
BODY = "It rains. " * 100
NETWORK_SECONDS = 0.000_25
WARMING_ROUNDS = 5
HITS_OF_TEN = 9
# A table by its key, a query over several tables, another team's service.
LATENCIES = (Latency(4, 16), Latency(20, 80), Latency(80, 320))


@dataclass(frozen=True)
class Reads:
    """Milliseconds that reads took, one of each kind a round.

    Attributes:
        without: From the source.
        miss: Through a cache that does not hold it: asked, loaded from the source, and stored.
        hit: Through a cache that holds it.
    """

    without: list[float]
    miss: list[float]
    hit: list[float]

    @property
    def mixed(self) -> list[float]:
        """Hits and misses, in the proportion that the table speaks of."""
        return self.hit * HITS_OF_TEN + self.miss * (10 - HITS_OF_TEN)

    @property
    def least_hit_rate(self) -> float:
        """The part of reads that must be hits for the mean read to be as fast as without a cache."""
        without, miss, hit = map(statistics.mean, (self.without, self.miss, self.hit))
        return max(0.0, (miss - without) / (miss - hit))


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    latencies, rounds = (LATENCIES[1:2], 10) if told.quick else (LATENCIES, 500)
    with far_cache(CACHE, NETWORK_SECONDS) as credentials:
        round_trip = ping_ms(credentials, rounds)
        found = {latency: measure(credentials, latency, rounds) for latency in latencies}
    publish(report(found, round_trip, rounds), write=told.write)


def ping_ms(credentials: CredentialProvider, rounds: int) -> float:
    """Return the median of what a call takes that does nothing, over the same network."""
    with SimpleCacheClient(credentials, 60) as client:
        client.ping(timeout=10)
        return statistics.median(milliseconds(lambda: client.ping(timeout=10)) for _ in range(rounds))


def measure(credentials: CredentialProvider, latency: Latency, rounds: int) -> Reads:
    """Read in all three ways by turns, so that whatever else the machine does concerns all of them alike."""
    with (
        slow_source(latency, BODY, seed=1) as url,
        SimpleCacheClient(credentials, 600, configuration=Configuration(timeout=10)) as client,
    ):
        cache = Cache(CACHE, namespace=f"{latency.median_ms:g}", client=client, early_refresh=None)
        read = reader(url)
        cached = cached_reader(cache, read)
        numbers = itertools.count()

        def one_round() -> list[float]:
            new = f"article-{next(numbers)}"
            calls: Sequence[Callable[[], object]] = (lambda: read(new), lambda: cached(new), lambda: cached(new))
            return [milliseconds(call) for call in calls]

        for _ in range(WARMING_ROUNDS):
            one_round()
        taken = [one_round() for _ in range(rounds)]
        counts = cache.stats.counts
    if counts["error"] or counts["hit"] != len(taken) + WARMING_ROUNDS:
        raise SystemExit("operations of the cache failed: this machine is too busy to measure anything")
    return Reads(*(list(column) for column in zip(*taken, strict=True)))


def reader(url: str) -> Callable[[str], dict[str, Any]]:
    """Return what a function without a cache calls."""
    table = boto3.resource(
        "dynamodb",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106  # nobody asks for it
    ).Table("articles")

    def read(article: str) -> dict[str, Any]:
        item: dict[str, Any] = table.get_item(Key={"id": article})["Item"]
        return item

    return read


def cached_reader(cache: Cache, read: Callable[[str], dict[str, Any]]) -> CachedFunction[[str], dict[str, Any]]:
    """Return the same through a cache."""

    @cache.cached(key="article:{article}")
    def cached(article: str) -> dict[str, Any]:
        return read(article)

    return cached


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def report(found: dict[Latency, Reads], round_trip: float, rounds: int) -> Report:
    """Return the table."""
    return Report(
        title="A read through the cache",
        about=(
            "Reads of an item of 1 kB with boto3's `get_item`, without a cache and through `@cached`, by turns: "
            f"{rounds} of each. Ratios are\nto the read without a cache: of medians, and where {HITS_OF_TEN} of 10 "
            "reads are hits of means and of 95th percentiles.\nThe hit rate needed is the one from which the mean "
            "read is faster with a cache than without.\n\n"
            "The source speaks DynamoDB's protocol and answers after a log-normal latency, whose median and 99th "
            "percentile stand\nin the first column. They are chosen, not measured, and the way there is part of them: "
            "a table asked by its key (AWS\npromises single-digit milliseconds), a query over several tables, another "
            "team's service. The cache is this project's own\nserver, behind a proxy that holds every message back: a "
            f"call of the client that does nothing takes {round_trip:.1f} ms, which is more\nthan between machines of "
            "one availability zone. So this shows what a cache at this distance does for sources of these\nlatencies, "
            "and what it costs where it does not hold the item. It says nothing of how fast DynamoDB, the hosted "
            "service\nor your network are."
        ),
        header=(
            "source (median, p99)",
            "a hit",
            "a miss",
            f"{HITS_OF_TEN} of 10 hit: mean",
            "p95",
            "hit rate needed",
            "a hit, ms (p25 to p75)",
            "a miss, ms",
            "without, ms",
        ),
        rows=[_row(latency, reads) for latency, reads in found.items()],
    )


def _row(latency: Latency, reads: Reads) -> Sequence[str]:
    without, miss, hit, mixed = map(_Figures.of, (reads.without, reads.miss, reads.hit, reads.mixed))
    ratios = (
        hit.median / without.median,
        miss.median / without.median,
        mixed.mean / without.mean,
        mixed.p95 / without.p95,
    )
    return (
        str(latency),
        *(f"{ratio:.2f}" for ratio in ratios),
        f"{reads.least_hit_rate:.0%}",
        *map(str, (hit, miss, without)),
    )


class _Figures(NamedTuple):
    """What is told of reads, in milliseconds."""

    mean: float
    p25: float
    median: float
    p75: float
    p95: float

    @classmethod
    def of(cls, taken: Sequence[float]) -> "_Figures":
        percentiles = statistics.quantiles(taken, n=100, method="inclusive")
        return cls(statistics.mean(taken), percentiles[24], percentiles[49], percentiles[74], percentiles[94])

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.p25:.1f} to {self.p75:.1f})"


if __name__ == "__main__":
    main()
