"""What callers notice when parts of a deployment fail: a primary of the cluster, a gateway, and one that is drained."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from redis.asyncio.cluster import RedisCluster as StoreClient
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from benchmarks.failover.gateways import Balancer, Gateway
from benchmarks.failover.writers import CACHE, Tally, Writer
from benchmarks.report import Report, arguments, publish
from momento_lambda.server.valkey.generations import LIST_KEY, item_prefix
from momento_lambda.testing.redis_cluster import RedisCluster

DRAIN_SECONDS: Final = 0.5
PRIMARIES: Final = 3
ABOUT: Final = """\
{writers} callers write, count and read through two gateways over a cluster of {primaries} primaries with a replica
each, which take a node for dead after {dead:g} s and go on with the slots that are left. Each caller knows what its
keys may hold, and checks every answer. Clients do not retry, so that every failure shows; a balancer sends calls to
the gateways whose health says so. The primary that is killed is the one that also keeps the list of caches.
Outage: the longest time that calls for one key failed. Lost: acknowledged writes that the cluster itself lost, since
it copies to replicas after it has answered. Wrong: answers that are neither what was written nor what the cluster
has."""


class Deployment:
    """Two gateways over a cluster, under load."""

    def __init__(self, cluster: RedisCluster, writers: int) -> None:
        self.cluster = cluster
        self.url = f"valkey-cluster://{cluster.addresses}"
        self.balancer = Balancer()
        self._store = StoreClient(host="127.0.0.1", port=cluster.replicas[0].port)
        self._count = writers
        self._writers: list[Writer] = []
        self._stop = asyncio.Event()
        self._load: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the gateways and the load."""
        for _ in range(2):
            self.balancer.gateways.append(await self.start_gateway())
        await self.balancer.next_client().create_cache(CACHE)
        self._writers = [Writer(f"writer-{number}", self.balancer, self._look) for number in range(self._count)]
        self._load = [asyncio.create_task(writer.run(self._stop)) for writer in self._writers]

    async def start_gateway(self) -> Gateway:
        """Start another gateway."""
        return await Gateway.start(self.url, "--drain-delay", str(DRAIN_SECONDS))

    async def phase(self, event: Callable[[], Awaitable[None]], seconds: float) -> Tally:
        """Let something happen, go on for a while until nothing fails any more, and return what was noticed."""
        for writer in self._writers:
            writer.tally = Tally()
        await event()
        await asyncio.sleep(seconds)
        while not all(writer.well for writer in self._writers):  # noqa: ASYNC110  # flags of ours
            await asyncio.sleep(0.05)
        return _together([writer.tally for writer in self._writers])

    async def close(self) -> None:
        """End the load, look at everything once more, and end the gateways."""
        self._stop.set()
        await asyncio.gather(*self._load)
        await asyncio.gather(*(writer.settle() for writer in self._writers))
        await self._store.aclose()
        for gateway in self.balancer.gateways:
            await gateway.close()

    async def _look(self, key: str) -> bytes | None:
        generation = await self._store.hget(LIST_KEY, CACHE)
        assert isinstance(generation, bytes)
        found = await self._store.get(item_prefix(generation) + key.encode())
        return found if isinstance(found, bytes) else None

    async def nothing(self) -> None:
        """Leave everything as it is."""

    async def kill_primary(self) -> None:
        """Kill a primary of the cluster, the one that keeps the list of caches; its replica takes over."""
        slot = key_slot(LIST_KEY)
        self.cluster.primaries[slot * PRIMARIES // REDIS_CLUSTER_HASH_SLOTS].kill()

    async def kill_gateway(self) -> None:
        """Kill a gateway, and start another in its place."""
        gateway = self.balancer.gateways[0]
        gateway.process.kill()
        await self.balancer.replace(gateway, await self.start_gateway())

    async def drain_gateway(self) -> None:
        """Tell a gateway to end, and start another in its place when it has."""
        gateway = self.balancer.gateways[1]
        gateway.process.send_signal(signal.SIGTERM)
        await gateway.process.wait()
        await self.balancer.replace(gateway, await self.start_gateway())


async def measure(seconds: float, writers: int, node_timeout_ms: int) -> dict[str, Tally]:
    """Return what was noticed of each event."""
    async with AsyncExitStack() as stack:
        options = ("--cluster-require-full-coverage", "no")
        cluster = RedisCluster(*options, primaries=PRIMARIES, replicas=1, node_timeout_ms=node_timeout_ms)
        stack.enter_context(cluster)
        deployment = Deployment(cluster, writers)
        stack.push_async_callback(deployment.close)
        await deployment.start()
        return {
            "nothing": await deployment.phase(deployment.nothing, seconds),
            "a primary is killed": await deployment.phase(deployment.kill_primary, seconds),
            "a gateway is killed": await deployment.phase(deployment.kill_gateway, seconds),
            "a gateway is drained": await deployment.phase(deployment.drain_gateway, seconds),
        }


def _together(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        calls=sum(tally.calls for tally in tallies),
        errors=sum((tally.errors for tally in tallies), Counter()),
        not_retryable=sum(tally.not_retryable for tally in tallies),
        outage=max(tally.outage for tally in tallies),
        lost=sum(tally.lost for tally in tallies),
        wrong=[wrong for tally in tallies for wrong in tally.wrong],
    )


def _row(event: str, tally: Tally) -> list[str]:
    kinds = ", ".join(f"{count} {code}" for code, count in sorted(tally.errors.items())) or "none"
    return [event, f"{tally.outage:.2f} s", kinds, str(tally.lost), str(len(tally.wrong)), str(tally.calls)]


def main() -> int:
    """Let things fail, and print what callers noticed."""
    told = arguments(__doc__).parse_args()
    seconds, writers, node_timeout_ms = (1.0, 8, 600) if told.quick else (10.0, 32, 2_000)
    noticed = asyncio.run(measure(seconds, writers, node_timeout_ms))
    report = Report(
        title="Failures",
        about=ABOUT.format(writers=writers, primaries=PRIMARIES, dead=node_timeout_ms / 1000),
        header=["what happens", "outage", "failed calls", "lost", "wrong", "calls"],
        rows=[_row(event, tally) for event, tally in noticed.items()],
    )
    publish(report, write=told.write)
    for tally in noticed.values():
        if tally.wrong or tally.not_retryable:
            print(*tally.wrong, f"{tally.not_retryable} errors that are not retryable", sep="\n", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
