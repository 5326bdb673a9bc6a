"""A Redis of a test's own: one process on a free port, which keeps nothing."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

PROGRAM: Final = "redis-server"
_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 20.0


def is_installed() -> bool:
    """Whether this machine has a Redis to start."""
    return shutil.which(PROGRAM) is not None


def free_port() -> int:
    """Return a port of this machine that nobody listens on and that nobody else is given while this process runs.

    A socket stays bound to it. A server that allows addresses to be used again, as Redis does, listens there
    all the same, any number of times.
    """
    holder = socket.socket()
    atexit.register(holder.close)
    holder.bind((_HOST, 0))
    # Only now: a socket that is bound with it would be given a port that another one holds.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return int(holder.getsockname()[1])


@final
class RedisServer:
    """A Redis, running in a `with` block.

    Args:
        options: What to start it with, such as "--maxmemory", "10mb".
        files: What its folder holds before it starts, by name.
        environment: What its environment has beside this process's own.
        port: Where it listens; None for a port that is free.

    Attributes:
        port: Where it listens.
    """

    def __init__(
        self,
        *options: str,
        files: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self._options = options
        self._files = files or {}
        self._environment = os.environ | (environment or {})
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens, as `host:port`."""
        return f"{_HOST}:{self.port}"

    def start(self) -> None:
        """Start it, with the data that it had when it was killed, which is none. It may not answer yet."""
        folder = self._folder = self._folder or Path(tempfile.mkdtemp(prefix="momento-lambda-redis-"))
        for name, content in self._files.items():
            if not (folder / name).exists():
                (folder / name).write_text(content)
        command = [PROGRAM, "--port", str(self.port), "--bind", _HOST, "--dir", str(folder), "--logfile", "log"]
        command += ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0", *self._options]
        self._process = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL)  # noqa: S603  # a Redis

    def wait_until_ready(self) -> None:
        """Return once it answers.

        Raises:
            RuntimeError: It ended, or did not answer in time. The message has what it wrote to its log.
        """
        give_up = time.monotonic() + _START_SECONDS
        while time.monotonic() < give_up and self._running().poll() is None:
            try:
                self.command("PING")
            except OSError:
                time.sleep(0.005)
            else:
                return
        raise RuntimeError(f"no Redis on port {self.port}: {self._log()}")

    def command(self, *words: str | bytes) -> bytes:
        """Return the raw reply to a command, which must be a short one.

        Raises:
            OSError: It cannot be reached.
        """
        encoded = [word.encode() if isinstance(word, str) else word for word in words]
        request = b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)
        with socket.create_connection((_HOST, self.port), timeout=_START_SECONDS) as connection:
            connection.sendall(request)
            return connection.recv(65_536)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        process = self._running()
        process.kill()
        process.wait()

    def pause(self) -> None:
        """Let it answer nothing, as a network that loses everything does."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._running().send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it and remove its folder."""
        if self._process is not None:
            self.kill()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise RuntimeError("this Redis was not started: use it inside its `with` block")
        return self._process

    def _log(self) -> str:
        assert self._folder is not None
        log = self._folder / "log"
        return log.read_text() if log.exists() else "it wrote no log"


def wait_for(servers: Sequence[RedisServer], reply: bytes, *command: str) -> None:
    """Return once every server's reply to a command contains something.

    Raises:
        TimeoutError: One's did not in time.
    """
    give_up = time.monotonic() + _START_SECONDS
    for server in servers:
        while reply not in (answer := server.command(*command)):
            if time.monotonic() > give_up:
                raise TimeoutError(f"the Redis on port {server.port} still answers {answer!r}")
            time.sleep(0.005)
