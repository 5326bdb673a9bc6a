"""Redis for tests: on a clock that stands still until a test moves it, so that nobody waits for items to expire."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from momento_lambda.testing.redis_cluster import RedisCluster
from momento_lambda.testing.redis_server import RedisServer, is_installed

_FAKETIME: Final = "faketime/libfaketime.so.1"
# So long that no jump of the clock makes the nodes of a cluster take each other for dead.
_NODE_TIMEOUT_MS: Final = 2_000_000_000


class RedisClock:
    """The time that Redis servers started with its environment go by."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self._now = datetime(2030, 1, 1, tzinfo=UTC)
        self.environment = {
            # With the library's own allocator, which asks for the time before that can be answered, Redis would hang.
            "LD_PRELOAD": f"{library} libc.so.6",
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            # What wakes sleepers is real time.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }
        self.advance(timedelta())

    def advance(self, duration: timedelta) -> None:
        """Let time pass, which servers see at once."""
        self._now += duration
        written = self._file.with_suffix(".new")
        # In the middle of a millisecond, which no rounding leaves.
        written.write_text(f"{self._now:%Y-%m-%d %H:%M:%S}.{self._now.microsecond // 1000:03}5")
        # At one stroke, since servers read it at any time.
        written.replace(self._file)


@pytest.fixture(scope="session")
def redis_clock(tmp_path_factory: pytest.TempPathFactory) -> RedisClock:
    """The clock of the servers below."""
    libraries = sorted(Path("/usr/lib").glob(f"*/{_FAKETIME}"))
    if not (is_installed() and libraries):
        pytest.skip("stores on Redis need it, on a clock that can be set: apt-get install redis-server libfaketime")
    return RedisClock(tmp_path_factory.mktemp("redis") / "now", libraries[0])


@pytest.fixture(scope="session")
def redis_server(redis_clock: RedisClock) -> Iterator[RedisServer]:
    """One node, for the whole run: empty it before use."""
    with RedisServer(environment=redis_clock.environment) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster(redis_clock: RedisClock) -> Iterator[RedisCluster]:
    """Three primaries, for the whole run: empty them before use."""
    cluster = RedisCluster(node_timeout_ms=_NODE_TIMEOUT_MS, environment=redis_clock.environment)
    cluster.start()
    try:
        # After a start, nodes wait a while before they serve.
        redis_clock.advance(timedelta(minutes=1))
        cluster.wait_until_ready()
        yield cluster
    finally:
        cluster.close()
