"""The one connection to a node that all calls share.

Commands that are asked for while others are on their way go out together, and replies come in the order of the
commands. So many calls at once cost the gateway and the node few system calls, and need no pool of connections.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias, final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

from momento_lambda.server.store_url import Address
from momento_lambda.server.valkey.errors import OutcomeUnknownError, UnreachableError

Command: TypeAlias = tuple[bytes | str | int, ...]
Reply: TypeAlias = Any
Connect: TypeAlias = Callable[[Address], AbstractConnection]

PATIENCE_SECONDS: Final = 3.0
"""How long a node that owes replies may send none before its connection counts as lost."""

_CONNECT_SECONDS: Final = 1.0
# Between two attempts to connect, so that calls to a node that is gone fail at once.
_PAUSE_SECONDS: Final = 0.1


@final
class Link:
    """A node, connected to when it is asked something, and again after the connection was lost.

    Args:
        address: Where the node listens.
        connect: Makes a connection, which is not opened yet.
        patience: As above.
    """

    def __init__(self, address: Address, connect: Connect, *, patience: float = PATIENCE_SECONDS) -> None:
        self._address = address
        self._connect = connect
        self._patience = patience
        self._connection: _SharedConnection | None = None
        self._opening: asyncio.Task[_SharedConnection] | None = None
        self._failure: UnreachableError | None = None
        self._next_attempt = 0.0

    @property
    def idle(self) -> bool:
        """Whether no reply is waited for."""
        return self._opening is None and (self._connection is None or not self._connection.waiting)

    async def ask(self, command: Command) -> Reply:
        """Send a command and return the reply.

        Raises:
            ResponseError: The reply is an error.
            UnreachableError: The command was not sent.
            OutcomeUnknownError: It was sent, and the connection was lost before the reply.
        """
        connection = self._connection
        if connection is None or connection.ended:
            connection = await self._opened()
        return await connection.ask(command)

    async def ask_as_told(self, command: Command) -> Reply:
        """Ask as `ask` does for a slot that is about to become this node's, to which another node has sent us."""
        connection = await self._opened()
        _, reply = await asyncio.gather(connection.ask(("ASKING",)), connection.ask(command))
        return reply

    async def close(self, reason: str = "the connection was closed") -> None:
        """Let go of the connection. The next command opens another."""
        if self._opening is not None:
            self._opening.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(reason)

    async def _opened(self) -> "_SharedConnection":
        if self._connection is not None and not self._connection.ended:
            return self._connection
        if self._opening is None:
            if self._failure is not None and asyncio.get_running_loop().time() < self._next_attempt:
                raise UnreachableError(self._address, self._failure.reason)
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._attempted)
        opening = self._opening
        # Others wait for the same, so one that gives up does not end it.
        await asyncio.wait({opening})
        if opening.cancelled():
            raise UnreachableError(self._address, "the connection was closed")
        return opening.result()

    async def _open(self) -> "_SharedConnection":
        connection = self._connect(self._address)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await connection.connect()  # type: ignore[no-untyped-call]  # the library's
        except TimeoutError:
            await connection.disconnect(nowait=True)
            raise UnreachableError(self._address, f"no connection within {_CONNECT_SECONDS:g} s") from None
        except (OSError, RedisError) as error:
            await connection.disconnect(nowait=True)
            raise UnreachableError(self._address, error) from error
        return _SharedConnection(self._address, connection, self._patience)

    def _attempted(self, opening: "asyncio.Task[_SharedConnection]") -> None:
        self._opening = None
        if opening.cancelled():
            return
        error = opening.exception()
        if error is None:
            self._connection = opening.result()
        self._failure = error if isinstance(error, UnreachableError) else None
        self._next_attempt = asyncio.get_running_loop().time() + _PAUSE_SECONDS


@final
class _SharedConnection:
    """An open connection, until it is lost."""

    def __init__(self, address: Address, connection: AbstractConnection, patience: float) -> None:
        self.ended = False
        self.waiting: deque[asyncio.Future[Reply]] = deque()
        self._address = address
        self._connection = connection
        self._patience = patience
        self._unsent: list[Command] = []
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._answers = 0
        self._watch: asyncio.TimerHandle | None = None
        self._tasks = [asyncio.create_task(self._until_lost(work())) for work in (self._send, self._receive)]

    def ask(self, command: Command) -> "asyncio.Future[Reply]":
        """Send a command soon, after those asked for before, and return what will be its reply."""
        reply: asyncio.Future[Reply] = self._loop.create_future()
        if self.ended:
            reply.set_exception(UnreachableError(self._address, "the connection was lost"))
            return reply
        self.waiting.append(reply)
        self._unsent.append(command)
        self._wake.set()
        if self._watch is None:
            self._watch = self._loop.call_later(self._patience, self._check, self._answers)
        return reply

    async def close(self, reason: str) -> None:
        """End it; what was sent and not answered may have been done."""
        self._end(reason)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.disconnect(nowait=True)

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._unsent = self._unsent, []
            packed = self._connection.pack_commands(batch)
            await self._connection.send_packed_command(packed, check_health=False)

    async def _receive(self) -> None:
        while True:
            try:
                answer = await self._connection.read_response()
            except ResponseError as error:
                self._next().set_exception(error)
            else:
                self._next().set_result(answer)

    def _next(self) -> "asyncio.Future[Reply]":
        self._answers += 1
        reply = self.waiting.popleft()
        # Whoever gave up waiting is told nothing.
        return self._loop.create_future() if reply.done() else reply

    async def _until_lost(self, work: Any) -> None:
        try:
            await work
        except (OSError, RedisError) as error:
            self._end(error)
            await self._connection.disconnect(nowait=True)

    def _check(self, answers_before: int) -> None:
        self._watch = None
        if not self.waiting:
            return
        if self._answers == answers_before:
            self._end(f"no reply within {self._patience:g} s")
        else:
            self._watch = self._loop.call_later(self._patience, self._check, self._answers)

    def _end(self, reason: object) -> None:
        if self.ended:
            return
        self.ended = True
        if self._watch is not None:
            self._watch.cancel()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        sent = len(self.waiting) - len(self._unsent)
        for place, reply in enumerate(self.waiting):
            if not reply.done():
                error = OutcomeUnknownError if place < sent else UnreachableError
                reply.set_exception(error(self._address, reason))
        self.waiting.clear()
        self._unsent.clear()
