"""Functions that come up where the cache cannot be reached."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from momento_lambda.testing import FaultProxy

if TYPE_CHECKING:
    from tests.lifecycle.conftest import Deploy

CONNECT_TIMEOUT, TIMEOUT = 0.6, 1.0
GENEROUS = 4
"""How many times its budget a busy machine may take."""

PLAIN = """
from momento_lambda import Cache

cache = Cache(timeout=TIMEOUT, connect_timeout=CONNECT_TIMEOUT, early_refresh=None)

@cache.handler
def handler(event, context):
    return [cache.get_or_load("motd", lambda: "loaded"), dict(cache.stats.counts)]
"""

COROUTINE = """
from momento_lambda import Cache

cache = Cache(timeout=TIMEOUT, connect_timeout=CONNECT_TIMEOUT, early_refresh=None)

async def load():
    return "loaded"

@cache.handler
async def handler(event, context):
    return [await cache.aio.get_or_load("motd", load), dict(cache.stats.counts)]
"""


@pytest.fixture(params=[PLAIN, COROUTINE], ids=["function", "coroutine"])
def source(request: pytest.FixtureRequest) -> str:
    """A function of either kind, with the least that its cache may cost."""
    text: str = request.param
    return text.replace("CONNECT_TIMEOUT", str(CONNECT_TIMEOUT)).replace("TIMEOUT", str(TIMEOUT))


@pytest.mark.parametrize("fault", [FaultProxy.black_hole, FaultProxy.refuse], ids=["black hole", "refused"])
def test_the_first_invocation(
    source: str, deploy: "Deploy", network: FaultProxy, fault: Callable[[FaultProxy], None]
) -> None:
    """The loader answers the first invocation, within the budget of the cache; once it is there the cache answers."""
    fault(network)
    function = deploy(source, movable_clock=True)
    first = function.invoke({})
    value, told = first.payload
    assert ("loaded", True) == (value, told["error"] > 0)
    assert first.duration_ms / 1000 < (CONNECT_TIMEOUT + TIMEOUT) * GENEROUS
    network.heal()
    with function.frozen("5m"):
        pass
    assert [["loaded", {"miss": 1, "load": 1, "store": 1}], ["loaded", {"hit": 1}]] == [
        function.invoke({}).payload for _ in range(2)
    ]


def test_init_does_not_wait(source: str, deploy: "Deploy", network: FaultProxy) -> None:
    """A function comes up in less time than its connection may take, and within what Lambda gives it."""
    network.black_hole()
    patient = source.replace(str(CONNECT_TIMEOUT), "60")
    source = f"{patient}\nimport threading\nhandler = lambda *_: [thread.name for thread in threading.enumerate()]"
    threads = deploy(source).invoke({}).payload
    assert {"momento-lambda-connect", "momento-lambda-loop"} & set(threads)
