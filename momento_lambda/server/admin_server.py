"""The admin port: plain HTTP beside the server, for whoever runs it.

Threads answer there, each connection in one of its own, so that a slow reader never takes a turn of the event loop
that answers calls. What they ask of the server is answered in that loop, which shows whether it is alive.
"""

import asyncio
import concurrent.futures
import logging
import socket
import socketserver
from collections.abc import Coroutine
from threading import Thread
from typing import Any, Final, NamedTuple, TypeVar, final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from momento_lambda.endpoint import Endpoint
from momento_lambda.server.admin_pages import AdminPages, NoAnswerError
from momento_lambda.server.readiness import Health
from momento_lambda.server.server import CacheServer, ListenError
from momento_lambda.server.status import Status

Result = TypeVar("Result")

_log: Final = logging.getLogger("momento_lambda.server")

_PATIENCE_SECONDS: Final = 2.0
# How soon it notices that it is to stop.
_POLL_SECONDS: Final = 0.1
_SLOWEST_READER_SECONDS: Final = 10.0


class AdminAddress(NamedTuple):
    """Where the admin port is: off loopback, everyone there can read the names of caches and what they are used for."""

    host: str
    port: int


@final
class AdminServer:
    """Serves the admin pages of a server.

    Args:
        server: What they are about; it has started.
        address: Where to listen; port 0 for any that is free.

    Raises:
        ListenError: The address is taken or not this machine's.
    """

    def __init__(self, server: CacheServer, address: AdminAddress) -> None:
        observed = _FromThreads(server, asyncio.get_running_loop())
        try:
            self._http = _HttpServer(address, AdminPages(observed, server.endpoint.target))
        except OSError as error:
            target = Endpoint(address.host, address.port, tls=False).target
            raise ListenError(f"the admin port cannot listen on {target}: {error.strerror}") from error
        Thread(target=self._http.serve_forever, args=(_POLL_SECONDS,), name="momento-lambda-admin", daemon=True).start()
        _log.info("admin pages on %s", self.url)

    @property
    def url(self) -> str:
        """The status page."""
        return f"http://{Endpoint(self._http.server_name, self._http.server_port, tls=False).target}/"

    async def stop(self) -> None:
        """Answer no more."""
        # The loop goes on meanwhile: a thread may be waiting for its answer.
        await asyncio.to_thread(self._http.shutdown)
        self._http.server_close()


@final
class _FromThreads:
    """A server, asked from other threads than its own."""

    def __init__(self, server: CacheServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop

    def health(self) -> Health:
        """Return how the server fares."""
        return self._ask(self._health())

    def status(self) -> Status:
        """Return what the server says of itself."""
        return self._ask(self._server.status())

    async def _health(self) -> Health:
        return self._server.health

    def _ask(self, question: Coroutine[Any, Any, Result]) -> Result:
        answer = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return answer.result(_PATIENCE_SECONDS)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError) as error:
            answer.cancel()
            raise NoAnswerError from error


@final
class _HttpServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: AdminAddress, pages: AdminPages) -> None:
        if ":" in address.host:
            self.address_family = socket.AF_INET6
        super().__init__((address.host, address.port), _RequestHandler)
        self.set_app(pages)

    def server_bind(self) -> None:
        """Bind, without asking the network for the name of this machine as the standard library would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the standard library's names
        """Tell the log of a connection that broke off or fell silent; nothing else depends on it."""
        _log.debug("an admin connection ended", exc_info=True)


@final
class _RequestHandler(WSGIRequestHandler):
    timeout = _SLOWEST_READER_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Log nothing: every probe would be a line."""
