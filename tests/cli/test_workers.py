"""`momento-lambda serve --workers`: several processes on one port, over one store."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from momento_lambda.testing.redis_server import RedisServer, free_port
from momento_lambda.wire import cache_rpcs, control_pb2, control_rpcs
from tests.left_out import NO_PROC
from tests.serve_process import Serve, serving

PATIENCE_SECONDS: Final = 60


@pytest.fixture
def serve(redis_server: RedisServer) -> Iterator[Serve]:
    """Start `momento-lambda serve` over an empty store, and see to it that it ends."""
    redis_server.command("FLUSHALL")
    with serving("--no-auth", "--store", f"valkey://{redis_server.address}") as start:
        yield start


def line_of(process: subprocess.Popen[str], begins: str) -> str:
    """Return the last word of the next line that a process prints, which begins so."""
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith(begins)
    return line.split()[-1]


def children(process: subprocess.Popen[str]) -> set[int]:
    """Return the processes that a process has started."""
    return set(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))


def eventually(holds: Callable[[], bool]) -> None:
    """Return once something holds that nobody is told of."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def connect(address: str, stack: ExitStack) -> grpc.Channel:
    """Return a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    return stack.enter_context(grpc.insecure_channel(address, options=options))


def ask(channel: grpc.Channel, rpc: Any, request: Any) -> Any:
    """Return the reply."""
    return channel.unary_unary(rpc.path, rpc.request.SerializeToString, rpc.reply.FromString)(
        request, timeout=PATIENCE_SECONDS
    )


@pytest.mark.skipif(sys.platform != "linux", reason=NO_PROC)
def test_a_life_with_workers(serve: Serve) -> None:
    """Both serve what either was given; one that is killed is replaced; all end in peace with the first of them."""
    admin_port = free_port()
    process = serve("--workers", "2", "--admin-port", str(admin_port))
    address = line_of(process, "serving on 127.0.0.1:")
    pages = {line_of(process, "status on http://") for _ in range(2)}
    assert {f"http://127.0.0.1:{port}/" for port in (admin_port, admin_port + 1)} == pages
    with ExitStack() as stack:
        channels = [connect(address, stack) for _ in range(24)]
        ask(channels[0], control_rpcs.CREATE_CACHE, control_pb2.CreateCacheRequest(cache_name="cache"))
        for channel in channels:
            listed = ask(channel, control_rpcs.LIST_CACHES, control_pb2.ListCachesRequest())
            assert ["cache"] == [cache.cache_name for cache in listed.cache]
        # That all connections went to one of them is less likely than one in eight million.
        assert all(b'"ListCaches"' in urllib.request.urlopen(f"{page}metrics").read() for page in pages)  # noqa: S310  # ours

        before = children(process)
        os.kill(min(before), signal.SIGKILL)
        assert line_of(process, "status on http://") in pages
        assert 2 == len(children(process))
        assert 1 == len(children(process) & before)
        for channel in [connect(address, stack) for _ in range(24)]:
            ask(channel, cache_rpcs.PING, cache_rpcs.PING.request())

    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (0, "") == (process.returncode, output)
    assert errors.count("\n") == 1
    assert f"process {min(before)}, ended with -9 and is replaced" in errors


@pytest.mark.skipif(sys.platform != "linux", reason=NO_PROC)
def test_workers_do_not_stay_behind(serve: Serve) -> None:
    """When the process that watches over them is killed, they end by themselves."""
    process = serve("--workers", "2")
    line_of(process, "serving on ")
    left = children(process)
    process.kill()
    process.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))


def test_what_keeps_workers_from_starting(serve: Serve) -> None:
    """It is said once, and the exit code says that it failed."""
    process = serve("--workers", "3", "--store", "valkey://127.0.0.1:1")
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert 1 == process.returncode
    assert 1 == errors.count("cannot be reached")
    assert "a worker ended with 1 before it served" in errors
