"""A connection for one event loop: calls, retries within one deadline, and errors of our own kind."""

import asyncio
import time
from typing import Any, final

import grpc
import grpc.aio

from momento_lambda.client.failures import call_error
from momento_lambda.client.headers import INTRODUCTION, Metadata
from momento_lambda.client.retry import Retry
from momento_lambda.errors import CancelledError, ClientStateError
from momento_lambda.wire.rpc import Reply, Request, Rpc


@final
class AsyncChannel:
    """A connection that is made on first use and belongs to the event loop of that use.

    Args:
        target: The address as gRPC takes it.
        credentials: What encrypts the connection; None for plaintext.
        options: gRPC's channel options.
        retries: How often a call that is safe to repeat is tried again.
    """

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials | None,
        options: list[tuple[str, int | str]],
        retries: int,
    ) -> None:
        self._target = target
        self._credentials = credentials
        self._options = options
        self._retries = retries
        self._loop: asyncio.AbstractEventLoop | None = None
        self._channel: grpc.aio.Channel | None = None
        self._closed = False
        self._introduced = False
        self._calls: dict[Rpc[Any, Any], Any] = {}

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
        """Return all the answers that a request is streamed.

        Raises:
            MomentoError: As `unary`; what had arrived by then is dropped.
        """
        replies: list[Reply] = await self._attempt(rpc, request, metadata, timeout)
        return replies

    def claim(self) -> None:
        """Belong to the running event loop from now on, as by a call.

        Raises:
            ClientStateError: The connection is closed, or belongs to another event loop.
        """
        if self._loop is not asyncio.get_running_loop():
            self._bind()

    async def close(self) -> None:
        """Close the connection; calls under way end as cancelled, later ones are refused.

        Raises:
            ClientStateError: The connection belongs to another event loop.
        """
        if self._channel is not None and self._loop is not asyncio.get_running_loop():
            raise _other_loop_error()
        self._closed = True
        self._loop = None
        self._calls = {}
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def _attempt(self, rpc: Rpc[Any, Any], request: object, metadata: Metadata, timeout: float) -> Any:
        if self._loop is not asyncio.get_running_loop():
            self._bind()
        call = self._calls.get(rpc) or self._prepare(rpc)
        deadline = time.monotonic() + timeout
        retry: Retry | None = None
        if not self._introduced:
            metadata += INTRODUCTION
            self._introduced = True
        while True:
            try:
                answer = call(request, timeout=timeout, metadata=metadata)
                return [reply async for reply in answer] if rpc.streams else await answer
            except grpc.aio.AioRpcError as failure:
                retry = retry or Retry(rpc, self._retries, deadline)
                pause = retry.pause_after(failure.code().name)
                if pause is None:
                    raise call_error(rpc, self._target, failure) from failure
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not self._closed or (task is not None and task.cancelling()):
                    raise
                # Nobody cancelled the caller: the connection was closed under the call.
                raise CancelledError(f"the client was closed during the call ({rpc.name})") from None
            await asyncio.sleep(pause)
            if self._closed:
                raise _closed_error()
            timeout = retry.time_left()

    def _bind(self) -> None:
        if self._closed:
            raise _closed_error()
        if self._loop is not None:
            raise _other_loop_error()
        self._channel = self._connect()
        self._loop = asyncio.get_running_loop()

    def _prepare(self, rpc: Rpc[Any, Any]) -> Any:
        assert self._channel is not None
        kind = self._channel.unary_stream if rpc.streams else self._channel.unary_unary
        call = kind(rpc.path, rpc.request.SerializeToString, rpc.reply.FromString)
        self._calls[rpc] = call
        return call

    def _connect(self) -> grpc.aio.Channel:
        if self._credentials is None:
            return grpc.aio.insecure_channel(self._target, self._options)
        return grpc.aio.secure_channel(self._target, self._credentials, self._options)


def _closed_error() -> ClientStateError:
    return ClientStateError("the client is closed: make a new one")


def _other_loop_error() -> ClientStateError:
    return ClientStateError(
        "the client belongs to another event loop: keep one loop for the life of the process, or one client per loop"
    )
