"""The Lambda Runtime API of one execution environment, over HTTP on a loopback port.

A function's process asks for an event (``GET .../invocation/next``, held until there is one), posts its response
or error, and asks again. With SnapStart it asks to be restored first (``GET .../restore/next``, held until it is).
``RuntimeApi`` holds the state of that conversation; the two classes below it put it on a socket. All that the
function says is passed on as a ``Report``, before the function has its receipt: once it acts on the receipt, by ending
its process for example, the report is already there.
"""

import json
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from typing_extensions import override

from momento_lambda.testing.invocation import Failure
from momento_lambda.testing.reports import (
    Checkpointed,
    Failed,
    HandedOut,
    InitFailed,
    Polled,
    Report,
    Responded,
    RestoreFailed,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

RESPONSE_LIMIT = 6_291_556
_LOOPBACK = "127.0.0.1"
_PREFIX = "/2018-06-01/runtime"
_OUTCOME = re.compile(rf"{_PREFIX}/invocation/(?P<request_id>[^/]+)/(?P<outcome>response|error)")


@dataclass(frozen=True, slots=True)
class Event:
    """An event for the function, with what its handler sees in the context."""

    request_id: str
    body: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class _Reply:
    status: HTTPStatus
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class RuntimeApi:
    """The Runtime API of one function process; a context manager that listens while it is open.

    Args:
        report: Called with everything that the function says, from the threads that serve it.
    """

    def __init__(self, report: Callable[[Report], None]) -> None:
        self._report = report
        # Queues, which leave no lock taken in whoever is interrupted. None is a word for all who ask: who takes it puts
        # it back. Among the events it means that there will be no more.
        self._pending: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._restores: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._handed_out: dict[str, float] = {}
        self._init_failed = False
        self._closing = False
        self._listener = _Listener(self)
        self._accepting = threading.Thread(target=self._accept, name="runtime-api", daemon=True)

    @property
    def address(self) -> str:
        """Where the API listens, as ``host:port``: the value of ``AWS_LAMBDA_RUNTIME_API``."""
        return f"{_LOOPBACK}:{self._listener.server_port}"

    def offer(self, event: Event) -> None:
        """Hand out an event to the function as soon as it asks for one."""
        self._pending.put(event)

    def restore(self) -> None:
        """Tell a function that waits for it that it was restored from its snapshot."""
        self._restores.put(None)

    def __enter__(self) -> "Self":
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self._closing = True
        self._pending.put(None)
        self._restores.put(None)
        # Nothing but a connection wakes a thread that waits for one.
        socket.create_connection((_LOOPBACK, self._listener.server_port)).close()
        self._accepting.join()
        self._listener.hang_up()

    def _accept(self) -> None:
        while not self._closing:
            self._listener.handle_request()

    def reply(self, method: str, path: str, body: bytes, kind: str = "") -> _Reply:
        """Answer one request of the function.

        Args:
            method: GET or POST.
            path: What is asked for.
            body: What came with it.
            kind: The header with the type of an error, which may say more than the body.
        """
        match method, path.partition(_PREFIX):
            case "GET", ("", _, "/invocation/next"):
                return self._next()
            case "GET", ("", _, "/restore/next"):
                return self._restore_next()
            case "POST", ("", _, "/init/error"):
                return self._init_error(_failure(body, kind))
            case "POST", ("", _, "/restore/error"):
                self._report(RestoreFailed(_failure(body, kind)))
                return _accepted()
        if method == "POST" and (match := _OUTCOME.fullmatch(path)):
            return self._conclude(match["request_id"], match["outcome"], body)
        return _refusal(HTTPStatus.NOT_FOUND, "NotFound", f"The Runtime API has no {method} {path}")

    def _next(self) -> _Reply:
        self._report(Polled(time.perf_counter()))
        event = self._pending.get()
        if event is None:
            self._pending.put(None)
            return _closed()
        with self._lock:
            self._handed_out[event.request_id] = time.perf_counter()
        self._report(HandedOut(event.request_id))
        return _Reply(HTTPStatus.OK, event.body, _headers(event))

    def _restore_next(self) -> _Reply:
        self._report(Checkpointed())
        self._restores.get()
        self._restores.put(None)
        return _closed() if self._closing else _Reply(HTTPStatus.OK, b"")

    def _init_error(self, error: Failure) -> _Reply:
        with self._lock:
            first, self._init_failed = not self._init_failed, True
        if not first:
            # Every process of a managed instance imports the module for itself, and Lambda takes one word for it.
            return _refusal(HTTPStatus.FORBIDDEN, "InvalidStateTransition", "The init has failed already")
        self._report(InitFailed(error))
        return _accepted()

    def _conclude(self, request_id: str, outcome: str, body: bytes) -> _Reply:
        with self._lock:
            started = self._handed_out.pop(request_id, None)
        if started is None:
            message = f"No event {request_id} is waiting for an outcome"
            return _refusal(HTTPStatus.BAD_REQUEST, "InvalidRequestID", message)
        seconds = time.perf_counter() - started
        if outcome == "error":
            self._report(Failed(request_id, _failure(body), seconds))
            return _accepted()
        if len(body) > RESPONSE_LIMIT:
            self._report(Failed(request_id, _too_large(len(body)), seconds))
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", "Too large a response")
        self._report(Responded(request_id, body, seconds))
        return _accepted()


def _headers(event: Event) -> dict[str, str]:
    return {
        "Lambda-Runtime-Aws-Request-Id": event.request_id,
        "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
        "Lambda-Runtime-Trace-Id": event.trace_id,
    }


def _failure(body: bytes, kind: str = "") -> Failure:
    report = json.loads(body)
    type_, message = report["errorType"], report["errorMessage"]
    if kind and kind != type_:
        type_, message = kind, f"{type_}: {message}"
    return Failure(type_, message, tuple(report["stackTrace"]))


def _too_large(size: int) -> Failure:
    message = f"The response has {size} bytes; Lambda carries {RESPONSE_LIMIT} at most"
    return Failure("Function.ResponseSizeTooLarge", message)


def _closed() -> _Reply:
    return _refusal(HTTPStatus.GONE, "Closed", "This execution environment is shutting down")


def _accepted() -> _Reply:
    return _Reply(HTTPStatus.ACCEPTED, b'{"status":"OK"}')


def _refusal(status: HTTPStatus, kind: str, message: str) -> _Reply:
    return _Reply(status, json.dumps({"errorType": kind, "errorMessage": message}).encode())


class _Listener(ThreadingMixIn, HTTPServer):
    """One thread per connection, all of them joined when it closes."""

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        self._connections: WeakSet[socket.socket] = WeakSet()
        self._conversations: WeakSet[threading.Thread] = WeakSet()
        super().__init__((_LOOPBACK, 0), _Conversation)

    @override
    def get_request(self) -> tuple[socket.socket, Any]:
        connection, peer = super().get_request()
        self._connections.add(connection)
        return connection, peer

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        # Daemons, so that an interpreter which ends without closing this is not held up.
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._conversations.add(thread)
        thread.start()

    def hang_up(self) -> None:
        """Close the port and every connection, also those that a stray process still holds at its end."""
        for connection in self._connections:
            # Those already gone are what this is for.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._conversations:
            thread.join()
        self.server_close()


class _Conversation(BaseHTTPRequestHandler):
    """HTTP in, HTTP out."""

    protocol_version = "HTTP/1.1"
    # The reply is small and awaited: Nagle's algorithm would keep it back for 40 ms.
    disable_nagle_algorithm = True
    server: _Listener

    @override
    def handle(self) -> None:
        # The function may die at any time; that its process ended says more than that its connection did.
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Answer a GET."""
        self._send(self.server.api.reply("GET", self.path, b""))

    def do_POST(self) -> None:
        """Answer a POST."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers.get("Lambda-Runtime-Function-Error-Type", "")
        self._send(self.server.api.reply("POST", self.path, body, kind))

    def _send(self, reply: _Reply) -> None:
        self.send_response(reply.status)
        # Without it, the runtime client would pass the event on as text.
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the log of a function holds what the function wrote."""
