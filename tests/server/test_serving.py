"""The server as a process: what it says, and how it ends."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from momento_lambda.wire import cache_rpcs as rpcs
from tests.serve_process import ENVIRONMENT, MAIN, Serve, serving


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start `momento-lambda serve` on a free port, and see to it that it ends."""
    with serving("--data-dir", str(tmp_path), "--faults") as start:
        yield start


def address_of(process: subprocess.Popen[str]) -> str:
    """Return where a server says that it serves."""
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("serving on 127.0.0.1:")
    return line.split()[2]


def held(channel: grpc.Channel, milliseconds: int) -> Any:
    """Return a call that is in flight, for so long."""
    ping: Any = channel.unary_unary(rpcs.PING.path)
    call = ping.future(b"", metadata=(("delay-rpcs", "ping"), ("delay-ms", str(milliseconds))), timeout=30)
    # Sent after it on one connection and answered before it: by then it is in flight.
    ping(b"", timeout=20)
    return call


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_lets_calls_finish(serve: Serve, number: signal.Signals) -> None:
    """What is in flight is answered, and the process exits with 0 without a word of complaint."""
    process = serve()
    with grpc.insecure_channel(address_of(process)) as channel:
        call = held(channel, 300)
        process.send_signal(number)
        assert b"" == call.result()
    output, errors = process.communicate(timeout=20)
    assert (0, "", "") == (process.returncode, output, errors)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_second_signal_ends_it_at_once(serve: Serve, number: signal.Signals) -> None:
    """Whoever does not want to wait for what is in flight says so again."""
    process = serve()
    with grpc.insecure_channel(address_of(process)) as channel:
        call = held(channel, 29_000)
        process.send_signal(number)
        refused: Any = channel.unary_unary(rpcs.PING.path)
        # Once the server takes no more calls, the first signal has been seen.
        while True:
            try:
                refused(b"", timeout=20)
            except grpc.RpcError:
                break
        process.send_signal(number)
        assert -number == process.wait(timeout=10)
        assert call.exception() is not None


def test_draining_comes_before_stopping(serve: Serve) -> None:
    """During the drain delay the server says that it is not serving, answers what comes, and logs that it drains."""
    process = serve("--drain-delay", "3600", "--log-format", "json", "--log-level", "info")
    with grpc.insecure_channel(address_of(process)) as channel:
        watch: Any = channel.unary_stream("/grpc.health.v1.Health/Watch")
        ping: Any = channel.unary_unary(rpcs.PING.path)
        watched = watch(b"", timeout=20)
        assert b"\x08\x01" == next(watched)
        process.send_signal(signal.SIGTERM)
        assert b"\x08\x02" == next(watched)
        assert b"" == ping(b"", timeout=20)
        process.send_signal(signal.SIGTERM)
        assert -signal.SIGTERM == process.wait(timeout=10)
    _, errors = process.communicate()
    events = [json.loads(line)["message"] for line in errors.splitlines()]
    assert ["draining"] == events[1:]
    assert events[0].startswith("listening on 127.0.0.1:")


def test_it_is_told_by_its_environment(tmp_path: Path) -> None:
    """Each option is a variable too, and one that is typed wins over it."""
    variables = {"MOMENTO_SERVER_PORT": "1", "MOMENTO_SERVER_NO_AUTH": "true", "MOMENTO_SERVER_LOG_LEVEL": "nonsense"}
    command = [*MAIN, "serve", "--data-dir", str(tmp_path), "--port", "0"]
    refused = subprocess.run(  # noqa: S603  # this interpreter, and this project's own module
        command, env=ENVIRONMENT | variables, capture_output=True, text=True, check=False
    )
    assert 2 == refused.returncode
    assert "nonsense" in refused.stderr
    with subprocess.Popen(  # noqa: S603  # as above
        [*command, "--log-level", "error"], env=ENVIRONMENT | variables, stdout=subprocess.PIPE, text=True
    ) as process:
        address = address_of(process)
        with grpc.insecure_channel(address) as channel:
            procedure: Any = channel.unary_unary("/control_client.ScsControl/ListCaches")
            assert b"" == procedure(b"", timeout=20)
        process.terminate()
    assert not address.endswith(":1")


def test_it_serves_with_tokens_of_its_data_folder(serve: Serve, tmp_path: Path) -> None:
    """A token made for the same folder is accepted by a server that started before it was made."""
    process = serve()
    endpoint = address_of(process)
    token = subprocess.run(  # noqa: S603  # this interpreter, and this project's own module
        [*MAIN, "token", "create", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()[-1]
    with grpc.insecure_channel(endpoint) as channel:
        procedure: Any = channel.unary_unary("/control_client.ScsControl/ListCaches")
        assert b"" == procedure(b"", metadata=(("authorization", token),), timeout=20)
        with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
            procedure(b"", timeout=20)
