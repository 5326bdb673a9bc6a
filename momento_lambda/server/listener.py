"""A gRPC server that goes on listening.

Whoever names a procedure in bytes that are no text ends the serving of `grpc.aio` for good: one such request, from
anyone who can connect, and nobody listens any more. Here another server takes the address at once. What the first one
was answering it still answers, and its callers are told to connect anew, which they do unasked.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, final

import grpc.aio

from momento_lambda.errors import MomentoError

_log: Final = logging.getLogger("momento_lambda.server")

# What is being answered when a server ends by itself may take this long. A call that reached it too late to be answered
# waits for as long, and is then cancelled.
_GRACE_SECONDS: Final = 1.0
# The one that ended lets go of its address a moment later.
_PAUSE_SECONDS: Final = 0.001


@final
class Listener:
    """Serves on one address until it is stopped.

    Args:
        make: Returns a server that can answer and does not listen yet.
        bind: Makes it listen on the address, the same each time.
    """

    def __init__(self, make: Callable[[], grpc.aio.Server], bind: Callable[[grpc.aio.Server], None]) -> None:
        self._make = make
        self._bind = bind
        self._server: grpc.aio.Server | None = None
        self._stopping = False
        self._revival: asyncio.Task[None] | None = None
        self._endings: dict[grpc.aio.Server, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Listen, in the running event loop, or raise what keeps `bind` from it."""
        server = self._make()
        self._bind(server)
        await self._serve(server)

    async def stop(self, grace: float) -> None:
        """Take no more calls, and end.

        Args:
            grace: The seconds that calls in flight may take to finish; what is left then is cut off.
        """
        self._stopping = True
        if self._revival is not None:
            await self._revival
        # One that has just ended by itself is about to shut down, which it does in a task of its own.
        await asyncio.sleep(0)
        servers = [*self._endings, *([self._server] if self._server is not None else [])]
        self._server = None
        await asyncio.gather(*(server.stop(grace) for server in servers))
        await asyncio.gather(*self._endings.values())

    def _on_end(self, task: "asyncio.Task[Any]") -> None:
        if task.cancelled() or task.exception() is None or self._server is None or self._stopping:
            return
        _log.warning("gRPC has stopped listening, which a request can bring about: %r", task.exception())
        ended, self._server = self._server, None
        self._revival = asyncio.create_task(self._listen_anew())
        self._endings[ended] = asyncio.create_task(self._end(ended))

    async def _serve(self, server: grpc.aio.Server) -> None:
        before = asyncio.all_tasks()
        await server.start()
        # Among the tasks that it has started is the one that serves, which nothing else leads to.
        for task in filter(_is_of_grpc, asyncio.all_tasks() - before):
            task.add_done_callback(self._on_end)
        self._server = server

    async def _listen_anew(self) -> None:
        server = self._make()
        while not self._stopping:
            try:
                self._bind(server)
            except MomentoError:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            await self._serve(server)
            return

    async def _end(self, server: grpc.aio.Server) -> None:
        """Let a server that has ended by itself finish what it was answering."""
        await asyncio.sleep(0)
        try:
            await server.stop(_GRACE_SECONDS)
        finally:
            del self._endings[server]


def _is_of_grpc(task: "asyncio.Task[Any]") -> bool:
    """Whether a task runs compiled code, which in this process is the transport's alone to start."""
    return type(task.get_coro()).__module__.startswith("_cython")
