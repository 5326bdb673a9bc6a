import asyncio
import gc
import socket
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import (
    ClientStateError,
    Configuration,
    CredentialProvider,
    InvalidArgumentError,
    InvalidTokenError,
    Miss,
    MomentoError,
    SimpleCacheClient,
    SimpleCacheClientAsync,
)
from momento_lambda.runtime.clients import GivenClient, WarmClients, close_shared_clients, shared_clients
from momento_lambda.runtime.credential_source import CredentialSource
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.runtime.conftest import Network

PATIENT = 30.0
CONFIGURATION = Configuration(timeout=PATIENT)


@pytest.fixture
def clients(server: LocalServer) -> Iterator[WarmClients]:
    """The clients of an environment whose server answers."""
    warm = WarmClients(lambda: server.credentials, CONFIGURATION, PATIENT)
    yield warm
    warm.close()


@contextmanager
def black_hole() -> Iterator[CredentialProvider]:
    """Credentials of an address that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield CredentialProvider.for_local(port=listening.getsockname()[1])


def test_one_client_for_all_threads(server: LocalServer) -> None:
    """Twenty threads that come at once are given one client, whose credentials were asked for once."""
    asked: list[int] = []

    def credentials() -> CredentialProvider:
        asked.append(threading.get_ident())
        return server.credentials

    clients = WarmClients(credentials, CONFIGURATION, PATIENT)
    together = threading.Barrier(20)

    def take(_: int) -> SimpleCacheClient:
        together.wait()
        return clients.for_threads()

    with ThreadPoolExecutor(20) as pool:
        taken = set(pool.map(take, range(20)))
    assert 1 == len(taken) == len(asked)
    assert Miss() == taken.pop().get("cache", "key")
    clients.close()


def test_the_rest_wait_until_the_first_is_connected(clients: WarmClients, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes while the client is connecting gets it once it is connected, not before."""
    connecting, proceed = threading.Event(), threading.Event()

    def ping(_: SimpleCacheClient, timeout: float) -> None:
        assert PATIENT == timeout
        connecting.set()
        assert proceed.wait(PATIENT)

    monkeypatch.setattr(SimpleCacheClient, "ping", ping)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(clients.for_threads)
        assert connecting.wait(PATIENT)
        second = pool.submit(clients.for_threads)
        with pytest.raises(TimeoutError):
            second.result(0.05)
        proceed.set()
        assert first.result() is second.result()


def test_a_client_is_kept(clients: WarmClients) -> None:
    """The client stays the same until it is closed; after that there is another."""
    first = clients.for_threads()
    assert first is clients.for_threads()
    clients.close()
    clients.close()
    with pytest.raises(ClientStateError, match="closed"):
        first.get("cache", "key")
    assert Miss() == clients.for_threads().get("cache", "key")


async def test_one_client_for_all_tasks(server: LocalServer) -> None:
    """Tasks of one loop that come at once are given one client, connected."""
    asked: list[None] = []

    def credentials() -> CredentialProvider:
        asked.append(None)
        return server.credentials

    clients = WarmClients(credentials, CONFIGURATION, PATIENT)
    taken = await asyncio.gather(*(clients.for_loop() for _ in range(20)))
    assert 1 == len(set(taken)) == len(asked)
    assert await clients.for_loop() is taken[0]
    assert Miss() == await taken[0].get("cache", "key")
    await taken[0].close()


def test_each_loop_has_its_own_client(clients: WarmClients) -> None:
    """A new loop is given a client of its own, and the old loop goes on with the one it had."""

    async def get() -> SimpleCacheClientAsync:
        client = await clients.for_loop()
        assert Miss() == await client.get("cache", "key")
        return client

    with asyncio.Runner() as one, asyncio.Runner() as two:
        taken = [runner.run(get()) for runner in (one, two, one, two)]
    assert (taken[0], taken[1]) == (taken[2], taken[3])
    assert taken[0] is not taken[1]


def test_clients_of_closed_loops_are_let_go(clients: WarmClients) -> None:
    """A loop that was closed leaves no client behind once another asks for its own."""

    async def get() -> "weakref.ref[SimpleCacheClientAsync]":
        client = await clients.for_loop()
        assert Miss() == await client.get("cache", "key")
        return weakref.ref(client)

    taken = [asyncio.run(get()) for _ in range(4)]
    gc.collect()
    assert [True, True, True, False] == [client() is None for client in taken]


def test_a_first_connection_that_fails(clients: WarmClients) -> None:
    """Where the first connection comes to nothing in its time, the call fails, and the next goes on with the client."""
    with black_hole() as credentials:
        failing = WarmClients(lambda: credentials, CONFIGURATION, 0.05)
        with pytest.raises(MomentoError):
            failing.for_threads()
        assert failing.for_threads() is failing.for_threads()
        failing.close()
    assert clients.for_threads() is clients.for_threads()


async def test_a_first_connection_on_a_loop_that_fails() -> None:
    """For loops it is the same: one call fails, the next goes on."""
    with black_hole() as credentials:
        failing = WarmClients(lambda: credentials, CONFIGURATION, 0.05)
        with pytest.raises(MomentoError):
            await failing.for_loop()
        client = await failing.for_loop()
        assert client is await failing.for_loop()
        await client.close()


async def test_a_cancelled_connection_is_no_loss() -> None:
    """Where the task that was connecting is cancelled, those that waited go on."""
    with black_hole() as credentials:
        found = CredentialSource(lambda: credentials)
        found.get()
        clients = WarmClients(found, CONFIGURATION, PATIENT)
        first = asyncio.create_task(clients.for_loop())
        second = asyncio.create_task(clients.for_loop())
        await asyncio.sleep(0)
        first.cancel()
        client = await second
        assert first.cancelled()
        await client.close()


