"""A network that fails on demand: a TCP proxy in front of a server."""

import asyncio
import contextlib
import math
import socket
from collections.abc import Coroutine
from functools import partial
from types import TracebackType
from typing import Any, Final, final

from momento_lambda.loop_thread import LoopThread
from momento_lambda.testing.proxied_connection import Address, Fate, Faults, ProxiedConnection, Traffic

_HOST: Final = "127.0.0.1"


@final
class FaultProxy:
    """A TCP proxy for tests, which does to connections what networks and servers do to them.

    It listens on a free port of the loopback interface and runs in a thread of its own, so that synchronous and
    asynchronous callers may use it alike. What is asked of it holds when the method returns, for every connection that
    was open when it was called. Of the faults that last (latency, freezing, a black hole, those on data) each replaces
    the one before.

        with LocalServer() as server, FaultProxy("127.0.0.1", server.port) as proxy:
            ...                   # a client that is told proxy.address in place of the server's
            proxy.black_hole()    # from here on its calls run into their timeouts
            proxy.heal()          # and here new connections work

    Args:
        host: Where connections are passed on to.
        port: The port there.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._faults = Faults()
        self._traffic = Traffic()
        self._connections: dict[ProxiedConnection, asyncio.Task[None]] = {}
        self._opened = 0
        self._address: Address | None = None
        self._listener: socket.socket | None = None
        self._thread: LoopThread | None = None

    @property
    def host(self) -> str:
        """The address it listens on."""
        return _HOST

    @property
    def port(self) -> int:
        """The port it listens on, which stays the same while it refuses connections."""
        if self._address is None:
            raise _not_running()
        return self._address[1]

    @property
    def address(self) -> str:
        """Both, as `host:port`."""
        return f"{_HOST}:{self.port}"

    @property
    def connections_opened(self) -> int:
        """How many connections clients have opened so far."""
        return self._opened

    @property
    def connections_live(self) -> int:
        """How many of them are open, those included that lead nowhere."""
        return len(self._connections)

    @property
    def bytes_from_clients(self) -> int:
        """How many bytes clients have sent, passed on or not."""
        return self._traffic.from_clients

    @property
    def bytes_from_upstream(self) -> int:
        """How many bytes the server has sent, passed on or not."""
        return self._traffic.from_upstream

    def add_latency(self, seconds: float) -> None:
        """Hold everything back for at least so long, each way, what is on its way included; 0 for not at all."""
        self._run(self._delay(seconds))

    def freeze(self) -> None:
        """Hold everything back until `heal`, which lets it through: a network that is away for a while."""
        self._run(self._delay(math.inf))

    def black_hole(self) -> None:
        """Swallow whatever is sent, each way, and say nothing: a network that dropped its connections in silence.

        New connections are accepted and lead nowhere. None of them comes back: after `heal`, only new ones work.
        """
        self._run(self._lose())

    def reset(self) -> None:
        """End every connection with a RST, as the peer that was killed does; new ones are not concerned."""
        self._run(self._reset())

    def reset_on_data(self) -> None:
        """End each connection with a RST when its client sends something: in the middle of a call."""
        self._run(self._strike("reset"))

    def half_close(self) -> None:
        """Tell every client that the server will send no more; what clients send still arrives there."""
        self._run(self._half_close())

    def half_close_on_data(self) -> None:
        """As `half_close`, for each connection when its client sends something: in the middle of a call."""
        self._run(self._strike("half_close"))

    def refuse(self) -> None:
        """Refuse new connections; those that are open go on."""
        self._run(self._refuse())

    def point_to(self, host: str, port: int) -> None:
        """Pass new connections on to another server; those that are open keep theirs."""
        self._run(self._point_to((host, port)))

    def heal(self) -> None:
        """Do nothing to connections from now on, let through what was held back, and accept new ones."""
        self._run(self._heal())

    def __enter__(self) -> "FaultProxy":
        if self._thread is not None:
            raise RuntimeError("the proxy is running already: one `with` block at a time")
        self._listener = _bound((_HOST, 0))
        self._address = self._listener.getsockname()
        self._thread = LoopThread("momento-lambda-fault-proxy")
        self.heal()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        self._address = None
        if thread is not None:
            try:
                thread.run(self._close())
            finally:
                thread.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        if self._thread is None:
            work.close()
            raise _not_running()
        self._thread.run(_after_arrivals(work))

    # What follows runs in the proxy's own thread.

    async def _close(self) -> None:
        self._stop_listening()
        await self._end_connections()

    async def _delay(self, seconds: float) -> None:
        self._faults.change(latency=seconds)

    async def _lose(self) -> None:
        for connection in self._connections:
            connection.lose()
        self._faults.change(loses=True)

    async def _reset(self) -> None:
        for connection in self._connections:
            connection.drop_unsent()
        await self._end_connections()

    async def _half_close(self) -> None:
        for connection in self._connections:
            connection.half_close()

    async def _strike(self, fate: Fate) -> None:
        self._faults.change(fate=fate)

    async def _point_to(self, upstream: Address) -> None:
        self._upstream = upstream

    async def _refuse(self) -> None:
        self._stop_listening()
        # Bound and not listening: whoever comes is refused, and nobody else can take the port meanwhile.
        self._listener = _bound((_HOST, self.port))

    async def _heal(self) -> None:
        assert self._listener is not None
        self._faults.change()
        self._listener.listen()
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    async def _end_connections(self) -> None:
        tasks = list(self._connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()

    def _accept(self) -> None:
        assert self._listener is not None
        with contextlib.suppress(OSError):  # nobody is left, or whoever came has gone again
            while True:
                client, _ = self._listener.accept()
                self._open(client)

    def _open(self, client: socket.socket) -> None:
        self._opened += 1
        connection = ProxiedConnection(client, self._faults, self._traffic)
        task = asyncio.get_running_loop().create_task(connection.carry(self._upstream))
        self._connections[connection] = task
        task.add_done_callback(partial(self._forget, connection))

    def _forget(self, connection: "ProxiedConnection", _: asyncio.Task[None]) -> None:
        del self._connections[connection]
        connection.close()


async def _after_arrivals(work: Coroutine[Any, Any, None]) -> None:
    # One turn of the loop, in which those are let in who had connected when this was asked for.
    await asyncio.sleep(0)
    await work


def _bound(address: Address) -> socket.socket:
    bound = socket.socket()
    bound.settimeout(0)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(address)
    return bound


def _not_running() -> RuntimeError:
    return RuntimeError("the proxy is not running: use it inside its `with` block")
