"""Gateways over one Redis: calls per second with one process that serves, and with two on the same port."""

import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from benchmarks.http2_load import Request, hammer
from benchmarks.report import Report, arguments, publish
from momento_lambda import CredentialProvider, SimpleCacheClient
from momento_lambda.testing.redis_server import RedisServer
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs

CACHE: Final = "users"
KEY: Final = b"user:0123456789"
VALUE: Final = b"v" * 100
TTL_SECONDS: Final = 3_600
CONNECTIONS: Final = 16
IN_FLIGHT: Final = 4

CALLS: Final = {
    "get": Request(
        cache_rpcs.GET.path,
        (("cache", CACHE),),
        pb.GetRequest(cache_key=KEY).SerializeToString(),
        pb.GetResponse(result=pb.HIT, cache_body=VALUE).ByteSize(),
    ),
    "set": Request(
        cache_rpcs.SET.path,
        (("cache", CACHE),),
        pb.SetRequest(cache_key=KEY, cache_body=VALUE, ttl_milliseconds=TTL_SECONDS * 1000).SerializeToString(),
        pb.SetResponse(result=pb.OK).ByteSize(),
    ),
}


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    rounds, calls = (1, 500) if told.quick else (15, 6_000)
    found = measure(rounds, calls)
    publish(report(found, calls), write=told.write)


def measure(rounds: int, calls: int) -> dict[tuple[str, int], list[float]]:
    """Return calls per second, by the call and the number of workers. Both run by turns."""
    found: dict[tuple[str, int], list[float]] = {(call, workers): [] for call in CALLS for workers in (1, 2)}
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        ports = {workers: stack.enter_context(gateway(redis, workers)) for workers in (1, 2)}
        for number in range(rounds + 1):
            for (call, workers), rates in found.items():
                load = hammer(
                    ("127.0.0.1", ports[workers]),
                    CALLS[call],
                    calls=calls,
                    connections=CONNECTIONS,
                    in_flight=IN_FLIGHT,
                )
                if number:  # the first round warms up
                    rates.append(len(load.latencies) / load.seconds)
    return found


@contextmanager
def gateway(redis: RedisServer, workers: int) -> Iterator[int]:
    """Serve with so many workers, and yield the port."""
    command = [sys.executable, "-m", "momento_lambda.cli.main", "serve", "--port", "0", "--no-auth"]
    command += ["--store", f"valkey://{redis.address}", "--workers", str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own program
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            with SimpleCacheClient(CredentialProvider.for_local(port=port), TTL_SECONDS) as client:
                client.create_cache(CACHE)
                client.set(CACHE, KEY, VALUE)
            yield port
        finally:
            process.terminate()


def report(found: dict[tuple[str, int], list[float]], calls: int) -> Report:
    """Return the table."""
    return Report(
        title="Several gateways over one Redis",
        about=(
            f"{CONNECTIONS} connections with {IN_FLIGHT} calls in flight each, {calls:,} calls a round, both by turns: "
            "medians of the rounds.\nThe processes share the machine with Redis and with the load, which speaks HTTP/2 "
            "by hand and costs little: two workers\ncannot be twice as fast where there are two cores for all of them."
        ),
        header=("call", "workers", "calls/s to one", "calls/s"),
        rows=[_row(call, workers, found) for call, workers in found],
    )


def _row(call: str, workers: int, found: dict[tuple[str, int], list[float]]) -> Sequence[str]:
    rates, one = found[call, workers], found[call, 1]
    ratio = statistics.median(rate / reference for rate, reference in zip(rates, one, strict=True))
    return call, str(workers), f"{ratio:.2f}", f"{statistics.median(rates):,.0f}"


if __name__ == "__main__":
    main()
