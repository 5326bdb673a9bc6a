"""A connection for one event loop: calls, retries within one deadline, and errors of our own kind."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, final

import grpc
import grpc.aio

from momento_lambda.client import forks
from momento_lambda.client.failures import call_error
from momento_lambda.client.headers import INTRODUCTION, Metadata
from momento_lambda.client.retry import DOUBTFUL_SECONDS, LONGEST_IDLE_SECONDS, SHORTEST_SILENCE_SECONDS, Retry
from momento_lambda.client.stopwatch import Stopwatch
from momento_lambda.errors import AuthenticationError, CancelledError, ClientStateError, MomentoError
from momento_lambda.wire.packed import PACKED_REPLIES
from momento_lambda.wire.rpc import Reply, Request, Rpc


@final
class AsyncChannel:
    """A connection that is made on first use, for the event loop of that use, and made anew after a long rest.

    Args:
        target: The address as gRPC takes it.
        credentials: What encrypts the connection; None for plaintext.
        options: gRPC's channel options.
        retries: How often a call that is safe to repeat is tried again.
        idle: Counts the time without a call.
        refused: Called when the server does not accept the token.
    """

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials | None,
        options: list[tuple[str, int | str]],
        retries: int,
        *,
        idle: Stopwatch,
        refused: Callable[[], None],
    ) -> None:
        self._target = target
        self._credentials = credentials
        self._options = options
        self._retries = retries
        self._idle = idle
        self._refused = refused
        self._loop: asyncio.AbstractEventLoop | None = None
        self._channel: grpc.aio.Channel | None = None
        self._closed = False
        self._introduced = False
        self._answers = 0
        self._calls_under_way = 0
        # Another object with each connection, by which a call sees that its own was replaced.
        self._calls: dict[Rpc[Any, Any], Any] = {}
        forks.watch(self)

    @property
    def doubtful(self) -> bool:
        """Whether it has answered, but was left alone for so long that it may be dead without a sign."""
        return self._answers > 0 and self._idle.seconds() > DOUBTFUL_SECONDS

    async def unary(self, rpc: Rpc[Request, Reply], request: Request, metadata: Metadata, timeout: float) -> Reply:
        """Return the one answer to a request.

        Raises:
            MomentoError: The call failed, and so did every attempt that it was safe to make after it.
        """
        reply: Reply = await self._attempt(rpc, request, metadata, timeout)
        return reply

    async def stream(
        self, rpc: Rpc[Request, Reply], request: Request, metadata: Metadata, timeout: float
    ) -> list[Reply]:
        """Return all the messages that a request is streamed, in which a server may have packed its answers.

        Raises:
            MomentoError: As `unary`; what had arrived by then is dropped.
        """
        replies: list[Reply] = await self._attempt(rpc, request, (*metadata, PACKED_REPLIES), timeout)
        return replies

    def claim(self) -> None:
        """Belong to the running event loop from now on, as by a call.

        Raises:
            ClientStateError: The connection is closed, or belongs to another event loop.
        """
        if self._loop is not asyncio.get_running_loop():
            self._bind()

    async def disconnect(self) -> None:
        """Close the connection; the next call makes another, and calls under way are repeated on it where they may.

        Raises:
            ClientStateError: The connection belongs to another event loop.
        """
        self._check_loop()
        await self._drop()

    @property
    def busy(self) -> bool:
        """Whether it has calls under way on a loop that runs in another thread."""
        if not self._calls_under_way or self._loop is None or not self._loop.is_running():
            return False
        return self._loop is not asyncio._get_running_loop()  # noqa: SLF001  # public, but for its name

    def before_fork(self) -> None:
        """Close the connection, unless a call uses it; the next call makes another."""
        if not self._calls_under_way:
            self._forget()

    def after_fork(self) -> None:
        """Leave the connection and its event loop to the parent, in a child process; the next call makes another."""
        if self._channel is not None:
            forks.leave(self._channel)
        self._loop = None
        self._calls_under_way = 0
        self._forget()

    async def close(self) -> None:
        """Close the connection; calls under way end as cancelled, later ones are refused.

        Raises:
            ClientStateError: The connection belongs to another event loop.
        """
        self._check_loop()
        self._closed = True
        self._loop = None
        await self._drop()

    async def _attempt(self, rpc: Rpc[Any, Any], request: object, metadata: Metadata, timeout: float) -> Any:
        if self._loop is not asyncio.get_running_loop():
            self._bind()
        doubtful = await self._wake()
        deadline = time.monotonic() + timeout
        if doubtful and rpc.repeatable and self._retries:
            timeout /= 2  # the other half is for a new connection, should this one be dead
        retry: Retry | None = None
        if not self._introduced:
            metadata += INTRODUCTION
            self._introduced = True
        while True:
            calls, answers = self._calls, self._answers
            failure: grpc.aio.AioRpcError | None = None
            try:
                return await self._send(rpc, request, metadata, timeout)
            except grpc.aio.AioRpcError as error:
                failure = error
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._calls is calls or (task is not None and task.cancelling()):
                    raise
                # Nobody cancelled the caller: the connection was closed under the call.
            status = "CANCELLED" if failure is None else failure.code().name
            retry = retry or Retry(rpc, self._retries, deadline, doubtful=doubtful)
            if retry.blames_connection(status, good=answers > 0, silent=self._silent(answers, timeout)):
                await self._renew(calls)
            pause = retry.pause_after(status, renewed=self._replaced(calls))
            if pause is None:
                try:
                    raise self._error(rpc, failure) from failure
                finally:
                    # Its traceback knows this frame: with it the call would live on, and the connection with that.
                    failure = None
            await asyncio.sleep(pause)
            timeout = retry.time_left()

    async def _send(self, rpc: Rpc[Any, Any], request: object, metadata: Metadata, timeout: float) -> Any:
        self._calls_under_way += 1
        try:
            call = self._calls.get(rpc) or self._prepare(rpc)
            answer = call(request, timeout=timeout, metadata=metadata)
            reply = [reply async for reply in answer] if rpc.streams else await answer
        finally:
            self._calls_under_way -= 1
        self._answers += 1
        return reply

    async def _wake(self) -> bool:
        """Note that a call begins: make the connection anew after a long rest, and return whether it may be dead."""
        calls = self._calls
        idle = self._idle.restart()
        if idle <= DOUBTFUL_SECONDS:
            return False
        if idle > LONGEST_IDLE_SECONDS:
            await self._renew(calls)
        # What never answered may still be connecting, which gRPC goes on with by itself.
        return self._answers > 0

    async def _renew(self, calls: dict[Rpc[Any, Any], Any]) -> None:
        """Drop the connection that these calls are of, unless somebody did so before."""
        if self._calls is calls:
            await self._drop()

    def _silent(self, answers: int, seconds: float) -> bool:
        """Whether the connection had given answers, and no more came in the seconds that a call has waited."""
        return seconds >= SHORTEST_SILENCE_SECONDS and self._answers == answers > 0

    def _replaced(self, calls: dict[Rpc[Any, Any], Any]) -> bool:
        return self._calls is not calls and not self._closed

    async def _drop(self) -> None:
        channel = self._channel
        self._forget()
        if channel is not None:
            # First, so that there are never two.
            await channel.close()

    def _forget(self) -> None:
        self._channel = None
        self._calls = {}
        self._introduced = False
        self._answers = 0

    def _bind(self) -> None:
        if self._closed:
            raise _closed_error()
        self._check_loop()
        self._loop = asyncio.get_running_loop()

    def _check_loop(self) -> None:
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise ClientStateError(
                "the client belongs to another event loop: "
                "keep one loop for the life of the process, or one client per loop"
            )

    def _prepare(self, rpc: Rpc[Any, Any]) -> Any:
        if self._closed:
            raise _closed_error()
        if self._channel is None:
            self._channel = self._connect()
        kind = self._channel.unary_stream if rpc.streams else self._channel.unary_unary
        call = kind(rpc.path, rpc.request.SerializeToString, rpc.reply.FromString)
        self._calls[rpc] = call
        return call

    def _error(self, rpc: Rpc[Any, Any], failure: grpc.RpcError | None) -> MomentoError:
        if failure is None:
            return CancelledError(f"the connection was closed during the call ({rpc.name})")
        error = call_error(rpc, self._target, failure)
        if isinstance(error, AuthenticationError):
            self._refused()
        return error

    def _connect(self) -> grpc.aio.Channel:
        forks.check()
        if self._credentials is None:
            return grpc.aio.insecure_channel(self._target, self._options)
        return grpc.aio.secure_channel(self._target, self._credentials, self._options)


def _closed_error() -> ClientStateError:
    return ClientStateError("the client is closed: make a new one")
