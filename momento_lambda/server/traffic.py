"""What came in and how it went, counted as it happens.

Plain numbers, touched from the event loop alone: counting a call costs about a microsecond. What reads them makes of
them what it likes.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, final

from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire.rpc import Rpc

if TYPE_CHECKING:
    from momento_lambda.server.accounts import Account

LATENCY_BOUNDS: Final = (
    *(0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01),
    *(0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""The upper bounds, in seconds, of what latencies are counted under; the last count is of all that took longer."""

OK: Final = "OK"
CANCELLED: Final = "CANCELLED"

_REMEMBERED_CACHES: Final = 10_000


@final
class ProcedureTraffic:
    """The calls of one procedure.

    Attributes:
        rpc: Which.
        statuses: How many calls ended with each gRPC status.
        latencies: How many took how long, by `LATENCY_BOUNDS`: from when the request was read until its reply, or the
            last of them, was handed to the transport.
        seconds: How long all of them took together.
        received_bytes: Of request messages.
        sent_bytes: Of reply messages.
    """

    __slots__ = ("latencies", "received_bytes", "rpc", "seconds", "sent_bytes", "statuses")

    def __init__(self, rpc: Rpc[Any, Any]) -> None:
        self.rpc = rpc
        self.statuses: dict[str, int] = {}
        self.latencies = [0] * (len(LATENCY_BOUNDS) + 1)
        self.seconds = 0.0
        self.received_bytes = 0
        self.sent_bytes = 0


@final
class CacheReads:
    """What was found of what was asked for in one cache, item by item."""

    __slots__ = ("hits", "misses")

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0

    def count(self, reply: pb.GetResponse) -> None:
        """Count what was found."""
        if reply.result == pb.HIT:
            self.hits += 1
        else:
            self.misses += 1

    def counted(self, replies: Iterable[pb.GetResponse]) -> Iterator[pb.GetResponse]:
        """Yield replies, each counted when it is taken."""
        for reply in replies:
            self.count(reply)
            yield reply


@final
class Traffic:
    """All calls of a server.

    Args:
        rpcs: What can be called.

    Attributes:
        procedures: By path.
        reads: By cache. Of very many caches the ones that were first read long ago are forgotten.
        in_flight: How many calls have begun and not ended.
    """

    def __init__(self, rpcs: Iterable[Rpc[Any, Any]]) -> None:
        self.procedures = {rpc.path: ProcedureTraffic(rpc) for rpc in rpcs}
        self.reads: dict[str, CacheReads] = {}
        self.in_flight = 0

    def reads_of(self, cache: str) -> CacheReads:
        """Return what is counted of a cache that exists."""
        reads = self.reads.get(cache)
        if reads is None:
            if len(self.reads) >= _REMEMBERED_CACHES:
                del self.reads[next(iter(self.reads))]
            reads = self.reads[cache] = CacheReads()
        return reads


@final
class Call:
    """One call, counted when its block ends.

    Args:
        traffic: What it is counted in.
        procedure: What it is a call of.
        received_bytes: How long its request is.

    Attributes:
        status: How it ended. Until that is known the caller may leave, which cancels it.
        cache: The cache that it names, which need not exist.
        sent_bytes: How long its replies are.
        account: What they are charged to, or None.
    """

    __slots__ = ("_began", "_procedure", "_traffic", "account", "cache", "sent_bytes", "status")

    def __init__(self, traffic: Traffic, procedure: ProcedureTraffic, received_bytes: int) -> None:
        self._traffic = traffic
        self._procedure = procedure
        self.status = CANCELLED
        self.cache = ""
        self.sent_bytes = 0
        self.account: Account | None = None
        procedure.received_bytes += received_bytes

    def __enter__(self) -> "Call":
        self._traffic.in_flight += 1
        self._began = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        took = perf_counter() - self._began
        procedure, status = self._procedure, OK if kind is None else self.status
        self._traffic.in_flight -= 1
        procedure.statuses[status] = procedure.statuses.get(status, 0) + 1
        procedure.latencies[bisect_left(LATENCY_BOUNDS, took)] += 1
        procedure.seconds += took
        procedure.sent_bytes += self.sent_bytes
        if self.account is not None:
            self.account.charge(self.sent_bytes)
