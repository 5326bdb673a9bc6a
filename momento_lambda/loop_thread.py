"""An event loop in a thread of its own."""

import asyncio
from collections.abc import Coroutine
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar, final

Result = TypeVar("Result")


@final
class LoopThread:
    """An event loop that runs in a thread of its own until it is closed.

    Ctrl-C may interrupt whoever waits for it, at any point, and it can be closed all the same. A future of
    `concurrent.futures` would not do: interrupted in the wrong place, who waits for one keeps its lock, and the loop
    waits for that lock for ever.

    Args:
        name: What the thread is called.
    """

    def __init__(self, name: str) -> None:
        started: SimpleQueue[asyncio.AbstractEventLoop] = SimpleQueue()
        # A daemon, so that an interpreter which ends without closing it is not held up.
        self._thread = Thread(target=_run_loop, args=(started,), name=name, daemon=True)
        self._thread.start()
        self._loop = started.get()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run work in the loop, and return or raise what it does."""
        done: SimpleQueue[asyncio.Task[Result]] = SimpleQueue()
        # A loop holds on to none of its tasks.
        begun: list[asyncio.Task[Result]] = []

        def begin() -> None:
            begun.append(self._loop.create_task(work))
            begun[0].add_done_callback(done.put)

        self._loop.call_soon_threadsafe(begin)
        return done.get().result()

    def close(self) -> None:
        """End the loop, with whatever still runs in it, and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def _run_loop(started: SimpleQueue[asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        started.put(loop)
        loop.run_forever()
