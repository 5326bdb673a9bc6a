import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from momento_lambda.testing import FaultProxy

if TYPE_CHECKING:
    from tests.fault_proxy.conftest import Connect, Echo

LARGE = os.urandom(3_000_000)
NO_LINGER = struct.pack("ii", 1, 0)
MOMENT_SECONDS = 0.02
"""How long a test listens before it says that nothing comes. A test that is to pass never hears anything."""


@pytest.fixture
def upstream(proxy: FaultProxy) -> Iterator[socket.socket]:
    """A server that does what the test says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        proxy.point_to(*listener.getsockname())
        yield listener


def receive(connection: socket.socket, count: int) -> bytes:
    """Return so many bytes, or fewer where the other side sends no more."""
    with connection.makefile("rb") as stream:
        return stream.read(count)


def nothing_comes(connection: socket.socket) -> bool:
    """Return whether neither bytes nor an end arrive."""
    connection.settimeout(MOMENT_SECONDS)
    try:
        connection.recv(1)
    except TimeoutError:
        connection.settimeout(30)
        return True
    return False


def counted(proxy: FaultProxy) -> tuple[int, int, int, int]:
    """Return all that a proxy counts."""
    return proxy.connections_opened, proxy.connections_live, proxy.bytes_from_clients, proxy.bytes_from_upstream


def what_is_open() -> tuple[set[threading.Thread], int]:
    """Return the threads of this process, and how many files and sockets it has open."""
    return set(threading.enumerate()), len(list(Path("/dev/fd").iterdir()))


def test_bytes_pass_both_ways(greeted: "Connect") -> None:
    """Without a fault, what is sent arrives as it was, however much."""
    connection = greeted()
    sender = threading.Thread(target=connection.sendall, args=(LARGE,))
    sender.start()
    assert LARGE == receive(connection, len(LARGE))
    sender.join()


def test_ends_pass_both_ways(greeted: "Connect") -> None:
    """A client that has no more to send still gets the answer, and then the server's end."""
    connection = greeted()
    connection.sendall(b"last")
    connection.shutdown(socket.SHUT_WR)
    assert (b"last", b"") == (receive(connection, 4), connection.recv(1))


def test_it_counts(proxy: FaultProxy, greeted: "Connect") -> None:
    """Connections are counted as they come and while they last, bytes as they arrive."""
    for connection in (greeted(), greeted()):
        connection.sendall(b"word")
        assert b"word" == receive(connection, 4)
    assert (2, 2, 8, 18) == counted(proxy)
    proxy.reset()
    assert (2, 0, 8, 18) == counted(proxy)


@pytest.mark.parametrize("fault", ["freeze", "add_latency"])
def test_what_is_held_back_comes_later(proxy: FaultProxy, greeted: "Connect", fault: str) -> None:
    """While the network is away nothing arrives, and when it is back everything does."""
    connection = greeted()
    if fault == "freeze":
        proxy.freeze()
    else:
        proxy.add_latency(3600)
    connection.sendall(b"word")
    assert nothing_comes(connection)
    proxy.heal()
    assert b"word" == receive(connection, 4)


def test_latency(proxy: FaultProxy, greeted: "Connect") -> None:
    """With latency an answer arrives, no sooner than the latency of both ways."""
    connection = greeted()
    proxy.add_latency(0.02)
    started = time.monotonic()
    connection.sendall(b"word")
    assert b"word" == receive(connection, 4)
    assert 0.04 <= time.monotonic() - started


def test_a_black_hole_says_nothing(proxy: FaultProxy, greeted: "Connect", connect: "Connect") -> None:
    """In a black hole connections open and nothing comes of them, neither an answer nor an end."""
    before = greeted()
    proxy.black_hole()
    after = connect()
    for connection in (before, after):
        connection.sendall(b"word")
        assert nothing_comes(connection)


def test_what_was_dropped_stays_so(proxy: FaultProxy, greeted: "Connect", connect: "Connect") -> None:
    """Once healed, new connections work; those that met the black hole are lost for good, and not told."""
    before = greeted()
    proxy.black_hole()
    during = connect()
    proxy.heal()
    greeted()
    for connection in (before, during):
        connection.sendall(b"word")
        assert nothing_comes(connection)


@pytest.mark.parametrize("ending", ["FIN", "RST"])
def test_a_dropped_connection_does_not_end(
    connect: "Connect", upstream: socket.socket, proxy: FaultProxy, ending: str
) -> None:
    """A server that ends, or is cut off, says so to nobody whose connection was dropped."""
    connection = connect()
    server, _ = upstream.accept()
    with server:
        proxy.black_hole()
        if ending == "RST":
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    assert nothing_comes(connection)


