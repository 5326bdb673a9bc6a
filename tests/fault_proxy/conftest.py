"""A proxy in front of a server that answers with what it is sent."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from momento_lambda.testing import FaultProxy

PATIENT_SECONDS = 30.0
"""What no socket here waits for, unless something is wrong."""

Connect: TypeAlias = Callable[[], socket.socket]
Echo: TypeAlias = Callable[[bytes], tuple[str, int]]


class _Echo(socketserver.ThreadingTCPServer):
    """Greets, then sends back what it is sent until its client has no more."""

    def __init__(self, greeting: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.greeting = greeting


class _Conversation(socketserver.BaseRequestHandler):
    server: _Echo
    request: socket.socket

    def handle(self) -> None:
        # Some tests cut it off.
        with contextlib.suppress(OSError):
            self.request.sendall(self.server.greeting)
            while piece := self.request.recv(65_536):
                self.request.sendall(piece)


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Start echoing servers with a greeting each, and return where they listen."""
    with contextlib.ExitStack() as stack:

        def start(greeting: bytes) -> tuple[str, int]:
            server = stack.enter_context(_Echo(greeting))
            thread = threading.Thread(target=server.serve_forever, args=(0.001,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return "127.0.0.1", server.server_address[1]

        yield start


@pytest.fixture
def proxy(echo: Echo) -> Iterator[FaultProxy]:
    """A proxy in front of an echoing server that greets with "hello"."""
    with FaultProxy(*echo(b"hello")) as running:
        yield running


@pytest.fixture
def connect(proxy: FaultProxy) -> Iterator[Connect]:
    """Connect to the proxy."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection((proxy.host, proxy.port), PATIENT_SECONDS))


@pytest.fixture
def greeted(connect: Connect) -> Connect:
    """Connect to the proxy and hear the greeting: then the connection is known to lead somewhere."""

    def greeted() -> socket.socket:
        connection = connect()
        assert b"hello" == connection.recv(5, socket.MSG_WAITALL)
        return connection

    return greeted
