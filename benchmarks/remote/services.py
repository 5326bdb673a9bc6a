"""What a function talks to: a cache server some way off, and a slow source, each in a process of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from benchmarks.beside import running, stay
from benchmarks.remote.source import Latency, Source
from momento_lambda import CredentialProvider
from momento_lambda.server import LocalServer
from momento_lambda.testing import FaultProxy


@contextmanager
def far_cache(name: str, network: float) -> Iterator[CredentialProvider]:
    """Run a cache server, each way so many seconds away; yield what a client needs to reach it."""
    with running(_serve_cache, name, network) as (token, address):
        yield CredentialProvider.from_string(token, cache_endpoint=address, control_endpoint=address)


@contextmanager
def slow_source(latency: Latency, body: str, *, seed: int) -> Iterator[str]:
    """Run a source that answers after a latency; yield its URL."""
    with running(_serve_source, latency, body, seed) as url:
        yield url


def _serve_cache(parent: Connection, name: str, network: float) -> None:
    with LocalServer(caches=[name]) as server, FaultProxy(server.host, server.port) as proxy:
        proxy.add_latency(network)
        stay(parent, (server.create_token(), proxy.address))


def _serve_source(parent: Connection, latency: Latency, body: str, seed: int) -> None:
    with Source(latency, body, seed) as source:
        threading.Thread(target=source.serve_forever, daemon=True).start()
        stay(parent, f"http://127.0.0.1:{source.server_port}")
        source.shutdown()
