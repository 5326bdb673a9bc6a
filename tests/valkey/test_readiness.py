from typing import TYPE_CHECKING

from momento_lambda.server.readiness import Readiness
from momento_lambda.testing import FaultProxy
from momento_lambda.testing.redis_server import RedisServer

if TYPE_CHECKING:
    from tests.valkey.conftest import Start, Until


async def test_it_follows_the_node(redis: RedisServer, start: "Start", until: "Until") -> None:
    """While the node cannot be reached, no calls should come, and it is said why; once it answers, they should."""
    with FaultProxy("127.0.0.1", redis.port) as proxy:
        readiness = Readiness(await start(f"valkey://127.0.0.1:{proxy.port}"), pause=0.01)
        await readiness.start()
        assert readiness.health.ready
        proxy.refuse()
        proxy.reset()
        await until(lambda: not readiness.health.ready)
        assert readiness.health.store_trouble
        proxy.heal()
        await until(lambda: readiness.health.ready)
        await readiness.close()
