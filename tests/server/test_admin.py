"""The admin port: metrics, probes and the status of a server, read over HTTP as those who run it do."""

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import grpc
import grpc.aio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from momento_lambda.errors import UnavailableError
from momento_lambda.server.admin_server import AdminAddress, AdminServer
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.server import CacheServer, ListenError
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs

LOOPBACK = AdminAddress("127.0.0.1", 0)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Any
    text: str


class Admin:
    """A server with one cache, its admin port, and calls of both."""

    def __init__(self, server: CacheServer, pages: AdminServer, channel: grpc.aio.Channel) -> None:
        self.server = server
        self.pages = pages
        self._channel = channel

    async def read(self, path: str, method: str = "GET") -> Answer:
        """Read a page."""
        return await asyncio.to_thread(self._read, path, method)

    def _read(self, path: str, method: str) -> Answer:
        request = urllib.request.Request(self.pages.url.rstrip("/") + path, method=method)  # noqa: S310  # our own server
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  # as above
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.headers, refused.read().decode())

    async def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Return every sample of the metrics, by name and labels."""
        families = text_string_to_metric_families((await self.read("/metrics")).text)
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    async def call(self, rpc: Any, request: Any, cache: str = "cache") -> Any:
        """Ask the server."""
        procedure: Any = self._channel.unary_unary(rpc.path, rpc.request.SerializeToString, rpc.reply.FromString)
        return await procedure(request, metadata=(("cache", cache),), timeout=20)

    async def some_calls(self) -> None:
        """Set an item, find it twice, miss another, and ask for a cache that is not there."""
        await self.call(rpcs.SET, pb.SetRequest(cache_key=b"key", cache_body=b"value", ttl_milliseconds=60_000))
        for key in (b"key", b"key", b"other"):
            await self.call(rpcs.GET, pb.GetRequest(cache_key=key))
        with pytest.raises(grpc.aio.AioRpcError):
            await self.call(rpcs.GET, pb.GetRequest(), "none such")


@pytest.fixture
async def admin() -> AsyncIterator[Admin]:
    """A server that asks for no token, and its admin port."""
    store = MemoryStore()
    await store.create_cache("cache")
    server = CacheServer(store, keys=None)
    await server.start()
    pages = AdminServer(server, LOOPBACK)
    async with grpc.aio.insecure_channel(server.endpoint.target) as channel:
        yield Admin(server, pages, channel)
    await server.stop(0)
    await pages.stop()


def sample(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """Return what a sample is found by."""
    return f"momento_server_{name}", frozenset(labels.items())


async def test_metrics_are_what_was_counted(admin: Admin) -> None:
    """Prometheus reads calls by status, latencies, bytes, hits, misses, items and their memory."""
    await admin.some_calls()
    metrics = await admin.metrics()
    get, put = ({"service": "cache_client.Scs", "procedure": name} for name in ("Get", "Set"))
    assert 3 == metrics[sample("calls_total", **get, code="OK")]
    assert 1 == metrics[sample("calls_total", **get, code="NOT_FOUND")]
    assert 1 == metrics[sample("calls_total", **put, code="OK")]
    assert 4 == metrics[sample("call_seconds_count", **get)] == metrics[sample("call_seconds_bucket", **get, le="+Inf")]
    assert 0 < metrics[sample("call_seconds_sum", **get)] < 60
    asked = sum(pb.GetRequest(cache_key=key).ByteSize() for key in (b"key", b"key", b"other"))
    assert asked == metrics[sample("received_bytes_total", **get)]
    assert pb.SetResponse(result=pb.OK).ByteSize() == metrics[sample("sent_bytes_total", **put)]
    assert 2 == metrics[sample("reads_total", cache="cache", result="hit")]
    assert 1 == metrics[sample("reads_total", cache="cache", result="miss")]
    assert 1 == metrics[sample("items", cache="cache")]
    assert len(b"keyvalue") < metrics[sample("item_bytes", cache="cache")] < 1_000
    assert (1, 1, 0) == tuple(metrics[sample(name)] for name in ("ready", "store_up", "calls_in_flight"))


async def test_buckets_are_cumulative(admin: Admin) -> None:
    """Each bucket of latencies holds what those below it hold, and no procedure is there that nobody called."""
    await admin.some_calls()
    metrics = await admin.metrics()
    buckets: dict[str, list[tuple[float, float]]] = {}
    for (name, labels), value in metrics.items():
        if name == "momento_server_call_seconds_bucket":
            of = dict(labels)
            buckets.setdefault(of["procedure"], []).append((float(of["le"]), value))
    assert {"Get", "Set"} == buckets.keys()
    for held in buckets.values():
        counts = [count for _, count in sorted(held)]
        assert sorted(counts) == counts


async def test_probes_follow_the_store(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose store cannot be reached is alive and not ready, and says why."""
    assert (200, "alive\n") == (await admin.read("/healthz"))[::2]
    assert (200, "ready\n") == (await admin.read("/readyz"))[::2]

    async def fail(_store: MemoryStore) -> None:
        raise UnavailableError("the cable is cut")

    async with asyncio.timeout(20):
        with monkeypatch.context() as patch:
            patch.setattr(MemoryStore, "ping", fail)
            while (answer := await admin.read("/readyz")).status == 200:
                pass
    assert (503, "the store does not answer: the cable is cut\n") == answer[::2]
    assert (200, "alive\n") == (await admin.read("/healthz"))[::2]
    assert 0 == (await admin.metrics())[sample("store_up")]


