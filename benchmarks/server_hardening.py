"""The server under whatever arrives: nonsense, half calls, slow callers, and connections without number.

Nobody who attacks here has a token, but in the first row, and nobody may be answered. The server is a process of its
own, started as its users start it. After each attack it must answer at once, have as many files open as before, and
have logged no error.
"""

import contextlib
import itertools
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc

from benchmarks.http2 import (
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    GREETING,
    HEADERS,
    Frame,
    call_headers,
    frame,
    message_frame,
    read_frames,
)
from benchmarks.report import Report, arguments, publish
from benchmarks.server_throughput import serve_echo, target
from momento_lambda import SimpleCacheClient
from momento_lambda.server.handlers import PROCEDURES
from momento_lambda.server.procedure import Audience
from momento_lambda.wire import cache_rpcs

CACHE: Final = "cache"
PATHS: Final = [procedure.rpc.path for procedure in PROCEDURES if procedure.audience is not Audience.ANYONE]
# What is said of a request that cannot be read. None of these is a bug; INTERNAL and UNKNOWN would be.
REFUSALS: Final = {"INVALID_ARGUMENT", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "NOT_FOUND", "ALREADY_EXISTS"}
PATIENCE_SECONDS: Final = 30.0
MEBIBYTE: Final = 2**20

_chance = random.Random(11)  # noqa: S311  # nonsense, and the same in every run


class BrokenError(Exception):
    """The server did what it must not."""


@dataclass(frozen=True)
class Victim:
    """The server.

    Attributes:
        pid: Its process.
        port: Where it listens.
        token: One that allows everything.
        log: The file that its errors are in.
    """

    pid: int
    port: int
    token: str
    log: Path

    @property
    def files(self) -> int:
        """How many files and connections it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @property
    def resident_bytes(self) -> int:
        """The memory that it has."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise SystemExit("this system does not say how much memory a process has")

    def errors(self) -> list[str]:
        """Return what it has logged that it should not have: all but what gRPC says of a path that is no text."""
        return [line for line in self.log.read_text().splitlines() if "'utf-8' codec can't decode" not in line]

    def connect(self) -> socket.socket:
        """Return a connection. For a moment nobody listens where the serving of gRPC has just been ended."""
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
            except ConnectionError:
                if time.perf_counter() > deadline:
                    raise
                time.sleep(0.001)


@dataclass(frozen=True)
class Finding:
    """What came of an attack."""

    attempts: int
    seconds: float
    ping_ms: float
    files: tuple[int, int]
    resident: tuple[int, int]


def main() -> None:
    """Attack, and print what was found."""
    told = arguments(__doc__).parse_args()
    attacks = {name: (attack, few if told.quick else many) for name, (attack, few, many) in ATTACKS.items()}
    with victim() as server:
        found = {name: strike(server, attack, count) for name, (attack, count) in attacks.items()}
    with target(serve_echo) as echo, tempfile.NamedTemporaryFile() as log:
        bare = Victim(echo.pid, echo.port, echo.token, Path(log.name))
        found["calls that are cut off, at a bare gRPC server"] = strike(bare, *attacks["calls that are cut off"])
    publish(report(found), write=told.write)


