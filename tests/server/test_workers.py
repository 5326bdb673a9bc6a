"""Processes that are watched: how they start, die, are replaced and end."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from momento_lambda.server.server import ListenError
from momento_lambda.server.workers import WorkerError, Workers, shared_port

SERVE = "print('up', flush=True); "


def worker(code: str) -> Callable[[int], list[str]]:
    """Return how to start workers that run some code, which knows its number."""
    return lambda number: [sys.executable, "-S", "-c", f"import os, sys; number = {number}; {code}"]


async def no_pause(_seconds: float) -> None:
    """Wait for nothing."""


async def test_they_end_when_told_to(capfd: pytest.CaptureFixture[str]) -> None:
    """All serve before that is said, what they print after that is passed on, and SIGTERM is how they end."""
    stop, lines = asyncio.Event(), list[str]()
    code = SERVE + "print(number, flush=True); import signal; signal.pause()"

    def ready(line: str) -> None:
        lines.append(line)
        stop.set()

    workers = Workers(3, worker(code))
    async with asyncio.timeout(20):
        await workers.run(ready, stop)
    assert ["up"] == lines
    assert {"0", "1", "2"} >= set(capfd.readouterr().out.split())
    assert {-signal.SIGTERM} == {process.returncode for process in workers.processes.values()}


async def test_one_that_dies_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    """The others go on, and what ended it is logged."""
    stop, served = asyncio.Event(), asyncio.Event()
    workers = Workers(2, worker(SERVE + "sys.stdin.read()"))
    run = asyncio.create_task(workers.run(lambda _: served.set(), stop))
    async with asyncio.timeout(20):
        await served.wait()
        first = {number: process.pid for number, process in workers.processes.items()}
        workers.processes[1].kill()
        while workers.processes[1].pid == first[1]:  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.005)
        stop.set()
        await run
    assert first[0] == workers.processes[0].pid
    assert f"worker 1, process {first[1]}, ended with -9 and is replaced" in caplog.text


async def test_those_that_keep_dying_are_not_replaced_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """After a few deaths in a short time, with longer and longer pauses, all end, and that is the error."""
    pauses = list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    started = worker(SERVE + "sys.exit(3) if number else sys.stdin.read()")
    workers = Workers(2, started, clock=lambda: 0, sleep=pause)
    caplog.set_level(logging.WARNING)
    async with asyncio.timeout(30):
        with pytest.raises(WorkerError, match="more than 5 workers ended within 60 s, the last with 3"):
            await workers.run(lambda _: None, asyncio.Event())
    assert 5 == len(caplog.records)
    assert [0, 1, 2, 4, 8] == pauses
    assert all(process.returncode is not None for process in workers.processes.values())


async def test_those_that_die_now_and_then_are(caplog: pytest.LogCaptureFixture) -> None:
    """Deaths that are further apart are no loop, however many there are."""
    stop, now = asyncio.Event(), 0.0

    async def pause(seconds: float) -> None:
        nonlocal now
        assert seconds == 0
        now += 61
        if now > 600:
            stop.set()

    workers = Workers(1, worker(SERVE + "sys.exit(3)"), clock=lambda: now, sleep=pause)
    async with asyncio.timeout(60):
        await workers.run(lambda _: None, stop)
    assert len(caplog.records) >= 10


async def test_one_that_cannot_start_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    """What keeps the first from serving keeps all, so no other is started."""
    workers = Workers(4, worker("sys.exit('the reason')"))
    async with asyncio.timeout(20):
        with pytest.raises(WorkerError, match=r"ended with 1 before it served: .* stands above"):
            await workers.run(lambda _: None, asyncio.Event())
    assert "the reason\n" == capfd.readouterr().err


async def test_a_replacement_that_cannot_start_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As where the store is away just then."""
    stop = asyncio.Event()
    count = tmp_path / "count"
    # The first serves and dies, two do not come to serve, and the fourth does.
    code = (
        f"file = open({str(count)!r}, 'a+'); file.write('x'); file.flush(); file.seek(0); turn = len(file.read()); "
        "turn in (2, 3) and sys.exit(9); " + SERVE + "turn == 1 and sys.exit(8); sys.stdin.read()"
    )
    workers = Workers(1, worker(code), sleep=no_pause)
    run = asyncio.create_task(workers.run(lambda _: None, stop))
    async with asyncio.timeout(20):
        while not (count.exists() and len(count.read_text()) == 4):  # noqa: ASYNC110  # tells nobody
            await asyncio.sleep(0.005)
        stop.set()
        await run
    assert ["with 8", "with 9", "with 9"] == [record.getMessage()[-22:-16] for record in caplog.records]


async def test_no_replacement_after_the_end() -> None:
    """Who is told to stop while a replacement is waited for stops at once, and starts none."""
    stop, waiting = asyncio.Event(), asyncio.Event()

    async def pause(_seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    workers = Workers(1, worker(SERVE), sleep=pause)
    run = asyncio.create_task(workers.run(lambda _: None, stop))
    async with asyncio.timeout(20):
        await waiting.wait()
        stop.set()
        await run
    assert 0 == workers.processes[0].returncode


def test_a_port_is_held_for_them_alone() -> None:
    """Several may listen on it who say that they share it, and it is refused where somebody listens already."""
    with shared_port("127.0.0.1", 0) as port:
        sockets = []
        for _ in range(2):
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
            sockets.append(listener)
        with pytest.raises(ListenError, match=f"127.0.0.1:{port}"), shared_port("127.0.0.1", port):
            pass
        for listener in sockets:
            listener.close()
    with pytest.raises(ListenError), shared_port("192.0.2.1", 0):
        pass
