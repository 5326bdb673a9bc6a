"""One event loop a thread, kept from invocation to invocation.

Lambda calls a handler as a plain function. Were each invocation to run in a loop of its own, every connection that
belongs to a loop would be stranded when that loop closes.
"""

import asyncio
import contextvars
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_threads = threading.local()
# In a child process, the runner of its parent. Closing it would unregister files that the parent waits for.
_of_parent: list[asyncio.Runner] = []


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on this thread's loop, which stays open.

    Raises:
        RuntimeError: This thread is running a loop already; await the coroutine there.
    """
    runner: asyncio.Runner | None = getattr(_threads, "runner", None)
    if runner is None:
        runner = _threads.runner = asyncio.Runner()
    # Without a context of its own, every run would see the context variables of the first.
    return runner.run(coroutine, context=contextvars.copy_context())


def close() -> None:
    """Close this thread's loop, if it has one; the next `run` opens another."""
    runner: asyncio.Runner | None = getattr(_threads, "runner", None)
    if runner is not None:
        del _threads.runner
        runner.close()


def _after_fork() -> None:
    """Leave this thread's loop to the parent, in a child process."""
    runner: asyncio.Runner | None = getattr(_threads, "runner", None)
    if runner is not None:
        del _threads.runner
        _of_parent.append(runner)


os.register_at_fork(after_in_child=_after_fork)
