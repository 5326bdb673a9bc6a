"""Counts what one warm call of the client costs, and prints it: a program, run apart from whatever traces the tests."""

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import momento_lambda
from momento_lambda import Cache, CredentialProvider, SimpleCacheClient

OURS = str(Path(str(momento_lambda.__file__)).parent)
CACHE = "counted"
KEYS = [f"key-{number}" for number in range(100)]
WARMING_CALLS = 50
MANY_CALLS = 200


class Count:
    """What was executed of this library, in the thread that counts.

    Attributes:
        calls: Of its functions.
        instructions: Of the interpreter.
    """

    def __init__(self) -> None:
        self.calls = self.instructions = 0

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """Take note of an event of the interpreter."""
        if event == "call":
            if not frame.f_code.co_filename.startswith(OURS):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            self.calls += 1
        elif event == "opcode":
            self.instructions += 1
        return self.trace


@contextmanager
def counting() -> Iterator[Count]:
    """Count what the block executes."""
    count = Count()
    sys.settrace(count.trace)
    try:
        yield count
    finally:
        sys.settrace(None)


def cost(call: Callable[[], object]) -> dict[str, int]:
    """Return what one call costs when everything is warm."""
    for _ in range(WARMING_CALLS):
        call()
    with counting() as count:
        call()
    tracemalloc.start()
    call()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    call()
    _, peak = tracemalloc.get_traced_memory()
    for _ in range(MANY_CALLS):
        call()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "calls": count.calls,
        "instructions": count.instructions,
        "bytes": peak - before,
        "bytes kept": (after - before) // MANY_CALLS,
    }


def main(port: int) -> None:
    """Print what calls cost: a hit, a store, a batch of hits, and a hit through a decorated function."""
    with SimpleCacheClient(CredentialProvider.for_local(port=port), 60) as client:
        client.set_multi(CACHE, dict.fromkeys(KEYS, "v" * 100))
        cached = Cache(CACHE, default_ttl=60, client=client, early_refresh=None).cached(user)
        costs = {
            "get": cost(lambda: client.get(CACHE, KEYS[0])),
            "set": cost(lambda: client.set(CACHE, KEYS[0], "v" * 100)),
            "get_multi of 100": cost(lambda: client.get_multi(CACHE, KEYS)),
            "@cached": cost(lambda: cached("7")),
        }
    print(json.dumps(costs))  # noqa: T201  # the program's answer


def user(id_: str) -> dict[str, str]:
    """Return what would have been looked up."""
    return {"id": id_}


if __name__ == "__main__":
    main(int(sys.argv[1]))