@pytest.mark.parametrize("works", [True, False], ids=["server", "no token"])
def test_starting_builds_in_the_background(server: LocalServer, *, works: bool) -> None:
    """`start` returns at once and raises nothing, whatever comes of it."""
    building, proceed = threading.Event(), threading.Event()

    def credentials() -> CredentialProvider:
        building.set()
        assert proceed.wait(PATIENT)
        if not works:
            raise InvalidTokenError("no token")
        return server.credentials

    clients = WarmClients(credentials, CONFIGURATION, PATIENT)
    clients.start()
    assert building.wait(PATIENT)
    [thread] = [thread for thread in threading.enumerate() if thread.name == "momento-lambda-connect"]
    assert thread.daemon
    proceed.set()
    thread.join(PATIENT)
    assert not thread.is_alive()
    if works:
        assert Miss() == clients.for_threads().get("cache", "key")
    clients.close()


def test_alike_is_shared() -> None:
    """Whoever is configured alike shares one set of clients; any difference makes another."""
    other = Configuration(timeout=PATIENT, retries=1)
    assert shared_clients(CONFIGURATION, 1.0) is shared_clients(Configuration(timeout=PATIENT), 1.0)
    apart = {id(shared_clients(*options)) for options in ((CONFIGURATION, 1.0), (CONFIGURATION, 2.0), (other, 1.0))}
    assert 3 == len(apart)


def test_shared_clients_end_when_they_are_closed() -> None:
    """Closing closes and forgets them; whoever asks next gets others, with the environment's token."""
    clients = shared_clients(CONFIGURATION, PATIENT)
    client = clients.for_threads()
    close_shared_clients()
    with pytest.raises(ClientStateError, match="closed"):
        client.get("cache", "key")
    assert clients is not shared_clients(CONFIGURATION, PATIENT)
    assert Miss() == shared_clients(CONFIGURATION, PATIENT).for_threads().get("cache", "key")


@pytest.mark.parametrize("loop_is_over", [True, False])
def test_connections_of_loops_end_when_shared_clients_are_closed(network: "Network", *, loop_is_over: bool) -> None:
    """Closing them leaves no connection of a loop's behind, which would look for its server for ever."""
    credentials = CredentialProvider.for_local(port=network.port)
    with asyncio.Runner() as runner:
        clients = shared_clients(CONFIGURATION, PATIENT, lambda: credentials)
        runner.run(use_for_loop(clients))
        assert 1 == network.connections
        if loop_is_over:
            runner.close()
        close_shared_clients()
        network.wait_until_closed()


async def use_for_loop(clients: WarmClients) -> None:
    """Connect the client of the running loop."""
    await (await clients.for_loop()).ping()


@pytest.mark.parametrize("seconds", [0, -1, 61, float("nan"), "1", None])
def test_a_connect_timeout_that_cannot_be(seconds: Any) -> None:
    """A time to connect that is not above 0, or longer than any start may take, is refused."""
    with pytest.raises(InvalidArgumentError, match="connect_timeout is"):
        WarmClients(CredentialProvider.for_local, CONFIGURATION, seconds)


async def test_a_given_client_is_the_client(server: LocalServer) -> None:
    """A client of the user's own is what calls are made with, as it is."""
    with SimpleCacheClient(server.credentials, 60) as client:
        assert client is GivenClient(client).for_threads()
    async with SimpleCacheClientAsync(server.credentials, 60) as later:
        assert later is await GivenClient(later).for_loop()


async def test_a_factory_is_called_once(server: LocalServer) -> None:
    """A function that builds the client is called on first need, once."""
    built: list[SimpleCacheClient] = []

    def build() -> SimpleCacheClient:
        built.append(SimpleCacheClient(server.credentials, 60))
        return built[-1]

    given = GivenClient(build)
    assert [] == built
    with ThreadPoolExecutor(5) as pool:
        taken = set(pool.map(lambda _: given.for_threads(), range(5)))
    assert set(built) == taken
    assert 1 == len(built)


def failing() -> SimpleCacheClient:
    """Build nothing."""
    raise KeyError("MY_TOKEN")


def refusing() -> SimpleCacheClient:
    """Build nothing, for a reason of ours."""
    raise InvalidTokenError("no token")


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (failing, ClientStateError, r"could not be built \(KeyError\)"),
        (refusing, InvalidTokenError, "no token"),
        (lambda: None, ClientStateError, "of type NoneType"),
        ("client", ClientStateError, "of type str"),
    ],
    ids=["raises", "refuses", "returns nothing", "no client"],
)
async def test_a_client_that_is_none(given: Any, kind: type[MomentoError], message: str) -> None:
    """Whatever is given instead of a client ends in an error of ours, which the cache takes for its own trouble."""
    with pytest.raises(kind, match=message):
        GivenClient(given).for_threads()
    with pytest.raises(kind, match=message):
        await GivenClient(given).for_loop()


async def test_each_side_needs_its_kind(server: LocalServer) -> None:
    """Plain functions need the client for threads and coroutines the other, and the message says which was given."""
    with (
        SimpleCacheClient(server.credentials, 60) as client,
        pytest.raises(ClientStateError, match=r"need a SimpleCacheClientAsync: .* SimpleCacheClient$"),
    ):
        await GivenClient(client).for_loop()
    async with SimpleCacheClientAsync(server.credentials, 60) as later:
        with pytest.raises(ClientStateError, match=r"need a SimpleCacheClient: .* SimpleCacheClientAsync$"):
            GivenClient(later).for_threads()
