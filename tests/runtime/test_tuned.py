"""A function on Lambda: its callers read for themselves, and find out about what goes wrong as others do."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest

import momento_lambda
from momento_lambda.server import LocalServer
from momento_lambda.testing import FaultProxy, LocalLambda, local_lambda_available
from tests.left_out import NO_RUNTIME_CLIENT

ROUNDS = 20

# Each round is a connection of its own: the network is broken when the program says so, and healed when it has said
# what came of that.
THREADS = """
from momento_lambda import Configuration, CredentialProvider, MomentoError, SimpleCacheClient
for _ in range(ROUNDS):
    configuration = Configuration(timeout=5, retries=0)
    with SimpleCacheClient(CredentialProvider.for_local(port=PORT), 60, configuration=configuration) as client:
        client.ping()
        input("now\\n")
        try:
            input(f"{client.get('cache', 'key')}\\n")
        except MomentoError as error:
            input(error.code + "\\n")
"""
COROUTINES = (
    "import asyncio\nasync def rounds():"
    + THREADS.replace("\n", "\n    ")
    .replace("SimpleCacheClient", "SimpleCacheClientAsync")
    .replace("with ", "async with ")
    .replace("client.ping", "await client.ping")
    .replace("client.get", "await client.get")
    + "\nasyncio.run(rounds())"
)

Breaking: TypeAlias = Callable[[FaultProxy], None]


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """A network that may be broken, in front of a server."""
    with (
        LocalServer(authenticate=False, caches=["cache"], grace=0) as server,
        FaultProxy(server.host, server.port) as running,
    ):
        yield running


@pytest.mark.parametrize("program", [THREADS, COROUTINES], ids=["threads", "coroutines"])
@pytest.mark.parametrize("fault", [FaultProxy.reset_on_data, FaultProxy.half_close_on_data])
def test_a_call_is_cut(proxy: FaultProxy, program: str, fault: Breaking) -> None:
    """A call whose connection ends under it is UNAVAILABLE each time, and nobody waits for what cannot come."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MOMENTO_", "GRPC_"))}
    with subprocess.Popen(  # noqa: S603  # our own interpreter
        [sys.executable, "-uc", program.replace("PORT", str(proxy.port)).replace("ROUNDS", str(ROUNDS))],
        env=inherited | {"AWS_LAMBDA_FUNCTION_NAME": "tuned"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        found = []
        for line in process.stdout:
            if line == "now\n":
                fault(proxy)
            else:
                proxy.heal()
                found.append(line.strip())
            process.stdin.write("\n")
            process.stdin.flush()
    assert ["UNAVAILABLE"] * ROUNDS == found


THAWED = """
import os, sys
sys.path += os.environ["PACKAGES"].split(":")
from momento_lambda import CredentialProvider, warm_clients

clients = warm_clients(credentials=lambda: CredentialProvider.for_local(port=int(os.environ["PORT"])))

def handler(event, context):
    return [os.environ.get("GRPC_EXPERIMENTS"), clients.for_threads().increment("cache", "number")]
"""


@pytest.mark.parametrize("fault", [FaultProxy.reset, FaultProxy.half_close, FaultProxy.black_hole])
def test_a_connection_that_died_in_a_freeze(proxy: FaultProxy, tmp_path: Path, fault: Breaking) -> None:
    """What must not be sent twice, and is asked for first after a freeze, is done once, whatever became of the link."""
    if not local_lambda_available():
        pytest.skip(NO_RUNTIME_CLIENT)
    (tmp_path / "app.py").write_text(THAWED)
    packages = ":".join(str(Path(str(package.__file__)).parents[1]) for package in (momento_lambda, grpc))
    environment = {"PORT": str(proxy.port), "PACKAGES": packages}
    with LocalLambda("app.handler", task_root=tmp_path, environment=environment, movable_clock=True) as function:
        assert ["-event_engine_client", 1] == function.invoke({}).payload
        with function.frozen("1m"):
            fault(proxy)
            proxy.heal()
        assert ["-event_engine_client", 2] == function.invoke({}).payload
