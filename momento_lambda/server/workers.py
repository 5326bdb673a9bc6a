"""Several processes that serve on one port, started, watched and ended by one that does not serve."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeAlias, final

from momento_lambda.errors import MomentoError
from momento_lambda.server.server import ListenError

_log: Final = logging.getLogger("momento_lambda.server")

# More than this in so many seconds is no accident: whatever ends the workers will end the next ones too.
_DEATHS_SECONDS: Final = 60.0
# Before each replacement. Together they outlast a store that is away for a while, without which none starts.
_PAUSES_SECONDS: Final = (0.0, 1.0, 2.0, 4.0, 8.0)
_MOST_DEATHS: Final = len(_PAUSES_SECONDS)

Command: TypeAlias = Callable[[int], Sequence[str]]
"""The program and arguments of a worker, by its number."""


class WorkerError(MomentoError):
    """A worker ended that should not have."""

    code = "WORKER"


@final
class Workers:
    """Processes that do the same work. One that dies is replaced.

    A worker prints a line when it serves. What it prints from then on is passed on, as is all that it writes to its
    standard error. It ends when it is sent SIGTERM, or when its standard input ends, which means that this process is
    gone. Signals that a terminal sends to all reach this process alone, which sends SIGTERM.

    Args:
        count: How many.
        command: How to start each.
        clock: Seconds, by which deaths are counted.
        sleep: Waits that many seconds.

    Attributes:
        processes: They, by their numbers.
    """

    def __init__(
        self,
        count: int,
        command: Command,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._count = count
        self._command = command
        self._clock = clock
        self._sleep = sleep
        self.processes: dict[int, asyncio.subprocess.Process] = {}
        self._deaths: deque[float] = deque(maxlen=_MOST_DEATHS)
        self._stopping = False
        self._missing: set[int] = set()

    async def run(self, ready: Callable[[str], None], stop: asyncio.Event) -> None:
        """Keep them running until told to stop, then end them.

        Args:
            ready: Called once all of them serve, with the line that says so.
            stop: Set when it is time to stop.

        Raises:
            WorkerError: The first did not start, or too many ended.
        """
        stopped = asyncio.create_task(stop.wait())
        keepers: list[asyncio.Task[None]] = []
        try:
            # One alone at first: what keeps a worker from starting is said once.
            lines = [await self._start(0)]
            lines += await asyncio.gather(*map(self._start, range(1, self._count)))
            keepers += [asyncio.create_task(self._keep(number)) for number in range(self._count)]
            ready(lines[0])
            done, _ = await asyncio.wait([stopped, *keepers], return_when=asyncio.FIRST_COMPLETED)
            for keeper in done - {stopped}:
                await keeper
        finally:
            self._stopping = True
            stopped.cancel()
            for number in self._missing:
                # Nobody waits any more for a replacement, which would not be told to end.
                keepers[number].cancel()
            await self._end()
            await asyncio.gather(*keepers, return_exceptions=True)

    async def _start(self, number: int) -> str:
        """Start a worker and return the line that it prints when it serves."""
        process = self.processes[number] = await asyncio.create_subprocess_exec(
            *self._command(number),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            process_group=0,
        )
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            code = await process.wait()
            raise WorkerError(f"a worker ended with {code} before it served: what it said of it stands above")
        return line.decode().rstrip("\n")

    async def _keep(self, number: int) -> None:
        while True:
            process = self.processes[number]
            await _pass_on(process)
            code = await process.wait()
            if self._stopping:
                return
            self._missing.add(number)
            await self._sleep(self._count_death(number, process.pid, code))
            # One that does not come to serve has died as well.
            with contextlib.suppress(WorkerError):
                await self._start(number)
            self._missing.discard(number)

    def _count_death(self, number: int, pid: int, code: int) -> float:
        """Return how long to wait before another is started."""
        now = self._clock()
        if len(self._deaths) == _MOST_DEATHS and now - self._deaths[0] < _DEATHS_SECONDS:
            raise WorkerError(
                f"more than {_MOST_DEATHS} workers ended within {_DEATHS_SECONDS:g} s, the last with {code}: no more "
                "are started, since whatever ends them would end those too"
            )
        recent = sum(now - death < _DEATHS_SECONDS for death in self._deaths)
        self._deaths.append(now)
        _log.warning("worker %d, process %d, ended with %d and is replaced", number, pid, code)
        return _PAUSES_SECONDS[recent]

    async def _end(self) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await asyncio.gather(*(process.wait() for process in self.processes.values()))


@contextlib.contextmanager
def shared_port(host: str, port: int) -> Iterator[int]:
    """Hold a port for workers that share it, and nobody else.

    Args:
        host: The address to listen on.
        port: The port, or 0 for one that is free.

    Raises:
        ListenError: Somebody else listens there, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # Without sharing: workers of another server would not say that they are there.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            address = probe.getsockname()
        with socket.socket(family, kind, protocol) as held:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(address)
            yield held.getsockname()[1]
    except OSError as error:
        raise ListenError(f"cannot listen on {host}:{port}: {error.strerror}; choose another host or port") from error


async def _pass_on(process: asyncio.subprocess.Process) -> None:
    """Print what a worker prints, to its end."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        os.write(1, line)
