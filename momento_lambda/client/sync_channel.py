"""A connection for threads: calls, retries within one deadline, and errors of our own kind."""

import threading
import time
from typing import Any, final

import grpc

from momento_lambda.client.failures import call_error
from momento_lambda.client.headers import INTRODUCTION, Metadata
from momento_lambda.client.retry import Retry
from momento_lambda.errors import ClientStateError
from momento_lambda.wire.rpc import Reply, Request, Rpc


@final
class SyncChannel:
    """A connection that is made on first use and shared by all threads.

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
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._closed = False
        self._introduced = False
        self._calls: dict[Rpc[Any, Any], Any] = {}

    def unary(self, rpc: Rpc[Request, Reply], request: Request, metadata: Metadata, timeout: float) -> Reply:
        """Return the one answer to a request.

        Raises:
            MomentoError: The call failed, and so did every attempt that it was safe to make after it.
        """
        reply: Reply = self._attempt(rpc, request, metadata, timeout)
        return reply

    def stream(self, rpc: Rpc[Request, Reply], request: Request, metadata: Metadata, timeout: float) -> list[Reply]:
        """Return all the answers that a request is streamed.

        Raises:
            MomentoError: As `unary`; what had arrived by then is dropped.
        """
        replies: list[Reply] = self._attempt(rpc, request, metadata, timeout)
        return replies

    def claim(self) -> None:
        """Check that calls may be made; threads share a connection, so there is nothing to belong to.

        Raises:
            ClientStateError: The connection is closed.
        """
        if self._closed:
            raise _closed_error()

    def close(self) -> None:
        """Close the connection; calls under way end as cancelled, later ones are refused."""
        with self._lock:
            self._closed = True
            self._calls = {}
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _attempt(self, rpc: Rpc[Any, Any], request: object, metadata: Metadata, timeout: float) -> Any:
        call = self._calls.get(rpc) or self._prepare(rpc)
        deadline = time.monotonic() + timeout
        retry: Retry | None = None
        if not self._introduced:
            metadata += INTRODUCTION
            self._introduced = True
        while True:
            try:
                answer = call(request, timeout, metadata)
                return list(answer) if rpc.streams else answer
            except grpc.RpcError as failure:
                retry = retry or Retry(rpc, self._retries, deadline)
                pause = retry.pause_after(failure.code().name)
                if pause is None:
                    raise call_error(rpc, self._target, failure) from failure
            except ValueError as failure:
                if not self._closed:
                    raise
                # Closed between the look-up and the call.
                raise _closed_error() from failure
            time.sleep(pause)
            timeout = retry.time_left()

    def _prepare(self, rpc: Rpc[Any, Any]) -> Any:
        with self._lock:
            if self._closed:
                raise _closed_error()
            if self._channel is None:
                self._channel = self._connect()
            kind = self._channel.unary_stream if rpc.streams else self._channel.unary_unary
            call = kind(rpc.path, rpc.request.SerializeToString, rpc.reply.FromString)
            self._calls[rpc] = call
        return call

    def _connect(self) -> grpc.Channel:
        if self._credentials is None:
            return grpc.insecure_channel(self._target, self._options)
        return grpc.secure_channel(self._target, self._credentials, self._options)


def _closed_error() -> ClientStateError:
    return ClientStateError("the client is closed: make a new one")
