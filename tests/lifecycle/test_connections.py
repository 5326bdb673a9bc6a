"""How many clients and connections a function has, from its first invocation to its last."""

from typing import TYPE_CHECKING

import pytest

from momento_lambda.testing import FaultProxy, LocalLambda

if TYPE_CHECKING:
    from tests.lifecycle.conftest import Deploy

PLAIN = """
from momento_lambda import Cache

cache = Cache(timeout=20, connect_timeout=20, default_ttl="1d", early_refresh=None)
loads = 0

@cache.cached
def square(number: int) -> int:
    global loads
    loads += 1
    return number * number

@cache.handler
def handler(event, context):
    return {"square": square(event), "loads": loads, "client": id(cache._clients.for_threads())}
"""

COROUTINE = """
import asyncio
from momento_lambda import Cache

cache = Cache(timeout=20, connect_timeout=20, default_ttl="1d", early_refresh=None)
loads = 0

@cache.cached
async def square(number: int) -> int:
    global loads
    loads += 1
    return number * number

@cache.handler
async def handler(event, context):
    client = await cache._clients.for_loop()
    return {"square": await square(event), "loads": loads, "client": id(client), "loop": id(asyncio.get_running_loop())}
"""

THREADS = """
import threading
from concurrent.futures import ThreadPoolExecutor
from momento_lambda.runtime.clients import warm_clients
from momento_lambda import Configuration

clients = warm_clients(configuration=Configuration(timeout=20), connect_timeout=20)
together = threading.Barrier(20)

def get(number):
    together.wait(20)
    client = clients.for_threads()
    client.set("users", str(number), "value")
    return id(client), client.get("users", str(number)).value_string

def handler(event, context):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(get, range(20)))
    return {"clients": len({client for client, _ in answers}), "values": [value for _, value in answers]}
"""


@pytest.fixture(params=[PLAIN, COROUTINE], ids=["function", "coroutine"])
def function(request: pytest.FixtureRequest, deploy: "Deploy") -> LocalLambda:
    """A function that squares numbers, of either kind, in an environment that is cold."""
    running: LocalLambda = deploy(request.param, movable_clock=True)
    return running


def test_one_client_and_one_connection(function: LocalLambda, network: FaultProxy) -> None:
    """Invocations share what INIT began: a single client, which has connected once."""
    answers = [function.invoke(number).payload for number in (1, 2, 3)]
    assert [1, 4, 9] == [answer["square"] for answer in answers]
    assert 1 == len({answer["client"] for answer in answers})
    assert 1 == network.connections_opened


def test_a_long_life(function: LocalLambda, network: FaultProxy) -> None:
    """A hundred warm invocations hit but for the first of each number, on one event loop and one connection.

    Were each to run in a loop of its own, as under `asyncio.run`, each would connect anew.
    """
    answers = [function.invoke(number % 4).payload for number in range(100)]
    assert [number % 4 * (number % 4) for number in range(100)] == [answer["square"] for answer in answers]
    assert 4 == answers[-1]["loads"]
    assert 1 == len({answer.get("loop") for answer in answers})
    assert 1 == network.connections_opened


def test_a_rest(function: LocalLambda, network: FaultProxy) -> None:
    """After more than four minutes the old connection is closed and another is made; after less it is kept."""
    function.invoke(2)
    seen = []
    for rest in ("239s", "241s", "1d"):
        with function.frozen(rest):
            pass
        # No answer of the cache's lives for so long as a day.
        assert 4 == function.invoke(2).payload["square"]
        seen.append((network.connections_opened, network.connections_live))
    assert [(1, 1), (2, 1), (3, 1)] == seen


def test_twenty_threads(deploy: "Deploy", network: FaultProxy) -> None:
    """Threads that come at once, in the first invocation, share a single client and its connection."""
    answer = deploy(THREADS).invoke({}).payload
    assert {"clients": 1, "values": ["value"] * 20} == answer
    assert 1 == network.connections_opened


def test_a_managed_instance(deploy: "Deploy", network: FaultProxy) -> None:
    """Processes that import the function after the fork have a connection each, of coroutines too."""
    function = deploy(COROUTINE, max_concurrency=2)
    answers = [function.invoke(3).payload for _ in range(10)]
    assert {9} == {answer["square"] for answer in answers}
    assert network.connections_opened == 2
