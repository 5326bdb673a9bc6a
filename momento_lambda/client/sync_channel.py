"""A connection for threads: calls, retries within one deadline, and errors of our own kind."""

import threading
import time
from collections.abc import Callable
from typing import Any, final

import grpc

from momento_lambda.client import forks
from momento_lambda.client.failures import call_error
from momento_lambda.client.headers import INTRODUCTION, Metadata
from momento_lambda.client.retry import DOUBTFUL_SECONDS, LONGEST_IDLE_SECONDS, SHORTEST_SILENCE_SECONDS, Retry
from momento_lambda.client.stopwatch import Stopwatch
from momento_lambda.errors import AuthenticationError, ClientStateError, MomentoError
from momento_lambda.wire.packed import PACKED_REPLIES
from momento_lambda.wire.rpc import Reply, Request, Rpc


@final
class SyncChannel:
    """A connection that is made on first use and made anew after a long rest, for all threads.

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
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._closed = False
        self._introduced = False
        self._answers = 0
        # One entry for each call that is under way: threads add and take away without a lock.
        self._under_way: list[None] = []
        # Another object with each connection, by which a call sees that its own was replaced.
        self._calls: dict[Rpc[Any, Any], Any] = {}
        forks.watch(self)

    @property
    def doubtful(self) -> bool:
        """Whether it has answered, but was left alone for so long that it may be dead without a sign."""
        return self._answers > 0 and self._idle.seconds() > DOUBTFUL_SECONDS

    def unary(self, rpc: Rpc[Request, Reply], request: Request, metadata: Metadata, timeout: float) -> Reply:
        """Return the one answer to a request.

        Raises:
            MomentoError: The call failed, and so did every attempt that it was safe to make after it.
        """
        reply: Reply = self._attempt(rpc, request, metadata, timeout)
        return reply

    def stream(self, rpc: Rpc[Request, Reply], request: Request, metadata: Metadata, timeout: float) -> list[Reply]:
        """Return all the messages that a request is streamed, in which a server may have packed its answers.

        Raises:
            MomentoError: As `unary`; what had arrived by then is dropped.
        """
        replies: list[Reply] = self._attempt(rpc, request, (*metadata, PACKED_REPLIES), timeout)
        return replies

    def claim(self) -> None:
        """Check that calls may be made; threads share a connection, so there is nothing to belong to.

        Raises:
            ClientStateError: The connection is closed.
        """
        if self._closed:
            raise _closed_error()

    def disconnect(self) -> None:
        """Close the connection; the next call makes another, and calls under way are repeated on it where they may."""
        with self._lock:
            self._drop()

    @property
    def busy(self) -> bool:
        """Whether threads have calls under way."""
        return bool(self._under_way)

    def before_fork(self) -> None:
        """Do nothing: no thread stays inside gRPC for those that make calls themselves."""

    def after_fork(self) -> None:
        """Leave the connection to the parent, in a child process; the next call makes another."""
        # Whoever held the lock when the process was forked does not exist in the child.
        self._lock = threading.Lock()
        self._under_way.clear()
        if self._channel is not None:
            forks.leave(self._channel)
            self._channel = None
        self._drop()

    def close(self) -> None:
        """Close the connection; calls under way end as cancelled, later ones are refused."""
        with self._lock:
            self._closed = True
            self._drop()

    def _attempt(self, rpc: Rpc[Any, Any], request: object, metadata: Metadata, timeout: float) -> Any:
        doubtful = self._wake()
        deadline = time.monotonic() + timeout
        if doubtful and rpc.repeatable and self._retries:
            timeout /= 2  # the other half is for a new connection, should this one be dead
        retry: Retry | None = None
        if not self._introduced:
            metadata += INTRODUCTION
            self._introduced = True
        while True:
            calls, answers = self._calls, self._answers
            try:
                return self._send(rpc, request, metadata, timeout)
            except grpc.RpcError as failure:
                status = failure.code().name
                retry = retry or Retry(rpc, self._retries, deadline, doubtful=doubtful)
                if retry.blames_connection(status, good=answers > 0, silent=self._silent(answers, timeout)):
                    self._renew(calls)
                pause = retry.pause_after(status, renewed=self._replaced(calls))
                if pause is None:
                    raise self._error(rpc, failure) from failure
            except ValueError as failure:
                # Closed between the look-up and the call, if it is not an error of gRPC's.
                if self._closed:
                    raise _closed_error() from failure
                if not self._replaced(calls):
                    raise
                continue
            time.sleep(pause)
            timeout = retry.time_left()

    def _send(self, rpc: Rpc[Any, Any], request: object, metadata: Metadata, timeout: float) -> Any:
        self._begin_call()
        try:
            call = self._calls.get(rpc) or self._prepare(rpc)
            answer = call(request, timeout, metadata)
            reply = list(answer) if rpc.streams else answer
        finally:
            self._under_way.pop()
        self._answers += 1
        return reply

    def _begin_call(self) -> None:
        """Note that a call is under way, for which a fork waits; wait for one that is about to happen."""
        self._under_way.append(None)
        while (over := forks.pending()) is not None:
            self._under_way.pop()
            over.wait()
            self._under_way.append(None)

    def _wake(self) -> bool:
        """Note that a call begins: make the connection anew after a long rest, and return whether it may be dead."""
        calls = self._calls
        idle = self._idle.restart()
        if idle <= DOUBTFUL_SECONDS:
            return False
        if idle > LONGEST_IDLE_SECONDS:
            self._renew(calls)
        # What never answered may still be connecting, which gRPC goes on with by itself.
        return self._answers > 0

    def _renew(self, calls: dict[Rpc[Any, Any], Any]) -> None:
        """Drop the connection that these calls are of, unless somebody did so before."""
        with self._lock:
            if self._calls is calls:
                self._drop()

    def _silent(self, answers: int, seconds: float) -> bool:
        """Whether the connection had given answers, and no more came in the seconds that a call has waited."""
        return seconds >= SHORTEST_SILENCE_SECONDS and self._answers == answers > 0

    def _replaced(self, calls: dict[Rpc[Any, Any], Any]) -> bool:
        return self._calls is not calls and not self._closed

    def _drop(self) -> None:
        self._calls = {}
        self._introduced = False
        self._answers = 0
        channel, self._channel = self._channel, None
        if channel is not None:
            # First, so that there are never two.
            channel.close()

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

    def _error(self, rpc: Rpc[Any, Any], failure: grpc.RpcError) -> MomentoError:
        error = call_error(rpc, self._target, failure)
        if isinstance(error, AuthenticationError):
            self._refused()
        return error

    def _connect(self) -> grpc.Channel:
        forks.check()
        if self._credentials is None:
            return grpc.insecure_channel(self._target, self._options)
        return grpc.secure_channel(self._target, self._credentials, self._options)


def _closed_error() -> ClientStateError:
    return ClientStateError("the client is closed: make a new one")
