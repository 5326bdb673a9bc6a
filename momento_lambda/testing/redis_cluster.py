"""A Redis cluster of a test's own, on free ports of this machine."""

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self, final

from momento_lambda.testing.redis_server import RedisServer, free_port, wait_for

_SLOTS: Final = 16_384
_CONFIGURATION: Final = "nodes.conf"


@final
class RedisCluster:
    """Several primaries, each with as many replicas, running in a `with` block.

    Args:
        options: What to start each node with.
        primaries: How many share the slots.
        replicas: How many each of them has.
        node_timeout_ms: After how long without a sign of life a node counts as failed.
        environment: What each node's environment has beside this process's own.

    Attributes:
        primaries: Those that begin as such.
        replicas: Those that begin as such; the first is the first primary's, and so on around.
    """

    def __init__(
        self,
        *options: str,
        primaries: int = 3,
        replicas: int = 0,
        node_timeout_ms: int = 1_000,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        count = primaries * (1 + replicas)
        ports = [(free_port(), free_port()) for _ in range(count)]
        nodes = [
            RedisServer(
                *("--cluster-enabled", "yes", "--cluster-config-file", _CONFIGURATION),
                *("--cluster-port", str(ports[index][1]), "--cluster-node-timeout", str(node_timeout_ms)),
                *options,
                files={_CONFIGURATION: _configuration(ports, primaries, index)},
                environment=environment,
                port=ports[index][0],
            )
            for index in range(count)
        ]
        self.primaries = nodes[:primaries]
        self.replicas = nodes[primaries:]
        self._running = ExitStack()

    @property
    def nodes(self) -> list[RedisServer]:
        """All of them."""
        return [*self.primaries, *self.replicas]

    @property
    def addresses(self) -> str:
        """Where the primaries listen, as the hosts of a store's URL."""
        return ",".join(node.address for node in self.primaries)

    def wait_until_ready(self) -> None:
        """Return once every node knows that the cluster is complete, and every replica has its primary's data."""
        wait_for(self.nodes, b"cluster_state:ok", "CLUSTER", "INFO")
        wait_for(self.replicas, b"master_link_status:up", "INFO", "replication")

    def start(self) -> None:
        """Start the nodes, and return once each of them answers: they may not have found each other."""
        with ExitStack() as starting:
            for node in self.nodes:
                starting.callback(node.close)
                node.start()
            for node in self.nodes:
                node.wait_until_ready()
            self._running = starting.pop_all()

    def close(self) -> None:
        """End all nodes."""
        self._running.close()

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _configuration(ports: list[tuple[int, int]], primaries: int, myself: int) -> str:
    """Return what a node remembers of a cluster that was complete once, so that nobody needs to introduce the nodes."""
    lines = [
        f"{_name(index)} 127.0.0.1:{port}@{bus} {'myself,' if index == myself else ''}{_part(index, primaries)}"
        for index, (port, bus) in enumerate(ports)
    ]
    return "\n".join([*lines, f"vars currentEpoch {primaries} lastVoteEpoch 0", ""])


def _part(index: int, primaries: int) -> str:
    """Return what a node does: its role, whose replica it is, its epoch and its slots."""
    if index >= primaries:
        primary = index % primaries
        return f"slave {_name(primary)} 0 0 {primary + 1} connected"
    first, last = index * _SLOTS // primaries, (index + 1) * _SLOTS // primaries - 1
    return f"master - 0 0 {index + 1} connected {first}-{last}"


def _name(index: int) -> str:
    return f"{index + 1:040x}"
