"""A server, a network in front of it that tests may break, and time that tests move."""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypeAlias, cast

import pytest

from momento_lambda import CredentialProvider, SimpleCacheClient, SimpleCacheClientAsync
from momento_lambda.client.stopwatch import Clocks
from momento_lambda.endpoint import Endpoint
from momento_lambda.runtime.clients import WarmClients
from momento_lambda.server import LocalServer
from tests.function_environment import token_alone
from tests.twins import awaitable

PATIENT: Final = 30.0
"""Seconds: what is not about slowness gets all the time that a busy machine needs."""

Take: TypeAlias = Callable[[WarmClients], Awaitable[SimpleCacheClientAsync]]


class Time:
    """What both clocks say; tests move them."""

    def __init__(self) -> None:
        self.monotonic = 1_000.0
        self.wall = 1_800_000_000.0

    @property
    def clocks(self) -> Clocks:
        """The two clocks."""
        return lambda: self.monotonic, lambda: self.wall

    def pass_by(self, seconds: float) -> None:
        """Let both go on."""
        self.monotonic += seconds
        self.wall += seconds


class Network:
    """What every connection to the server goes through, counted; those that are open may be broken."""

    def __init__(self, server_port: int) -> None:
        self.connections = 0
        self._silent = False
        self._server_port = server_port
        self._open: list[_Link] = []
        self._changed = threading.Condition()
        self._swallowed = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def fall_silent(self) -> None:
        """Swallow whatever the open connections carry from now on, as a middlebox that lost them may."""
        with self._changed:
            for link in self._open:
                link.silent = True

    def fall_silent_from_now(self) -> None:
        """Swallow whatever any connection carries, later ones too."""
        self._silent = True
        self.fall_silent()

    async def wait_until_swallowed(self) -> None:
        """Return when something was lost in a silent connection."""
        assert await asyncio.to_thread(self._swallowed.wait, PATIENT)

    def reset(self) -> None:
        """Reset the open connections."""
        with self._changed:
            for link in self._open:
                link.reset()

    def wait_until_closed(self, *, but: int = 0) -> None:
        """Return when no connection is open any more, but for so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._open) == but, PATIENT)

    def close(self) -> None:
        """Accept no more connections, and end those that are open."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENT)
        self._listening.close()
        self.reset()
        self.wait_until_closed()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                client.close()
                continue
            link = _Link(client, server, self._swallowed)
            link.silent = self._silent
            with self._changed:
                self.connections += 1
                self._open.append(link)
            threading.Thread(target=self._carry, args=(link,), daemon=True).start()

    def _carry(self, link: "_Link") -> None:
        back = threading.Thread(target=link.carry, args=(link.server, link.client), daemon=True)
        back.start()
        link.carry(link.client, link.server)
        back.join()
        with self._changed:
            link.close()
            self._open.remove(link)
            self._changed.notify_all()


class _Link:
    """One connection, carried on to the server."""

    def __init__(self, client: socket.socket, server: socket.socket, swallowed: threading.Event) -> None:
        self.client = client
        self.server = server
        self.silent = False
        self._swallowed = swallowed

    def carry(self, source: socket.socket, target: socket.socket) -> None:
        """Carry one direction until either side ends."""
        try:
            while data := source.recv(65_536):
                if self.silent:
                    self._swallowed.set()
                else:
                    target.sendall(data)
        except OSError:
            pass  # reset: the other direction ends with it
        for end in (source, target):
            _shut(end)

    def reset(self) -> None:
        """End it as a machine does that knows nothing of it."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        _shut(self.server)

    def close(self) -> None:
        """Let go of both ends."""
        self.client.close()
        self.server.close()


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # gone already


def _for_threads(*args: Any, **kwargs: Any) -> SimpleCacheClientAsync:
    return awaitable(SimpleCacheClient(*args, **kwargs))


async def _take_for_threads(clients: WarmClients) -> SimpleCacheClientAsync:
    return awaitable(await asyncio.to_thread(clients.for_threads))


async def _take_for_loop(clients: WarmClients) -> SimpleCacheClientAsync:
    return await clients.for_loop()


@pytest.fixture(params=[_for_threads, SimpleCacheClientAsync], ids=["threads", "loop"])
def make(request: pytest.FixtureRequest) -> Callable[..., SimpleCacheClientAsync]:
    """Make a client of either kind."""
    return cast("Callable[..., SimpleCacheClientAsync]", request.param)


@pytest.fixture(params=[_take_for_threads, _take_for_loop], ids=["threads", "loop"])
def take(request: pytest.FixtureRequest) -> Take:
    """Take a client of either kind from warm clients."""
    return cast("Take", request.param)


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    """The server of all these tests, with one cache."""
    with LocalServer(caches=["cache"], grace=0) as running:
        yield running


@pytest.fixture
def network(server: LocalServer) -> Iterator[Network]:
    """The way to the server."""
    between = Network(server.port)
    yield between
    between.close()


@pytest.fixture
def credentials(server: LocalServer, network: Network) -> CredentialProvider:
    """What a client needs to reach the server by way of the network."""
    endpoint = Endpoint("127.0.0.1", network.port, tls=False)
    return CredentialProvider(server.create_token(), cache_endpoint=endpoint, control_endpoint=endpoint)


@pytest.fixture
def time() -> Time:
    """Time that stands still."""
    return Time()


@pytest.fixture(autouse=True)
def environment(server: LocalServer) -> Iterator[None]:
    """What a function's environment says: a token, and nothing else."""
    with token_alone(server):
        yield