async def test_a_server_that_drains_is_not_ready(admin: Admin) -> None:
    """Draining is told to probes, and a server that has stopped can still be asked."""
    await admin.server.drain()
    assert (503, "draining\n") == (await admin.read("/readyz"))[::2]
    await admin.server.stop(0)
    assert (503, "draining\n") == (await admin.read("/readyz"))[::2]
    assert 0 == (await admin.metrics())[sample("ready")]


async def test_a_loop_that_hangs_is_not_alive(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the event loop does not answer in time, nothing is claimed of the server."""
    monkeypatch.setattr("momento_lambda.server.admin_server._PATIENCE_SECONDS", 0)
    # The loop of this test is the server's, and is busy with reading instead of answering.
    for path in ("/healthz", "/readyz", "/metrics", "/status.json"):
        assert 503 == admin._read(path, "GET").status  # noqa: SLF001  # from this very thread, so that the loop hangs


async def test_the_status_is_all_there_is_to_show(admin: Admin) -> None:
    """As JSON it holds the health, the caches, the procedures that were called, and the process."""
    await admin.some_calls()
    answer = await admin.read("/status.json")
    assert "application/json" == answer.headers["Content-Type"]
    status = json.loads(answer.text)
    assert {"draining": False, "store_trouble": None} == status["health"]
    (cache,) = status["caches"]
    assert {"name": "cache", "items": 1, "hits": 2, "misses": 1} == {
        name: value for name, value in cache.items() if name != "bytes"
    }
    assert {"Get": {"OK": 3, "NOT_FOUND": 1}, "Set": {"OK": 1}} == {
        procedure["name"]: procedure["statuses"] for procedure in status["procedures"]
    }
    assert len(status["latency_bounds"]) + 1 == len(status["procedures"][0]["latencies"])
    assert admin.server.endpoint.target == status["address"]


async def test_a_store_out_of_reach_still_has_a_status(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store cannot name its caches, those that were read are shown with what is known of them."""

    async def fail(_store: MemoryStore) -> None:
        raise UnavailableError("the cable is cut")

    await admin.some_calls()
    monkeypatch.setattr(MemoryStore, "cache_names", fail)
    monkeypatch.setattr(MemoryStore, "usage", lambda _store: None)
    status = json.loads((await admin.read("/status.json")).text)
    assert [{"name": "cache", "items": None, "bytes": None, "hits": 2, "misses": 1}] == status["caches"]
    assert 2 == (await admin.metrics())[sample("reads_total", cache="cache", result="hit")]


async def test_nothing_comes_from_elsewhere(admin: Admin) -> None:
    """The page is one file that loads nothing, and its policy forbids that it does, or that it is framed."""
    answer = await admin.read("/")
    assert "text/html; charset=utf-8" == answer.headers["Content-Type"]
    assert "src=" not in answer.text
    assert "@import" not in answer.text
    assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(
        answer.headers["Content-Security-Policy"].split("; ")
    )


@pytest.mark.parametrize("path", ["/", "/status.json", "/metrics", "/healthz", "/readyz"])
async def test_it_is_read_only(admin: Admin, path: str) -> None:
    """Every page is there for GET alone."""
    assert 200 == (await admin.read(path)).status
    assert 405 == (await admin.read(path, "POST")).status


async def test_other_paths_name_those_there_are(admin: Admin) -> None:
    """A path that is not there is answered with those that are."""
    answer = await admin.read("/status")
    assert 404 == answer.status
    assert "there is: / /healthz /metrics /readyz /status.json\n" == answer.text


async def test_a_taken_port_is_said(admin: Admin) -> None:
    """Where the admin port cannot listen, the error names the address and the reason."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"the admin port cannot listen on 127\.0\.0\.1:{port}: .*in use"):
            AdminServer(admin.server, AdminAddress("127.0.0.1", port))


async def test_a_silent_reader_holds_up_nobody(admin: Admin) -> None:
    """While one connection says nothing, others are answered, and stopping does not wait for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(admin.pages.url.rsplit(":", 1)[1].strip("/")))
    writer.write(b"GET /metr")
    assert 200 == (await admin.read("/healthz")).status
    async with asyncio.timeout(5):
        await admin.pages.stop()
    writer.close()
    del reader
