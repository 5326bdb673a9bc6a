import json
import os
import subprocess
import sys
from typing import Any

import pytest

from momento_lambda.server import LocalServer

CONSTRUCTED = """
import json, sys, threading
from momento_lambda import Cache
before = "grpc" in sys.modules
Cache("cache", connect_timeout=30)
Cache("cache", connect_timeout=30)
connecting = [thread for thread in threading.enumerate() if thread.name == "momento-lambda-connect"]
started = bool(connecting) or "grpc" in sys.modules
for thread in connecting:
    thread.join()
cache = Cache("cache", connect_timeout=30, timeout=30)
print(json.dumps({"before": before, "started": started, "grpc": "grpc" in sys.modules,
                  "asyncio": "asyncio" in sys.modules, "value": cache.get_or_load("key", lambda: 7)}))
"""


def run(program: str, environment: dict[str, str], *, quiet: bool = True) -> dict[str, Any]:
    """Return what a fresh process with this environment says, and what it wrote to its log."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MOMENTO_", "AWS_", "GRPC_"))
    }
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", program], env=inherited | environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    if quiet:
        assert "" == done.stderr
        return found
    return found | {"stderr": done.stderr}


def construct(**environment: str) -> dict[str, Any]:
    """Return what a fresh process with this environment says of constructing caches."""
    return run(CONSTRUCTED, environment, quiet=False)


def test_on_lambda_construction_starts_connecting(server: LocalServer) -> None:
    """On Lambda a cache begins to connect when it is constructed, in the background; importing alone does nothing."""
    found = construct(AWS_LAMBDA_FUNCTION_NAME="users", MOMENTO_API_KEY=server.create_token())
    expected = {"before": False, "started": True, "grpc": True, "value": 7, "stderr": ""}
    assert expected == {name: found[name] for name in expected}


def test_elsewhere_construction_does_nothing(server: LocalServer) -> None:
    """Anywhere else nothing is imported and nothing connects until the cache is used."""
    found = construct(MOMENTO_API_KEY=server.create_token())
    expected = {"before": False, "started": False, "grpc": False, "asyncio": False, "value": 7, "stderr": ""}
    assert expected == found


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_without_a_token_construction_is_no_crash(token: str) -> None:
    """On Lambda without a token that could be used, the function starts, and the loader answers."""
    found = construct(AWS_LAMBDA_FUNCTION_NAME="users", MOMENTO_API_KEY=token)
    assert (True, 7) == (found["started"], found["value"])
    assert "cannot be used" in found["stderr"]
    assert "Traceback" not in found["stderr"]


VARIABLES = """
import json, os, sys
BEFORE
import momento_lambda.client
print(json.dumps({name: value for name, value in os.environ.items() if name.startswith("GRPC_")}))
"""
ON_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "users"}
QUIET = {"GRPC_VERBOSITY": "ERROR", "GRPC_ENABLE_FORK_SUPPORT": "1"}
TUNED = QUIET | {"GRPC_EXPERIMENTS": "-event_engine_client"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (ON_LAMBDA, TUNED),
        (ON_LAMBDA | {"MOMENTO_LAMBDA_GRPC_TUNING": "0"}, QUIET),
        (ON_LAMBDA | {"MOMENTO_LAMBDA_GRPC_TUNING": "1"}, TUNED),
        (ON_LAMBDA | {"GRPC_EXPERIMENTS": ""}, QUIET | {"GRPC_EXPERIMENTS": ""}),
        (ON_LAMBDA | {"GRPC_VERBOSITY": "DEBUG"}, TUNED | {"GRPC_VERBOSITY": "DEBUG"}),
        ({"MOMENTO_LAMBDA_GRPC_TUNING": "1"}, {}),
    ],
    ids=["on Lambda", "switched off", "switched on", "own experiments", "own verbosity", "elsewhere"],
)
def test_variables_of_grpc(environment: dict[str, str], expected: dict[str, str]) -> None:
    """On Lambda gRPC logs errors alone, expects forks, and lets callers read; what the user says holds."""
    assert expected == run(VARIABLES.replace("BEFORE", ""), environment)


def test_an_imported_grpc_is_left_alone() -> None:
    """Where gRPC was imported before, it has read its variables, and none is set that would only seem to hold."""
    assert {} == run(VARIABLES.replace("BEFORE", "import grpc"), ON_LAMBDA)


KNOWN = """
import json
import momento_lambda.client
import grpc
with grpc.insecure_channel("127.0.0.1:1") as channel:
    try:
        channel.unary_unary("/service/Procedure")(b"", timeout=20)
    except grpc.RpcError as error:
        print(json.dumps({"code": error.code().name}))
"""


@pytest.mark.parametrize(
    ("environment", "known"),
    [(ON_LAMBDA, True), ({"GRPC_EXPERIMENTS": "-no_such_engine"}, False)],
    ids=["ours", "another"],
)
def test_grpc_knows_what_it_is_told(environment: dict[str, str], *, known: bool) -> None:
    """The gRPC that is installed knows the engine that it is to go without; of a name it does not know it complains."""
    found = run(KNOWN, environment, quiet=False)
    assert ("UNAVAILABLE", known) == (found["code"], "" == found["stderr"])
    assert known or "no_such_engine" in found["stderr"]


FAREWELL = """
import json, socket, threading
from momento_lambda import Configuration, CredentialProvider, MomentoError, SimpleCacheClient

SETTINGS = bytes.fromhex("000000 04 00 00000000")
GOAWAY = bytes.fromhex("000008 07 00 00000000 00000000 00000002")

def serve(listening):
    connection, _ = listening.accept()
    connection.sendall(SETTINGS)
    connection.recv(65536)
    connection.sendall(GOAWAY)
    while connection.recv(65536):
        pass

with socket.create_server(("127.0.0.1", 0)) as listening:
    threading.Thread(target=serve, args=(listening,), daemon=True).start()
    credentials = CredentialProvider.for_local(port=listening.getsockname()[1])
    with SimpleCacheClient(credentials, 60, configuration=Configuration(timeout=20, retries=0)) as client:
        try:
            client.ping()
        except MomentoError as error:
            print(json.dumps({"error": error.code}))
"""


@pytest.mark.parametrize(
    ("environment", "logged"),
    [({"AWS_LAMBDA_FUNCTION_NAME": "users"}, False), ({"GRPC_VERBOSITY": "INFO"}, True)],
    ids=["on Lambda", "elsewhere"],
)
def test_farewells_are_not_logged(environment: dict[str, str], *, logged: bool) -> None:
    """A server that says goodbye to a connection leaves no word in a function's log, as it would elsewhere."""
    found = run(FAREWELL, environment, quiet=False)
    assert ("UNAVAILABLE", logged) == (found["error"], "goaway" in found["stderr"])
