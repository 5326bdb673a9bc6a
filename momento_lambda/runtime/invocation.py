"""One invocation: how long it has left, and the work that must be over before it returns."""

import contextvars
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    import asyncio

_RESERVE_SECONDS = 0.05
"""What the handler keeps for itself at the end: to answer without the cache, and to report."""

_current: contextvars.ContextVar["Invocation | None"] = contextvars.ContextVar("invocation", default=None)


@final
class Invocation:
    """The time that an invocation has, and what was started in it.

    On Lambda, work that is left running is frozen with the environment, and thawed into somebody else's invocation.
    So whatever is started here is waited for before the handler returns.

    Args:
        seconds: How long it has, from now; None where nobody says.
        clock: Seconds, monotonic.
    """

    def __init__(self, seconds: float | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = None if seconds is None else clock() + seconds - _RESERVE_SECONDS
        self._lock = threading.Lock()
        self._own_thread = threading.get_ident()
        self._endings: list[Callable[[], object]] = []
        self._threads: list[threading.Thread] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def time_left(self) -> float | None:
        """Return the seconds left, less a reserve and never under 0; None where nobody says."""
        return None if self._deadline is None else max(self._deadline - self._clock(), 0.0)

    def in_own_thread(self) -> bool:
        """Whether the caller is in the thread that the handler runs in, and not beside it."""
        return threading.get_ident() == self._own_thread

    def at_end(self, work: Callable[[], object]) -> None:
        """Have work done in the handler's own thread when it ends, after what was started, which may be late."""
        self._endings.append(work)

    def start(self, work: Callable[[], object]) -> None:
        """Run work in a thread beside the handler."""
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(work,), name="momento-lambda-refresh", daemon=True)
        with self._lock:
            # Only what runs can be joined.
            thread.start()
            self._threads.append(thread)

    def join_this_loop(self) -> None:
        """Note that `join_async` will be awaited in the running event loop."""
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        self._loop = asyncio.get_running_loop()

    def joins_this_loop(self) -> bool:
        """Whether a task that is started in the running event loop would be waited for."""
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        return self._loop is asyncio.get_running_loop()

    def start_async(self, work: Callable[[], Awaitable[object]]) -> None:
        """Run work in a task beside the handler, in the running event loop, which must be the one that is joined."""
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        async def run() -> None:
            await work()

        self._tasks.add(asyncio.get_running_loop().create_task(run()))

    def join(self) -> None:
        """Wait for the threads that were started, and for those that they start, for as long as there is time."""
        while threads := self._started():
            for thread in threads:
                thread.join(self.time_left())

    async def join_async(self) -> None:
        """Wait for the tasks that were started, and for those that they start, for as long as there is time.

        Those that take longer are cancelled.
        """
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        while self._tasks:
            tasks, self._tasks = self._tasks, set()
            _, late = await asyncio.wait(tasks, timeout=self.time_left())
            for task in late:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    context = {"message": "work beside a handler failed", "exception": outcome}
                    asyncio.get_running_loop().call_exception_handler(context)

    def _started(self) -> list[threading.Thread]:
        with self._lock:
            threads, self._threads = self._threads, []
        return threads

    def __enter__(self) -> "Invocation":
        self._reset = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for work in self._endings:
                work()
        finally:
            _current.reset(self._reset)


def current_invocation() -> Invocation | None:
    """Return the invocation that the caller runs in, or None outside a handler."""
    return _current.get()


def time_left() -> float | None:
    """Return the seconds that the invocation has left, less a reserve; None where nobody says."""
    invocation = _current.get()
    return None if invocation is None else invocation.time_left()
