"""The servers that clients are measured with, each in a process of its own."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from benchmarks.beside import running, stay
from benchmarks.clients.client import CACHE, Place
from benchmarks.clients.prompt_server import PromptServer
from momento_lambda.server import LocalServer
from momento_lambda.testing.redis_server import RedisServer

PROMPT_BYTES = 100
"""How long the values are that the prompt server has."""


@contextmanager
def cache_server() -> Iterator[Place]:
    """Run the embedded server, which shares no interpreter with what is measured."""
    with running(_serve) as place:
        yield place


@contextmanager
def prompt_server() -> Iterator[Place]:
    """Run a server that takes next to no time, and answers gets alone."""
    with running(_serve_promptly) as place:
        yield place


@contextmanager
def redis_server() -> Iterator[Place]:
    """Run a Redis that keeps nothing."""
    with RedisServer() as server:
        yield Place(server.port)


def _serve(parent: Connection) -> None:
    with LocalServer(caches=[CACHE]) as server:
        stay(parent, Place(server.port, server.create_token()))


def _serve_promptly(parent: Connection) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: PromptServer(bytes(PROMPT_BYTES)), "127.0.0.1", 0)
        async with server:
            place = Place(server.sockets[0].getsockname()[1], "asked.for.by.nobody")
            await asyncio.to_thread(stay, parent, place)

    asyncio.run(serve())