def test_reset(proxy: FaultProxy, greeted: "Connect") -> None:
    """A reset is a RST: whoever reads or writes gets an error rather than an end. New connections work."""
    connection = greeted()
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    greeted()


def test_reset_on_data(proxy: FaultProxy, greeted: "Connect") -> None:
    """A connection is reset when something is sent on it, and not before."""
    silent, speaking = greeted(), greeted()
    proxy.reset_on_data()
    speaking.sendall(b"word")
    with pytest.raises(ConnectionResetError):
        speaking.recv(1)
    proxy.heal()
    silent.sendall(b"word")
    assert b"word" == receive(silent, 4)


def test_half_close(connect: "Connect", upstream: socket.socket, proxy: FaultProxy) -> None:
    """A half-closed connection sends its client no more, and still takes what the client sends."""
    connection = connect()
    server, _ = upstream.accept()
    with server:
        proxy.half_close()
        assert b"" == connection.recv(1)
        server.sendall(b"unheard")
        connection.sendall(b"word")
        assert b"word" == receive(server, 4)
    assert b"" == connection.recv(1)


def test_half_close_on_data(proxy: FaultProxy, greeted: "Connect") -> None:
    """A connection is half-closed when something is sent on it: the answer does not arrive, its end does."""
    silent, speaking = greeted(), greeted()
    proxy.half_close_on_data()
    speaking.sendall(b"word")
    assert b"" == speaking.recv(1)
    proxy.heal()
    silent.sendall(b"word")
    assert b"word" == receive(silent, 4)


def test_refuse(proxy: FaultProxy, greeted: "Connect", connect: "Connect") -> None:
    """New connections are refused while open ones go on; healed, it listens at the same port."""
    port, connection = proxy.port, greeted()
    proxy.refuse()
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect()
    connection.sendall(b"word")
    assert b"word" == receive(connection, 4)
    proxy.heal()
    greeted()
    assert port == proxy.port


def test_another_upstream(echo: "Echo", proxy: FaultProxy, greeted: "Connect", connect: "Connect") -> None:
    """New connections go where it points, those that are open stay where they are."""
    before = greeted()
    proxy.point_to(*echo(b"other"))
    assert b"other" == receive(connect(), 5)
    before.sendall(b"word")
    assert b"word" == receive(before, 4)


def test_no_server(proxy: FaultProxy, connect: "Connect") -> None:
    """Where the server is not there, a connection opens and is reset."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken and not listened at, so that nobody else comes to
        proxy.point_to(*taken.getsockname())
        with pytest.raises(ConnectionResetError):
            connect().recv(1)


def test_a_client_that_resets(connect: "Connect", upstream: socket.socket) -> None:
    """A client that ends with a RST ends the connection to the server with one."""
    connection = connect()
    server, _ = upstream.accept()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    connection.close()
    with server, pytest.raises(ConnectionResetError):
        server.recv(1)


@pytest.mark.parametrize("fault", ["heal", "freeze", "black_hole", "reset", "half_close", "refuse"])
def test_nothing_is_left_behind(fault: str) -> None:
    """When the block ends, its thread and its sockets are gone, whatever state they were in."""
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        before = what_is_open()
        with (
            FaultProxy(*upstream.getsockname()) as proxy,
            socket.create_connection((proxy.host, proxy.port)) as connection,
        ):
            connection.sendall(b"word")
            getattr(proxy, fault)()
            assert before != what_is_open()
        assert before == what_is_open()


def test_it_runs_again(echo: "Echo") -> None:
    """A proxy may be entered again, and does then nothing of what it was told before."""
    proxy = FaultProxy(*echo(b"hello"))
    with proxy:
        proxy.black_hole()
    with proxy, socket.create_connection((proxy.host, proxy.port)) as connection:
        assert b"hello" == receive(connection, 5)


def test_outside_its_block(echo: "Echo") -> None:
    """Outside a block there is no port, and nothing to ask of it; inside one, there is no second."""
    proxy = FaultProxy(*echo(b"hello"))
    with pytest.raises(RuntimeError, match="inside its `with` block"):
        proxy.port  # noqa: B018  # a property that raises
    with pytest.raises(RuntimeError, match="inside its `with` block"):
        proxy.heal()
    with proxy, pytest.raises(RuntimeError, match="one `with` block at a time"):
        proxy.__enter__()
