"""The memory store with a million items: what an item takes, what an operation costs, and how long expiry holds up."""

import asyncio
import gc
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from benchmarks.report import Report, arguments, publish
from momento_lambda.server import ManualClock
from momento_lambda.server.memory_keyspace import MemoryKeyspace
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.store import Item

Result = TypeVar("Result")

MOST_BYTES = 250
MOST_PAUSE_MS = 10
TURNOVERS = 10
CHUNK = 1_000
DAY_MS: Final = 86_400_000
MEBIBYTE = 2**20

_chance = random.Random(7)  # noqa: S311  # times to live, and no secret

TIMES_TO_LIVE: Final[dict[str, Callable[[], int]]] = {
    "an hour each": lambda: 3_600_000,
    "up to a minute": lambda: _chance.randint(1_000, 60_000),
    "up to a day": lambda: _chance.randint(1_000, DAY_MS),
}


@dataclass
class Finding:
    """What was measured with one kind of times to live.

    Attributes:
        overhead: Bytes that an item takes beyond its key and value.
        store: Seconds of processor time to store one.
        read: To read one.
        expire: To expire one.
        pauses: Seconds of processor time between two moments at which calls get a turn while all expire.
        turnovers: Bytes that the process has after each time that all items were replaced.
    """

    overhead: float = 0.0
    store: float = 0.0
    read: float = 0.0
    expire: float = 0.0
    pauses: list[float] = field(default_factory=list)
    turnovers: list[int] = field(default_factory=list)


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    count = 20_000 if told.quick else 1_000_000
    found = {}
    for name in TIMES_TO_LIVE:
        # In a process of its own each, since memory that one has been given back is not asked for again.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            found[name] = pool.submit(measure, count, name).result()
    publish(report(found, count), write=told.write)


def measure(count: int, name: str) -> Finding:
    """Fill a store, read it, replace its items a few times and let them expire."""
    clock, found, ttl_ms = ManualClock(), Finding(), TIMES_TO_LIVE[name]
    store = MemoryStore(clock=clock, sweep_seconds=0)
    items = _opened(store)
    gc.collect()
    before = resident_bytes()
    found.store = _fill(items, count, 0, ttl_ms) / count
    found.overhead = (resident_bytes() - before) / count - _payload(count, 0) / count
    found.read = _read(items, count) / count
    for turnover in range(1, TURNOVERS + 1):
        _fill(items, count, turnover, ttl_ms)
        found.turnovers.append(resident_bytes() - before)
    clock.advance("2d")
    found.pauses = asyncio.run(_expire(store))
    found.expire = sum(found.pauses) / count
    found.turnovers.append(resident_bytes() - before)
    return found


def report(found: dict[str, Finding], count: int) -> Report:
    """Return the table."""
    return Report(
        title="The memory store",
        about=(
            f"{count:,} items with keys of 16 bytes and values of about 100, each kind of time to live in a process of "
            f"its own.\nAfter turnovers: what the process takes once every item was replaced {TURNOVERS} times, to "
            "when it was filled first.\nBytes an item: beyond its key and value, by the growth of the process. Pauses: "
            "processor time between two moments\nat which calls get a turn, while all items expire at once and are "
            f"reclaimed.\nThe aim is at most {MOST_BYTES} bytes an item, and no pause over {MOST_PAUSE_MS} ms."
        ),
        header=(
            "time to live",
            "after turnovers",
            "bytes an item",
            "longest pause",
            "median pause",
            "store one",
            "read one",
            "expire one",
            "left when all expired",
        ),
        rows=[_row(name, finding, count) for name, finding in found.items()],
    )


def resident_bytes() -> int:
    """Return the memory that this process has."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this system does not say how much memory a process has")


def _row(name: str, found: Finding, count: int) -> Sequence[str]:
    *turnovers, left = found.turnovers
    first = count * found.overhead + _payload(count, 0)
    return (
        name,
        f"{turnovers[-1] / first:.2f}",
        f"{found.overhead:.0f}",
        f"{max(found.pauses) * 1e3:.1f} ms",
        f"{statistics.median(found.pauses) * 1e3:.1f} ms",
        f"{found.store * 1e6:.1f} µs",
        f"{found.read * 1e6:.1f} µs",
        f"{found.expire * 1e6:.1f} µs",
        f"{left / MEBIBYTE:.0f} MiB",
    )


def _key(number: int) -> bytes:
    return b"key:%012d" % number


def _value(number: int, turnover: int) -> bytes:
    return b"%d:%d:" % (turnover, number) + b"v" * 90


def _payload(count: int, turnover: int) -> int:
    return sum(len(_key(number)) + len(_value(number, turnover)) for number in range(count))


def _fill(items: MemoryKeyspace, count: int, turnover: int, ttl_ms: Callable[[], int]) -> float:
    """Store every item, and return the processor time that the store took."""
    took = 0.0
    for first in range(0, count, CHUNK):
        chunk = [Item(_key(number), _value(number, turnover), ttl_ms()) for number in range(first, first + CHUNK)]
        began = time.thread_time()
        for item in chunk:
            _at_once(items.set(item))
        took += time.thread_time() - began
    return took


def _read(items: MemoryKeyspace, count: int) -> float:
    took = 0.0
    for first in range(0, count, CHUNK):
        chunk = [_key(number) for number in range(first, first + CHUNK)]
        began = time.thread_time()
        for key in chunk:
            _at_once(items.get(key))
        took += time.thread_time() - began
    return took


async def _expire(store: MemoryStore) -> list[float]:
    """Let the store reclaim everything as it does beside calls, and return how long they would have waited."""
    pauses, began = [], time.thread_time()
    await store.start()
    while store.used_bytes:
        await asyncio.sleep(0)
        now = time.thread_time()
        pauses.append(now - began)
        began = now
    await store.close()
    return pauses


def _opened(store: MemoryStore) -> MemoryKeyspace:
    _at_once(store.create_cache("cache"))
    items = _at_once(store.open("cache"))
    assert items is not None
    return items


def _at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what a coroutine does that gives way nowhere."""
    try:
        work.send(None)
    except StopIteration as done:
        result: Result = done.value
        return result
    raise AssertionError("it gave way")


if __name__ == "__main__":
    main()
