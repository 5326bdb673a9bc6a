"""One connection through a proxy: carried both ways, held back, swallowed or cut."""

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import Callable
from typing import Final, Literal, TypeAlias, final

Address: TypeAlias = tuple[str, int]
Fate: TypeAlias = Literal["reset", "half_close"]

_PIECE_BYTES: Final = 65_536
# Closing drops what was not sent and tells the other side so, with a RST in place of a FIN.
_NO_LINGER: Final = struct.pack("ii", 1, 0)


@final
class Traffic:
    """The bytes that have arrived."""

    __slots__ = ("from_clients", "from_upstream")

    def __init__(self) -> None:
        self.from_clients = 0
        self.from_upstream = 0


@final
class Faults:
    """What is done to connections at the moment.

    Attributes:
        loses: Whether new connections lead nowhere.
        fate: What becomes of a connection whose client sends something; None for nothing.
    """

    __slots__ = ("_changed", "_latency", "fate", "loses")

    def __init__(self) -> None:
        self._latency = 0.0
        self._changed = asyncio.Event()
        self.loses = False
        self.fate: Fate | None = None

    def change(self, *, latency: float = 0.0, loses: bool = False, fate: Fate | None = None) -> None:
        """Do this from now on, and nothing else."""
        self._latency, self.loses, self.fate = latency, loses, fate
        self._changed.set()
        self._changed = asyncio.Event()

    async def release(self) -> None:
        """Wait until what has just arrived may go on."""
        loop = asyncio.get_running_loop()
        arrived = loop.time()
        while (left := arrived + self._latency - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if left == math.inf else left):
                    await self._changed.wait()


@final
class ProxiedConnection:
    """A connection of a client, and the one that stands for it upstream.

    Args:
        client: The client's.
        faults: What is done to it.
        traffic: Where its bytes are counted.
    """

    def __init__(self, client: socket.socket, faults: Faults, traffic: Traffic) -> None:
        self._client = _made_ready(client)
        self._server: socket.socket | None = None
        self._faults = faults
        self._traffic = traffic
        self._half_closed = False
        self._lost = faults.loses

    async def carry(self, upstream: Address) -> None:
        """Carry bytes until both sides are done, one of them fails, or the client of a lost connection is gone."""
        try:
            if self._lost:
                await self._carry_up(None)
            else:
                self._server = await _connect(upstream)
                await self._carry_both_ways(self._server)
        except* OSError:
            # One side was cut off, or the server is not there: the other is told so.
            self.drop_unsent()

    def lose(self) -> None:
        """Swallow what is sent from now on, each way."""
        self._lost = True

    def half_close(self) -> None:
        """Send the client nothing from now on, and tell it so."""
        if not self._half_closed:
            self._half_closed = True
            _end_sending(self._client)

    def drop_unsent(self) -> None:
        """Have both connections closed by a RST rather than a FIN."""
        for end in self._ends():
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)

    def close(self) -> None:
        """Close both connections."""
        for end in self._ends():
            end.close()

    def _ends(self) -> list[socket.socket]:
        return [self._client] if self._server is None else [self._client, self._server]

    async def _carry_both_ways(self, server: socket.socket) -> None:
        async with asyncio.TaskGroup() as ways:
            down = ways.create_task(self._carry_down(server))
            await self._carry_up(server)
            if self._lost:
                down.cancel()

    async def _carry_up(self, server: socket.socket | None) -> None:
        while piece := await _receive(self._client):
            self._traffic.from_clients += len(piece)
            self._meet_fate()
            await self._pass_on(piece, server, self._reaches_server)
        await self._pass_on(b"", server, self._reaches_server)

    async def _carry_down(self, server: socket.socket) -> None:
        try:
            while piece := await _receive(server):
                self._traffic.from_upstream += len(piece)
                await self._pass_on(piece, self._client, self._reaches_client)
        except OSError:
            # Of a lost connection the client hears nothing more, not even this.
            if not self._lost:
                raise
        await self._pass_on(b"", self._client, self._reaches_client)

    async def _pass_on(self, piece: bytes, sink: socket.socket | None, reaches: Callable[[], bool]) -> None:
        """Send a piece when it is time, or end the sending where it is empty; unless it reaches nobody by then."""
        if reaches():
            await self._faults.release()
        if sink is None or not reaches():
            return
        if piece:
            await asyncio.get_running_loop().sock_sendall(sink, piece)
        else:
            _end_sending(sink)

    def _reaches_server(self) -> bool:
        return not self._lost

    def _reaches_client(self) -> bool:
        return not self._lost and not self._half_closed

    def _meet_fate(self) -> None:
        if self._faults.fate == "reset":
            raise ConnectionResetError
        if self._faults.fate == "half_close":
            self.half_close()


async def _connect(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    connection = _made_ready(socket.socket(family, socket.SOCK_STREAM))
    try:
        await asyncio.get_running_loop().sock_connect(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


async def _receive(source: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(source, _PIECE_BYTES)


def _end_sending(sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side is gone already
        sink.shutdown(socket.SHUT_WR)


def _made_ready(connection: socket.socket) -> socket.socket:
    connection.settimeout(0)
    # Small messages go on at once: no latency but the one that was asked for.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
