"""A process that forks: the child makes connections of its own, and the parent goes on.

Each is shown with gRPC's event engine and without it, as it is on Lambda.
"""

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.runtime.conftest import Network

FORKING = """
import asyncio, json, os, threading
from momento_lambda import Configuration, CredentialProvider, MomentoError, SimpleCacheClient, SimpleCacheClientAsync
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

def fork():
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps(use(CHILD)).encode())
        os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        return {"child": json.loads(pipe.read() or "null"), "status": status}

def somebody_else_s():
    async def make():
        import grpc.aio
        return grpc.aio.insecure_channel("127.0.0.1:1")
    kept.append(persistent_loop.run(make()))

unanswered = CredentialProvider.for_local(port=SILENT), 60

def fork_in_a_coroutine():
    async def run():
        async with SimpleCacheClientAsync(*unanswered, configuration=Configuration(timeout=20)) as client:
            call = asyncio.ensure_future(client.ping())
            await asyncio.sleep(0)
            forked = fork()
            call.cancel()
            return forked
    return asyncio.run(run())

def fork_beside_coroutines():
    async def outcome(client):
        try:
            await client.ping()
        except MomentoError as error:
            return error.code

    async def run():
        async with SimpleCacheClientAsync(*unanswered, configuration=Configuration(timeout=1)) as client:
            call = asyncio.ensure_future(outcome(client))
            await asyncio.sleep(0)
            forked = await asyncio.to_thread(fork)
            return forked | {"call": await call}
    return asyncio.run(run())

def fork_beside_a_thread():
    with SimpleCacheClient(*unanswered, configuration=Configuration(timeout=1)) as client:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(use(client.ping)["answers"]))
        thread.start()
        while not client._data.busy:
            pass
        forked = fork()
        thread.join()
    return forked | {"call": answers[0]}

def fork_while_threads_call():
    over = threading.Event()
    began = threading.Semaphore(0)
    answers = set()
    def hammer():
        while not over.is_set():
            answers.add(get())
            began.release()
    threads = [threading.Thread(target=hammer) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        began.acquire()
    forked = fork()
    forkers = [threading.Thread(target=fork) for _ in range(3)]
    for thread in forkers:
        thread.start()
    for thread in forkers:
        thread.join()
    over.set()
    for thread in threads:
        thread.join()
    assert {"Miss()"} == answers
    return forked

get()
before = use(BEFORE)
forked = FORK()
print(json.dumps({"before": before, "after": use(BEFORE)} | forked))
"""


ENGINES = pytest.mark.parametrize("tuned", [False, True], ids=["engine", "no engine"])


def run_forking(
    network: "Network", server: LocalServer, before: str, child: str, *, tuned: bool, fork: str = "fork"
) -> dict[str, Any]:
    """Return what a function says that forks, in an environment like Lambda's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MOMENTO_", "AWS_"))}
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": "forking",
        "MOMENTO_API_KEY": server.create_token(format="v2"),
        "MOMENTO_ENDPOINT": f"127.0.0.1:{network.port}",
        "MOMENTO_LAMBDA_GRPC_TUNING": str(int(tuned)),
    }
    with socket.create_server(("127.0.0.1", 0)) as silent:
        program = FORKING.replace("BEFORE", before).replace("CHILD", child).replace("FORK", fork)
        done = subprocess.run(  # noqa: S603  # our own interpreter
            # Newer releases of Python warn of forks in a process that has threads, as gRPC gives it.
            [
                *(sys.executable, "-W", "ignore::DeprecationWarning"),
                "-c",
                program.replace("SILENT", str(port_of(silent))),
            ],
            env=inherited | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ("", 0) == (done.stderr, done.returncode)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def port_of(listening: socket.socket) -> int:
    """Return where a socket listens."""
    port: int = listening.getsockname()[1]
    return port


@ENGINES
@pytest.mark.parametrize(
    ("before", "child", "connections"),
    [
        ("get", "get", 2),
        ("get", "loop", 2),
        ("get", "get, loop", 3),
        # Coroutines of the parent make theirs anew.
        ("get, loop", "get", 4),
        ("loop", "loop", 4),
        ("loop", "open", 4),
        ("open", "loop", 4),
        ("open", "open, get", 5),
        ("closed", "closed", 4),
    ],
)
def test_a_child_connects_anew(
    network: "Network", server: LocalServer, before: str, child: str, *, connections: int, tuned: bool
) -> None:
    """The child has its answers on connections of its own, threads and coroutines alike, and so has the parent."""
    found = run_forking(network, server, before, child, tuned=tuned)
    assert 0 == found["status"]
    assert {"Miss()"} == {answer for when in ("before", "child", "after") for answer in found[when]["answers"]}
    assert connections == network.connections


@ENGINES
def test_threads_are_in_calls(network: "Network", server: LocalServer, *, tuned: bool) -> None:
    """Forks wait for calls of threads, and these for all forks: nothing is lost on either side."""
    found = run_forking(network, server, "get", "get, loop", tuned=tuned, fork="fork_while_threads_call")
    answers = [found[when]["answers"] for when in ("before", "child", "after")]
    assert (0, [["Miss()"], ["Miss()", "Miss()"], ["Miss()"]]) == (found["status"], answers)


@ENGINES
@pytest.mark.parametrize("child", ["get", "loop", "open"])
def test_others_stay_inside(network: "Network", server: LocalServer, child: str, *, tuned: bool) -> None:
    """Where a thread of the parent stays inside gRPC, the child is told that it cannot use it, and the parent goes on.

    That holds of threads and coroutines, of the process's warm clients and of the user's own.
    """
    found = run_forking(network, server, "get, loop, somebody_else_s", child, tuned=tuned)
    assert (0, "CLIENT_STATE") == (found["status"], found["child"]["answers"])
    assert "with spawn instead of fork" in found["child"]["message"]
    assert ["Miss()", "Miss()", None] == found["before"]["answers"] == found["after"]["answers"]


@ENGINES
@pytest.mark.parametrize("fork", ["fork_beside_a_thread", "fork_beside_coroutines"])
def test_a_call_has_no_answer(network: "Network", server: LocalServer, fork: str, *, tuned: bool) -> None:
    """A fork waits for a call of another thread for as long as that takes."""
    found = run_forking(network, server, "get, loop", "get, loop", tuned=tuned, fork=fork)
    assert "DEADLINE_EXCEEDED" == found["call"]
    answers = [found[when]["answers"] for when in ("before", "child", "after")]
    assert (0, [["Miss()", "Miss()"]] * 3) == (found["status"], answers)


@ENGINES
def test_a_call_cannot_be_waited_for(network: "Network", server: LocalServer, *, tuned: bool) -> None:
    """A coroutine that forks while another one's call is under way goes on, and its child does not connect.

    The child may not live to say so, since gRPC's engine goes on in it with what it had begun.
    """
    found = run_forking(network, server, "get, loop", "get", tuned=tuned, fork="fork_in_a_coroutine")
    assert ["Miss()", "Miss()"] == found["before"]["answers"] == found["after"]["answers"]
    assert found["status"] or "CLIENT_STATE" == found["child"]["answers"]
    assert 3 == network.connections


def test_a_child_is_no_copy(network: "Network", server: LocalServer) -> None:
    """The child draws other numbers than the parent, and runs coroutines on another loop than the parent's."""
    found = run_forking(network, server, "get", "get", tuned=True)
    assert 3 == len({found[when]["chance"] for when in ("before", "child", "after")})
    assert found["before"]["loop"] == found["after"]["loop"] != found["child"]["loop"]
