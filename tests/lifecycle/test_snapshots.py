"""SnapStart with real processes: what a restored environment shares with nobody."""

from typing import TYPE_CHECKING

import pytest

from momento_lambda.testing import FaultProxy

if TYPE_CHECKING:
    from tests.lifecycle.conftest import Deploy

# The generator is put in one state in INIT, in which each copy of a snapshot has it.
PLAIN = """
import random
from momento_lambda import Cache
from momento_lambda.chance import system_chance

random.seed(7)
cache = Cache(timeout=20, connect_timeout=20, early_refresh=None)
assert cache.get_or_load("in INIT", lambda: 1) == 1

@cache.handler
def handler(event, context):
    value = cache.get_or_load("key", lambda: "loaded")
    return {"value": value, "random": random.random(), "chance": system_chance(), "told": dict(cache.stats.counts)}
"""

COROUTINE = """
import random
from momento_lambda import Cache
from momento_lambda.chance import system_chance

random.seed(7)
cache = Cache(timeout=20, connect_timeout=20, early_refresh=None)

async def load():
    return "loaded"

@cache.handler
async def handler(event, context):
    value = await cache.aio.get_or_load("key", load)
    return {"value": value, "random": random.random(), "chance": system_chance(), "told": dict(cache.stats.counts)}
"""


@pytest.mark.parametrize("source", [PLAIN, COROUTINE], ids=["function", "coroutine"])
def test_a_restored_environment(source: str, deploy: "Deploy", network: FaultProxy) -> None:
    """No connection is in the snapshot, a new one is made by the restore, and no two copies draw the same numbers."""
    answers = []
    for copy in (1, 2):
        function = deploy(source, snap_start=True, movable_clock=True)
        assert (2 * copy - 1, copy - 1) == (network.connections_opened, network.connections_live)
        function.thaw("1d", monotonic=False)
        assert (2 * copy, copy) == (network.connections_opened, network.connections_live)
        answers.append(function.invoke({}).payload)
        assert (2 * copy, copy) == (network.connections_opened, network.connections_live)
    first, second = answers
    assert ({"miss": 1, "load": 1, "store": 1}, {"hit": 1}) == (first["told"], second["told"])
    assert first["random"] == second["random"]
    assert first["chance"] != second["chance"]
