"""The server beside a bare gRPC server that echoes: requests per second, latency, and what a call costs it."""

import asyncio
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import grpc
import grpc.aio

from benchmarks.http2_load import Load, Request, hammer
from benchmarks.report import Report, arguments, publish
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.server import CacheServer
from momento_lambda.server.signing_key import SigningKey, SigningKeysInMemory
from momento_lambda.server.store import Item
from momento_lambda.server.tokens import create_token
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs

CACHE = "users"
KEY = b"user:0123456789"
VALUE = b"v" * 100
TTL_MS = 60_000
CONNECTIONS = 4
IN_FLIGHT = 4

GET = pb.GetRequest(cache_key=KEY).SerializeToString()
HIT = pb.GetResponse(result=pb.HIT, cache_body=VALUE)
SET = pb.SetRequest(cache_key=KEY, cache_body=VALUE, ttl_milliseconds=TTL_MS).SerializeToString()
STORED = pb.SetResponse(result=pb.OK)

LEAST_SHARE = 0.8
MOST_P99 = 1.5


@dataclass(frozen=True)
class Finding:
    """What one server did in one round.

    Attributes:
        rate: Calls per second.
        p50: Seconds that half of the calls took at most.
        p99: Seconds that 99 of 100 took at most.
        cpu: Seconds of processor time that the server spent on a call.
    """

    rate: float
    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True)
class Target:
    """A server in a process of its own."""

    pid: int
    port: int
    token: str
    pipe: Connection

    def cpu_seconds(self) -> float:
        """Return the processor time that it took so far."""
        self.pipe.send("cpu")
        seconds: float = self.pipe.recv()
        return seconds


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    rounds, calls = (2, 500) if told.quick else (21, 4_000)
    publish(report(measure(rounds, calls), calls), write=told.write)


def measure(rounds: int, calls: int) -> dict[tuple[str, str], list[Finding]]:
    """Measure both servers by turns, so that whatever else the machine does concerns both alike."""
    found: dict[tuple[str, str], list[Finding]] = {}
    with target(serve_echo) as echo, target(_serve_cache) as cache:
        for number in range(rounds + 1):
            for call in ("get", "set"):
                for name, server in (("echo", echo), ("momento-lambda", cache)):
                    finding = _round(server, call, calls)
                    if number:  # the first round warms up
                        found.setdefault((call, name), []).append(finding)
    return found


@contextmanager
def target(serve: Callable[[Connection], None]) -> Iterator[Target]:
    """Run a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        port, token = ours.recv()
        yield Target(process.pid or 0, port, token, ours)
    finally:
        ours.send("enough")
        process.join()


def report(found: dict[tuple[str, str], list[Finding]], calls: int) -> Report:
    """Return the table."""
    return Report(
        title="The server beside a bare echo server",
        about=(
            f"{CONNECTIONS} connections with {IN_FLIGHT} calls in flight each, {calls:,} calls a round, both servers "
            "by turns: medians of the rounds.\nThe echo is a bare `grpc.aio` server that reads the same request and "
            "gives the same reply, a value of "
            f"{len(VALUE)} bytes; this server\nchecks a token, looks up the cache and the item, and counts. Both run "
            "in a process of their own, called by one that speaks\nHTTP/2 by hand, so that it is the server that is "
            f"busy. The aim is at least {LEAST_SHARE} of its calls per second, and a 99th percentile\nof at most "
            f"{MOST_P99} times its."
        ),
        header=(
            "call",
            "server",
            "calls/s to echo",
            "p99 to echo",
            "CPU to echo",
            "calls/s",
            "p50",
            "p99",
            "CPU a call",
        ),
        rows=[_row(call, name, found) for call, name in found],
    )


def _row(call: str, name: str, found: dict[tuple[str, str], list[Finding]]) -> Sequence[str]:
    ours, echo = found[call, name], found[call, "echo"]

    def ratio(of: Callable[[Finding], float]) -> str:
        return f"{statistics.median(of(a) / of(b) for a, b in zip(ours, echo, strict=True)):.2f}"

    def median(of: Callable[[Finding], float], factor: float) -> str:
        return f"{statistics.median(map(of, ours)) * factor:,.0f}"

    return (
        call,
        name,
        ratio(lambda finding: finding.rate),
        ratio(lambda finding: finding.p99),
        ratio(lambda finding: finding.cpu),
        median(lambda finding: finding.rate, 1),
        median(lambda finding: finding.p50, 1e6) + " µs",
        median(lambda finding: finding.p99, 1e6) + " µs",
        median(lambda finding: finding.cpu, 1e6) + " µs",
    )


def _round(server: Target, call: str, calls: int) -> Finding:
    before = server.cpu_seconds()
    load = hammer(
        ("127.0.0.1", server.port),
        _request(call, server.token),
        calls=calls,
        connections=CONNECTIONS,
        in_flight=IN_FLIGHT,
    )
    return _finding(load, server.cpu_seconds() - before)


def _finding(load: Load, cpu: float) -> Finding:
    percentiles = statistics.quantiles(load.latencies, n=100)
    count = len(load.latencies)
    return Finding(count / load.seconds, percentiles[49], percentiles[98], cpu / count)


def _request(call: str, token: str) -> Request:
    metadata = (("authorization", token), ("cache", CACHE))
    if call == "get":
        return Request(cache_rpcs.GET.path, metadata, GET, HIT.ByteSize())
    return Request(cache_rpcs.SET.path, metadata, SET, STORED.ByteSize())


def serve_echo(parent: Connection) -> None:
    """Run the bare server until told to stop."""
    asyncio.run(_echo(parent))


def _serve_cache(parent: Connection) -> None:
    asyncio.run(_cache(parent))


async def _echo(parent: Connection) -> None:
    async def get(_request: pb.GetRequest, _context: Any) -> pb.GetResponse:
        return HIT

    async def set_item(_request: pb.SetRequest, _context: Any) -> pb.SetResponse:
        return STORED

    server = grpc.aio.server()
    handlers = {
        rpc.name: grpc.unary_unary_rpc_method_handler(work, rpc.request.FromString, rpc.reply.SerializeToString)
        for rpc, work in ((cache_rpcs.GET, get), (cache_rpcs.SET, set_item))
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(cache_rpcs.GET.service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await _until_enough(parent, (port, create_token(SigningKey.generate(), endpoint="localhost")))
    await server.stop(0)


async def _cache(parent: Connection) -> None:
    key, store = SigningKey.generate(), MemoryStore()
    server = CacheServer(store, keys=SigningKeysInMemory(key))
    await store.create_cache(CACHE)
    items = await store.open(CACHE)
    assert items is not None
    await items.set(Item(KEY, VALUE, 24 * 60 * TTL_MS))
    await server.start()
    await _until_enough(parent, (server.endpoint.port, create_token(key, endpoint="localhost")))
    await server.stop(0)


async def _until_enough(parent: Connection, started: tuple[int, str]) -> None:
    """Say that the server runs, and how much processor time it took whenever that is asked, until told to stop."""
    loop, enough = asyncio.get_running_loop(), asyncio.Event()

    def listen() -> None:
        while parent.recv() == "cpu":
            parent.send(time.process_time())
        loop.call_soon_threadsafe(enough.set)

    parent.send(started)
    threading.Thread(target=listen, daemon=True).start()
    await enough.wait()


if __name__ == "__main__":
    main()
