"""A process that forks: the child makes connections of its own, and the parent keeps those it has."""

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.runtime.conftest import Network

FORKING = """
import asyncio, json, os
from momento_lambda import Configuration, CredentialProvider, MomentoError, SimpleCacheClientAsync
from momento_lambda.chance import system_chance
from momento_lambda.runtime import persistent_loop
from momento_lambda.runtime.clients import warm_clients

clients = warm_clients(configuration=Configuration(timeout=20), connect_timeout=20)

def get():
    return repr(clients.for_threads().get("cache", "absent"))

async def get_later():
    return repr(await (await clients.for_loop()).get("cache", "absent"))

async def make():
    client = SimpleCacheClientAsync(CredentialProvider.from_environment(), 60, configuration=Configuration(timeout=20))
    return client, repr(await client.get("cache", "absent"))

async def make_and_close():
    client, answer = await make()
    await client.close()
    return answer

def closed():
    return asyncio.run(make_and_close())

kept = []

def open():
    kept.append(persistent_loop.run(make()))
    return kept[-1][1]

async def running_loop():
    return id(asyncio.get_running_loop())

def use(*calls):
    try:
        answers = [call() for call in calls]
        message = None
    except MomentoError as error:
        answers, message = error.code, error.message
    loop = persistent_loop.run(running_loop())
    return {"answers": answers, "message": message, "chance": system_chance(), "loop": loop}

def loop():
    return persistent_loop.run(get_later())

get()
before = use(BEFORE)
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    os.write(writing, json.dumps(use(CHILD)).encode())
    os._exit(0)
os.close(writing)
_, status = os.waitpid(child, 0)
with os.fdopen(reading) as pipe:
    print(json.dumps({"before": before, "child": json.loads(pipe.read()), "after": use(BEFORE), "status": status}))
"""


def run_forking(
    network: "Network", server: LocalServer, before: str, child: str, *, tuned: bool = False
) -> dict[str, Any]:
    """Return what a function says that forks, in an environment like Lambda's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MOMENTO_", "AWS_"))}
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": "forking",
        "MOMENTO_API_KEY": server.create_token(format="v2"),
        "MOMENTO_ENDPOINT": f"127.0.0.1:{network.port}",
        "MOMENTO_LAMBDA_GRPC_TUNING": str(int(tuned)),
    }
    # Newer releases of Python warn of forks in a process that has threads, as gRPC gives it.
    command = [
        sys.executable,
        "-W",
        "ignore::DeprecationWarning",
        "-c",
        FORKING.replace("BEFORE", before).replace("CHILD", child),
    ]
    done = subprocess.run(  # noqa: S603  # our own interpreter
        command, env=inherited | variables, capture_output=True, text=True, timeout=60, check=True
    )
    assert "" == done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("before", "child", "connections"),
    [
        ("get", "get", 2),
        ("get", "loop", 2),
        ("get", "get, loop", 3),
        ("get, loop", "get", 3),
        ("closed", "closed", 4),
    ],
)
def test_a_child_connects_anew(
    network: "Network", server: LocalServer, before: str, child: str, *, connections: int
) -> None:
    """The child has its answers on connections of its own, and the parent goes on on those it had."""
    found = run_forking(network, server, before, child)
    assert 0 == found["status"]
    assert {"Miss()"} == {answer for when in ("before", "child", "after") for answer in found[when]["answers"]}
    assert connections == network.connections


@pytest.mark.parametrize("child", ["get", "loop"])
def test_a_tuned_function_forks(network: "Network", server: LocalServer, child: str) -> None:
    """So it is where callers read for themselves, as long as the parent has used no coroutines."""
    found = run_forking(network, server, "get", child, tuned=True)
    answers = [found[when]["answers"] for when in ("before", "child", "after")]
    assert (0, [["Miss()"]] * 3, 2) == (found["status"], answers, network.connections)


@pytest.mark.parametrize("before", ["loop", "open"])
@pytest.mark.parametrize("child", ["loop", "open"])
def test_coroutines_on_both_sides(network: "Network", server: LocalServer, before: str, child: str) -> None:
    """Where coroutines of the parent have a connection, those of the child are refused one, since gRPC would hang.

    That holds of the process's warm clients and of the user's own, and the message says what to do.
    """
    found = run_forking(network, server, before, child)
    assert (0, "CLIENT_STATE") == (found["status"], found["child"]["answers"])
    assert "use the client for threads here" in found["child"]["message"]
    assert ["Miss()"] == found["before"]["answers"] == found["after"]["answers"]


def test_a_child_is_no_copy(network: "Network", server: LocalServer) -> None:
    """The child draws other numbers than the parent, and runs coroutines on another loop than the parent's."""
    found = run_forking(network, server, "get", "get")
    assert 3 == len({found[when]["chance"] for when in ("before", "child", "after")})
    assert found["before"]["loop"] == found["after"]["loop"] != found["child"]["loop"]
