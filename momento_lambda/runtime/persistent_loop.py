"""One event loop a thread, kept from invocation to invocation.

Lambda calls a handler as a plain function. Were each invocation to run in a loop of its own, every connection that
belongs to a loop would be stranded when that loop closes.
"""

import asyncio
import contextvars
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar, final

T = TypeVar("T")

_threads = threading.local()
# In a child process, the runner of its parent. Closing it would unregister files that the parent waits for.
_of_parent: list[asyncio.Runner] = []


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on this thread's loop, which stays open.

    Raises:
        RuntimeError: This thread is running a loop already; await the coroutine there.
    """
    # Without a context of its own, every run would see the context variables of the first.
    return _runner().run(coroutine, context=contextvars.copy_context())


def is_in_running_loop() -> bool:
    """Whether this thread is running a loop already, so that `run` would raise."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def begin(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine on this thread's loop already, in the background, for as long as this thread has no use for it.

    What is not over by then goes on beside whatever this thread runs. Nobody hears of an exception, so it should raise
    none.
    """
    _threads.head_start = _HeadStart(_runner(), coroutine)


def take_back() -> None:
    """Have this thread's loop stand still, where something that was begun is still running on it."""
    head_start: _HeadStart | None = getattr(_threads, "head_start", None)
    if head_start is not None:
        del _threads.head_start
        head_start.end()


def close() -> None:
    """Close this thread's loop, if it has one; the next `run` opens another."""
    take_back()
    runner: asyncio.Runner | None = getattr(_threads, "runner", None)
    if runner is not None:
        del _threads.runner
        runner.close()


def _runner() -> asyncio.Runner:
    take_back()
    runner: asyncio.Runner | None = getattr(_threads, "runner", None)
    if runner is None:
        runner = _threads.runner = asyncio.Runner()
    return runner


@final
class _HeadStart:
    """A loop lent to a thread in the background, which runs a coroutine on it until that is over or the loop wanted."""

    def __init__(self, runner: asyncio.Runner, coroutine: Coroutine[Any, Any, object]) -> None:
        # Here, since it is this thread's loop that it makes.
        self._loop = runner.get_loop()
        self._wanted = asyncio.Event()
        self._thread = threading.Thread(
            target=runner.run, args=(self._run(coroutine),), name="momento-lambda-loop", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Give the loop back."""
        self._loop.call_soon_threadsafe(self._wanted.set)
        self._thread.join()

    async def _run(self, coroutine: Coroutine[Any, Any, object]) -> None:
        work = asyncio.ensure_future(coroutine)
        # A loop holds on to none of its tasks.
        _begun.add(work)
        work.add_done_callback(_begun.discard)
        wanted = asyncio.ensure_future(self._wanted.wait())
        await asyncio.wait((work, wanted), return_when=asyncio.FIRST_COMPLETED)
        wanted.cancel()


_begun: set[asyncio.Future[object]] = set()


def _after_fork() -> None:
    """Leave this thread's loop to the parent, in a child process."""
    if hasattr(_threads, "head_start"):
        del _threads.head_start
    runner: asyncio.Runner | None = getattr(_threads, "runner", None)
    if runner is not None:
        del _threads.runner
        _of_parent.append(runner)


os.register_at_fork(after_in_child=_after_fork)
