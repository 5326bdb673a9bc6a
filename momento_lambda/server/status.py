"""What a server says of itself, at one moment."""

from collections.abc import Mapping
from typing import NamedTuple

from momento_lambda.errors import MomentoError
from momento_lambda.server.readiness import Health
from momento_lambda.server.store import CacheUsage, Store
from momento_lambda.server.traffic import Traffic


class ProcedureStatus(NamedTuple):
    """What was counted of a procedure. As in `ProcedureTraffic`, but it stays as it is."""

    service: str
    name: str
    statuses: Mapping[str, int]
    latencies: tuple[int, ...]
    seconds: float
    received_bytes: int
    sent_bytes: int


class CacheStatus(NamedTuple):
    """What is known of a cache.

    Attributes:
        name: Its name.
        items: How many there are; None where the store does not know.
        bytes: The memory that they take; likewise.
        hits: How many items were asked for through this server and found.
        misses: How many were not found.
    """

    name: str
    items: int | None
    bytes: int | None
    hits: int
    misses: int


class Status(NamedTuple):
    """A server at one moment.

    Attributes:
        health: How it fares.
        in_flight: How many calls are being answered.
        procedures: What was called so far.
        caches: What there is, by name.
    """

    health: Health
    in_flight: int
    procedures: tuple[ProcedureStatus, ...]
    caches: tuple[CacheStatus, ...]


async def take_status(store: Store, health: Health, traffic: Traffic) -> Status:
    """Return the status of a server that consists of these."""
    return Status(
        health=health,
        in_flight=traffic.in_flight,
        procedures=tuple(
            ProcedureStatus(
                counted.rpc.service,
                counted.rpc.name,
                dict(counted.statuses),
                tuple(counted.latencies),
                counted.seconds,
                counted.received_bytes,
                counted.sent_bytes,
            )
            for counted in traffic.procedures.values()
            if counted.statuses
        ),
        caches=await _caches(store, traffic),
    )


async def _caches(store: Store, traffic: Traffic) -> tuple[CacheStatus, ...]:
    try:
        names = await store.cache_names()
    except MomentoError:
        # The status says what keeps the store from answering; what was read until then is still known.
        names = sorted(traffic.reads)
    usage = store.usage() or {}
    return tuple(_cache(name, usage, traffic) for name in names)


def _cache(name: str, usage: Mapping[str, CacheUsage], traffic: Traffic) -> CacheStatus:
    used, reads = usage.get(name), traffic.reads.get(name)
    return CacheStatus(
        name,
        used.items if used else None,
        used.bytes if used else None,
        reads.hits if reads else 0,
        reads.misses if reads else 0,
    )