@contextmanager
def victim() -> Iterator[Victim]:
    """Run a server with one cache."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        options = ["--data-dir", folder]
        serve = ["serve", "--port", "0", "--log-level", "error", "--log-format", "json", *options]
        with log.open("w") as errors, _command(*serve, stdout=subprocess.PIPE, stderr=errors) as process:
            assert process.stdout is not None
            address = process.stdout.readline().split()[2]
            with _command("token", "create", *options, "--endpoint", address, stdout=subprocess.PIPE) as made:
                token = made.communicate()[0].splitlines()[-1]
            with SimpleCacheClient(token, default_ttl=60) as client:
                client.create_cache(CACHE)
            yield Victim(process.pid, int(address.rpartition(":")[2]), token, log)
            process.terminate()
            if process.wait(PATIENCE_SECONDS) != 0:
                raise BrokenError(f"the server ended with {process.returncode}")


def strike(server: Victim, attack: Callable[[Victim, int], None], count: int) -> Finding:
    """Carry out an attack, see that the server has survived it, and return what it has cost."""
    files = server.files
    # What is made with a first attack, and kept for the next one, is no leak.
    attack(server, count)
    _settle(server, files)
    resident, began = server.resident_bytes, time.perf_counter()
    attack(server, count)
    seconds = time.perf_counter() - began
    ping_ms = _ping_ms(server)
    _settle(server, files)
    if errors := server.errors():
        raise BrokenError(f"the server logged errors: {errors[:5]}")
    return Finding(count, seconds, ping_ms, (files, server.files), (resident, server.resident_bytes))


def report(found: dict[str, Finding]) -> Report:
    """Return the table."""
    return Report(
        title="The server under attack",
        about=(
            "One server process, attacked in several ways, one after the other. Nobody but the first attacker has a "
            "token, and not\none call of the others was answered; no request ended as INTERNAL, no error was logged, "
            "and the server answered after\neach attack and ended in order. Growth: of its memory, by an attack that "
            "it had seen as often before; the last row is a bare\nserver of gRPC, which shows what is the transport's "
            "own. Files: open before and after, connections included."
        ),
        header=("attack", "growth", "files", "attempts", "a second", "the next answer after"),
        rows=[_row(name, finding) for name, finding in found.items()],
    )


def _row(name: str, found: Finding) -> Sequence[str]:
    before, after = found.resident
    return (
        name,
        f"{(after - before) / MEBIBYTE:+.1f} MiB",
        f"{found.files[0]}, {found.files[1]}",
        f"{found.attempts:,}",
        f"{found.attempts / found.seconds:,.0f}",
        f"{found.ping_ms:.0f} ms",
    )


def nonsense_with_a_token(server: Victim, count: int) -> None:
    """Send random bytes as the request of every procedure. Each is answered or refused, and never a bug."""
    metadata = (("authorization", server.token), ("cache", CACHE))
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        for path in itertools.islice(itertools.cycle(PATHS), count):
            # The channel takes a procedure whose replies stream for one whose first reply is its last.
            ask: Any = channel.unary_stream(path)
            try:
                list(ask(nonsense(), metadata=metadata, timeout=PATIENCE_SECONDS))
            except grpc.RpcError as error:
                status = error.code().name
                if status not in REFUSALS:
                    raise BrokenError(f"{path} ended as {status}") from error


def strangers(server: Victim, count: int) -> None:
    """Call every procedure with random requests and random headers, and with tokens that nobody made."""
    for start in range(0, count, 50):
        with server.connect() as line:
            line.sendall(GREETING)
            wanted = set()
            for number in range(start, min(start + 50, count)):
                stream = 2 * (number - start) + 1
                metadata = (*odd_headers(server.token), ("cache", CACHE))
                line.sendall(
                    frame(HEADERS, call_headers(PATHS[number % len(PATHS)], metadata), flags=END_HEADERS, stream=stream)
                    + frame(DATA, message_frame(nonsense()), flags=END_STREAM, stream=stream)
                )
                wanted.add(stream)
            read_refusals(line, wanted)


def cut_calls(server: Victim, count: int) -> None:
    """Send a call that ends anywhere, and close."""
    whole = GREETING + a_call(server)
    for _ in range(count):
        with server.connect() as line:
            line.sendall(whole[: _chance.randrange(len(whole))])


def spoiled_calls(server: Victim, count: int) -> None:
    """Send a call, without its token, with a few bytes changed, and read whatever comes until the server is silent."""
    for _ in range(count):
        spoiled = bytearray(GREETING + a_call(server, token=""))
        for _ in range(_chance.randint(1, 8)):
            spoiled[_chance.randrange(24, len(spoiled))] = _chance.randrange(256)
        with server.connect() as line:
            # It may hang up in the middle of what it does not understand.
            with contextlib.suppress(OSError):
                line.sendall(spoiled)
                line.shutdown(socket.SHUT_WR)
            read_refusals(line, set())


def paths_of_no_text(server: Victim, count: int) -> None:
    """Name procedures in bytes that are no text, which ends the serving of `grpc.aio` itself; reach it each time."""
    call = frame(
        HEADERS, call_headers("/cache_client.S*").replace(b"*", b"\xff"), flags=END_HEADERS | END_STREAM, stream=1
    )
    for _ in range(count):
        with server.connect() as line:
            line.sendall(GREETING + call)
            # It is sent away when what served it has ended.
            unread, frames = b"", list[Frame]()
            while not any(each.kind == GOAWAY for each in frames):
                received = line.recv(1 << 16)
                frames, unread = read_frames(unread + received)
        _ping_ms(server)


def slow_senders(server: Victim, count: int) -> None:
    """Send many calls at once, each a byte at a time, and meanwhile see that others are answered."""
    call = GREETING + a_call(server, token="")
    with ExitStack() as stack:
        lines = [stack.enter_context(server.connect()) for _ in range(min(count, 500))]
        for at in range(len(call)):
            for line in lines:
                line.sendall(call[at : at + 1])
            if at % 50 == 0:
                _ping_ms(server)
        for line in lines:
            read_refusals(line, {1})


def dropped_connections(server: Victim, count: int) -> None:
    """Open connections, say nothing or hello, and drop them, by the hundred."""
    for start in range(0, count, 100):
        with ExitStack() as stack:
            lines = [stack.enter_context(server.connect()) for _ in range(min(100, count - start))]
            for line in lines[::2]:
                line.sendall(GREETING)


ATTACKS: Final[dict[str, tuple[Callable[[Victim, int], None], int, int]]] = {
    "random bytes with a good token": (nonsense_with_a_token, 100, 20_000),
    "random bytes and headers without one": (strangers, 100, 20_000),
    "calls that are cut off": (cut_calls, 50, 10_000),
    "calls with bytes changed": (spoiled_calls, 50, 10_000),
    "paths that are no text": (paths_of_no_text, 5, 200),
    "calls sent a byte at a time, all at once": (slow_senders, 20, 500),
    "connections opened and dropped": (dropped_connections, 100, 10_000),
}
"""How each is carried out, and how often: to see that it runs, and in earnest."""


def nonsense() -> bytes:
    """Return what might be a message: random bytes, or the beginning of a good message and then random bytes."""
    length = int(_chance.expovariate(1 / 60))
    begin = cache_rpcs.set_request(b"key", b"value" * 4, 60_000).SerializeToString()
    return begin[: _chance.choice((0, _chance.randrange(len(begin))))] + _chance.randbytes(length)


def odd_headers(token: str) -> list[tuple[str, str]]:
    """Return headers of a caller without a token: none, one of his own making, or a good one that he changed."""
    at = _chance.randrange(token.index("."), len(token) - 1)
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    texts = ("", changed, token[:at], f"Bearer {token}", _letters(), "e30.e30.", _letters() * 40)
    pairs = [("authorization", _chance.choice(texts)), (f"x-{_letters()}", _letters())]
    return pairs[_chance.randrange(2) :]


def a_call(server: Victim, token: str | None = None) -> bytes:
    """Return the frames of a call that stores an item."""
    metadata = (("authorization", server.token if token is None else token), ("cache", CACHE))
    message = cache_rpcs.set_request(b"key", b"value", 60_000).SerializeToString()
    return frame(HEADERS, call_headers(cache_rpcs.SET.path, metadata), flags=END_HEADERS, stream=1) + frame(
        DATA, message_frame(message), flags=END_STREAM, stream=1
    )


def read_refusals(line: socket.socket, wanted: set[int]) -> None:
    """Read until these calls have ended, or until the end where none is named, and see that none was answered."""
    unread, to_the_end = b"", not wanted
    while wanted or to_the_end:
        received = b""
        with contextlib.suppress(ConnectionResetError):
            received = line.recv(1 << 16)
        if not received and wanted:
            raise BrokenError("the server closed a connection instead of refusing its calls")
        if not received:
            return
        frames, unread = read_frames(unread + received)
        for each in frames:
            if each.kind == DATA:
                raise BrokenError(f"a call without a token was answered: {each.payload!r}")
            if each.kind == HEADERS and each.flags & END_STREAM:
                wanted.discard(each.stream)


def _letters() -> str:
    return "".join(_chance.choices("abcdefghijklmnopqrstuvwxyz0123456789.-_", k=_chance.randint(1, 40)))


def _ping_ms(server: Victim) -> float:
    """Return how long it takes to connect and be answered, be it that there is no such thing."""
    began = time.perf_counter()
    while True:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            ping: Any = channel.unary_unary(cache_rpcs.PING.path)
            try:
                ping(b"", timeout=PATIENCE_SECONDS, wait_for_ready=True)
            except grpc.RpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    return (time.perf_counter() - began) * 1e3
                # It went to what had just ended. Another one will not.
                if error.code() is not grpc.StatusCode.CANCELLED or time.perf_counter() - began > PATIENCE_SECONDS:
                    raise
            else:
                return (time.perf_counter() - began) * 1e3


def _settle(server: Victim, files: int) -> None:
    """Wait until the server has noticed that all have left."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while server.files > files:
        if time.perf_counter() > deadline:
            raise BrokenError(f"the server has {server.files} files open, and had {files}")
        time.sleep(0.01)


@contextmanager
def _command(*arguments: str, **streams: Any) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "momento_lambda.cli.main", *arguments]
    with subprocess.Popen(command, text=True, **streams) as process:  # noqa: S603  # our own program
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    main()
