"""The servers that clients are measured with, each in a process of its own."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from benchmarks.clients.client import CACHE, Place
from momento_lambda.server import LocalServer
from momento_lambda.testing.redis_server import RedisServer


@contextmanager
def cache_server() -> Iterator[Place]:
    """Run the embedded server, which shares no interpreter with what is measured."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield Place(*ours.recv())
    finally:
        ours.close()  # which the other end finds out, also where this process is killed
        process.join()


@contextmanager
def redis_server() -> Iterator[Place]:
    """Run a Redis that keeps nothing."""
    with RedisServer() as server:
        yield Place(server.port)


def _serve(parent: Connection) -> None:
    with LocalServer(caches=[CACHE]) as server:
        parent.send((server.port, server.create_token()))
        parent.poll(None)
