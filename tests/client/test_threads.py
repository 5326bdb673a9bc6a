"""Many threads, one client."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from momento_lambda import ClientStateError, Hit, MomentoError, SimpleCacheClient
from momento_lambda.errors import CancelledError
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer

CACHE = "users-cache"
THREADS = 20


def test_threads_share_a_client() -> None:
    """What each of many threads stores through one client, that thread reads back."""
    with (
        LocalServer(caches=[CACHE], grace=0) as server,
        SimpleCacheClient(server.credentials, 60) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):

        def work(thread: int) -> list[object]:
            found: list[object] = []
            for number in range(10):
                key = f"{thread}-{number}"
                client.set(CACHE, key, key)
                found += [client.get(CACHE, key), *client.get_multi(CACHE, [key])]
            client.increment(CACHE, "sum", thread)
            return found

        results = list(pool.map(work, range(THREADS)))

        total = client.increment(CACHE, "sum", 0)

    for thread, found in enumerate(results):
        keys = [f"{thread}-{number}".encode() for number in range(10)]
        assert [Hit(key) for key in keys for _ in range(2)] == found
    assert sum(range(THREADS)) == total


def test_first_call_of_many_threads(server: "ScriptedServer", monkeypatch: pytest.MonkeyPatch) -> None:
    """When many threads make the first call at once, one connection is made and each call is answered."""
    made: list[str] = []
    connect = grpc.insecure_channel

    def counted(target: str, options: Any = None) -> grpc.Channel:
        made.append(target)
        return connect(target, options)

    monkeypatch.setattr(grpc, "insecure_channel", counted)
    start = threading.Barrier(THREADS)
    with SimpleCacheClient(server.credentials, 60) as client, ThreadPoolExecutor(THREADS) as pool:

        def first(_thread: int) -> None:
            start.wait()
            client.get("cache", "key")

        list(pool.map(first, range(THREADS)))

    assert [server.target] == made
    assert THREADS == len(server.attempts)


def test_closing_under_many_threads(server: "ScriptedServer") -> None:
    """Threads that are calling when the client is closed end with an error of this library, and none hangs."""
    client = SimpleCacheClient(server.credentials, 60)
    ends: list[BaseException] = []

    def call_until_closed() -> None:
        try:
            while True:
                client.get("cache", "key")
                client.get_multi("cache", ["key", "key"])
        except MomentoError as error:
            ends.append(error)

    threads = [threading.Thread(target=call_until_closed) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for _ in range(5 * THREADS):
        server.arrived.acquire()

    client.close()

    for thread in threads:
        thread.join()
    assert {type(end) for end in ends} <= {ClientStateError, CancelledError}
    assert THREADS == len(ends)


def test_batches_are_read_by_their_caller(server: "ScriptedServer", monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread is started to read the answers of a batch: whoever asked reads them."""
    started: list[str] = []
    start = threading.Thread.start

    def noted(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noted)
    with SimpleCacheClient(server.credentials, 60) as client:
        client.get_multi("cache", ["a", "b"])
        client.set_multi("cache", {"a": "1", "b": "2"})

    assert [] == [name for name in started if not name.startswith("ThreadPoolExecutor")]
