"""What `@cached` adds to a hit, over the bare call of the client that it makes."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from benchmarks.beside import running, stay
from benchmarks.report import Report, Target, arguments, publish
from momento_lambda import Cache, Configuration, LocalTier, SimpleCacheClient
from momento_lambda.caching.cached import CachedFunction
from momento_lambda.server import LocalServer

CACHE = "users"
USER = {"id": "7", "name": "Grace", "roles": ["admin", "author"], "visits": 12}
WARMING_ROUNDS = 100
MOST_OVER_GET_US = 30
MOST_LOCAL_US = 5


@dataclass(frozen=True)
class Medians:
    """Microseconds of a call, each the median of one run.

    Attributes:
        look_up: In a dict.
        local: Through `@cached`, held in this process.
        get: Of the bare client.
        remote: Through `@cached`, held by the server.
        over_get: By how much the last was longer than the one before it, call by call.
    """

    look_up: float
    local: float
    get: float
    remote: float
    over_get: float


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    with running(_serve) as token:
        found = measure(token, rounds=200 if told.quick else 20_000)
    publish(report(found), write=told.write)


def measure(token: str, rounds: int) -> Medians:
    """Measure all four by turns, so that whatever else the machine does concerns all of them alike."""
    with SimpleCacheClient(token, 600, configuration=Configuration(timeout=10)) as client:
        remote = _user(Cache(CACHE, default_ttl=600, client=client, early_refresh=None))
        local = _user(Cache(CACHE, default_ttl=600, client=client, early_refresh=None, local_tier=LocalTier(ttl=600)))
        key, users = remote.key("7"), {"7": USER}
        # What takes next to no time is called often, so that looking at the clock is no part of the figure.
        calls: Sequence[tuple[Callable[[], object], int]] = (
            (lambda: users["7"], 100),
            (lambda: local("7"), 10),
            (lambda: client.get(CACHE, key), 1),
            (lambda: remote("7"), 1),
        )
        for _ in range(WARMING_ROUNDS):
            _round(calls)
        taken = [_round(calls) for _ in range(rounds)]
    look_up, local_hit, get, remote_hit = map(statistics.median, zip(*taken, strict=True))
    over_get = statistics.median(hit - bare for _, _, bare, hit in taken)
    return Medians(look_up, local_hit, get, remote_hit, over_get)


def report(found: Medians) -> Report:
    """Return the table."""
    return Report(
        title="The cost of @cached",
        about=(
            "A hit through `@cached`, beside the bare call of the client and a look-up in a dict, measured by turns: "
            "medians.\nThe value is a dict of four fields, which every hit decodes anew; the server is another process "
            "on this machine."
        ),
        header=("a hit", "to a bare get", "to a dict look-up", "µs", "µs over a bare get"),
        rows=[
            _row("dict look-up", found.look_up, found),
            _row("@cached, held in this process", found.local, found),
            _row("client.get", found.get, found),
            _row("@cached, held by the server", found.remote, found, f"{found.over_get:.1f}"),
        ],
        figures=vars(found),
        targets=[
            Target("@cached, held by the server: µs over a bare get", found.over_get, MOST_OVER_GET_US),
            Target("@cached, held in this process: µs", found.local, MOST_LOCAL_US),
        ],
    )


def _row(name: str, microseconds: float, found: Medians, over_get: str = "") -> Sequence[str]:
    to_get, to_look_up = microseconds / found.get, microseconds / found.look_up
    return name, f"{to_get:.4f}", f"{to_look_up:,.0f}", f"{microseconds:.2f}", over_get


def _user(cache: Cache) -> CachedFunction[[str], dict[str, object]]:
    @cache.cached
    def user(id_: str) -> dict[str, object]:
        return USER | {"id": id_}

    return user


def _round(calls: Sequence[tuple[Callable[[], object], int]]) -> list[float]:
    return [_microseconds(call, times) for call, times in calls]


def _microseconds(call: Callable[[], object], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times * 1e6


def _serve(parent: Connection) -> None:
    with LocalServer(caches=[CACHE]) as server:
        stay(parent, server.create_token())


if __name__ == "__main__":
    main()
