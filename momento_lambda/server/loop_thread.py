"""An event loop in a thread of its own."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar, final

Result = TypeVar("Result")


@final
class LoopThread:
    """An event loop that runs in a thread of its own until it is closed.

    Args:
        name: What the thread is called.
    """

    def __init__(self, name: str) -> None:
        started: Future[asyncio.AbstractEventLoop] = Future()
        # A daemon, so that an interpreter which ends without closing it is not held up.
        self._thread = Thread(target=_run_loop, args=(started,), name=name, daemon=True)
        self._thread.start()
        self._loop = started.result()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run work in the loop, and return or raise what it does."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the loop, with whatever still runs in it, and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def _run_loop(started: "Future[asyncio.AbstractEventLoop]") -> None:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        started.set_result(loop)
        loop.run_forever()
