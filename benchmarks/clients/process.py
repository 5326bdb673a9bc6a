"""A client in a process of its own, which does what it is told in lines of JSON and says what that took.

python -m benchmarks.clients.process MODULE Threads|Coroutines PORT TOKEN
"""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, cast

from benchmarks.clients.client import AsyncClient, Client, Place

MOST_WORKERS = 32
Asked: TypeAlias = dict[str, Any]
Taken: TypeAlias = dict[str, Any]


def key(number: int) -> str:
    """Return one of the keys that are asked for."""
    return f"user:{number:08}"


def clocks() -> tuple[int, int]:
    """Return nanoseconds: of the clock, and of processor time that this process has used in all of its threads."""
    return time.perf_counter_ns(), time.process_time_ns()


def call_of(client: Client | AsyncClient, asked: Asked) -> Callable[[], Any]:
    """Return the operation that is asked for, with its arguments."""
    match asked["operation"]:
        case "get":
            return lambda: client.get(key(0))
        case "set":
            value = bytes(asked["size"])
            return lambda: client.set(key(0), value)
        case "get_multi":
            keys = [key(number) for number in range(asked["keys"])]
            return lambda: client.get_multi(keys)
        case unknown:
            raise ValueError(unknown)


class OfThreads:
    """Carries out what is asked with a client for threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(MOST_WORKERS)

    def fill(self, asked: Asked) -> Taken:
        """Store values of a size."""
        value = bytes(asked["size"])
        for number in range(asked["keys"]):
            self._client.set(key(number), value)
        assert [value] == list(self._client.get_multi([key(0)]))
        return {}

    def one_by_one(self, asked: Asked) -> Taken:
        """Make calls, each after the last; return the time of each, and the processor time of all."""
        call = call_of(self._client, asked)
        walls = []
        _, cpu = clocks()
        for _ in range(asked["calls"]):
            began = time.perf_counter_ns()
            call()
            walls.append(time.perf_counter_ns() - began)
        return {"walls": walls, "cpu": clocks()[1] - cpu}

    def together(self, asked: Asked) -> Taken:
        """Make calls, so many at any time; return the time and the processor time of all."""
        call, each = call_of(self._client, asked), asked["calls"] // asked["workers"]

        def work(_: int) -> None:
            for _ in range(each):
                call()

        wall, cpu = clocks()
        list(self._pool.map(work, range(asked["workers"])))
        wall_after, cpu_after = clocks()
        return {"wall": wall_after - wall, "cpu": cpu_after - cpu}


class OfCoroutines:
    """Carries out what is asked with a client for asyncio; each as above."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def fill(self, asked: Asked) -> Taken:
        """Store values of a size."""
        value = bytes(asked["size"])
        for number in range(asked["keys"]):
            await self._client.set(key(number), value)
        assert [value] == list(await self._client.get_multi([key(0)]))
        return {}

    async def one_by_one(self, asked: Asked) -> Taken:
        """Make calls, each after the last."""
        call: Callable[[], Awaitable[Any]] = call_of(self._client, asked)
        walls = []
        _, cpu = clocks()
        for _ in range(asked["calls"]):
            began = time.perf_counter_ns()
            await call()
            walls.append(time.perf_counter_ns() - began)
        return {"walls": walls, "cpu": clocks()[1] - cpu}

    async def together(self, asked: Asked) -> Taken:
        """Make calls, so many at any time."""
        call, each = call_of(self._client, asked), asked["calls"] // asked["workers"]

        async def work() -> None:
            for _ in range(each):
                await call()

        wall, cpu = clocks()
        await asyncio.gather(*(work() for _ in range(asked["workers"])))
        wall_after, cpu_after = clocks()
        return {"wall": wall_after - wall, "cpu": cpu_after - cpu}


def answer(taken: Taken) -> None:
    """Write what something took."""
    print(json.dumps(taken), flush=True)


async def serve_coroutines(make: Callable[[Place], AsyncClient], place: Place) -> None:
    """Do what is asked, until nobody asks any more; the loop has nothing to do while it waits for that."""
    carrying_out = OfCoroutines(make(place))
    for line in sys.stdin:
        asked = json.loads(line)
        answer(await getattr(carrying_out, asked["do"])(asked))


def serve_threads(make: Callable[[Place], Client], place: Place) -> None:
    """Do what is asked, until nobody asks any more."""
    carrying_out = OfThreads(make(place))
    for line in sys.stdin:
        asked = json.loads(line)
        answer(getattr(carrying_out, asked["do"])(asked))


def main() -> None:
    """Make the client that the command names, and serve."""
    module, style, port, *token = sys.argv[1:]
    make = getattr(importlib.import_module(f"benchmarks.clients.{module}"), style)
    place = Place(int(port), *token)
    if style == "Coroutines":
        asyncio.run(serve_coroutines(cast("Callable[[Place], AsyncClient]", make), place))
    else:
        serve_threads(make, place)


if __name__ == "__main__":
    main()
