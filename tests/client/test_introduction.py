"""What every call carries, and what only the first one does."""

import platform
from typing import TYPE_CHECKING

import grpc

from momento_lambda import SimpleCacheClientAsync, __version__

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer
    from tests.twins import Connect

TOKEN = "token-that-nobody-may-see"
INTRODUCTION = {
    "agent": f"momento-lambda-python:cache:{__version__}",
    "runtime-version": f"python {platform.python_version()}",
}


async def test_first_call_of_each_connection(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """The first call of the data plane and the first of the control plane say who calls; no other does."""
    await client.get("users-cache", "key")
    await client.get_multi("users-cache", ["key", "key"])
    await client.list_caches()
    await client.create_cache("new-cache")
    await client.ping()

    introductions = [
        {name: value for name, value in attempt.headers.items() if name in INTRODUCTION} for attempt in server.attempts
    ]
    assert [INTRODUCTION, {}, INTRODUCTION, {}, {}] == introductions


async def test_a_first_call_that_is_repeated(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A first call that has to be repeated says it again, since its first attempt may not have been read."""
    server.fail(grpc.StatusCode.UNAVAILABLE, first=1)

    await client.get("users-cache", "key")

    assert [INTRODUCTION["agent"]] * 2 == [attempt.headers["agent"] for attempt in server.attempts]


async def test_every_call(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """Every call carries the bare token, and of the data plane the name of the cache."""
    await client.get("users-cache", "key")
    await client.set_multi("with spaces", {"key": "value"})
    await client.list_caches()
    await client.ping()

    sent = [(attempt.headers["authorization"], attempt.headers.get("cache")) for attempt in server.attempts]
    assert [(TOKEN, "users-cache"), (TOKEN, "with spaces"), (TOKEN, None), (TOKEN, None)] == sent


async def test_more_caches_than_are_remembered(connect: "Connect", server: "ScriptedServer") -> None:
    """The name of the cache is right however many caches a client has called."""
    client = connect(server.credentials)
    names = [f"cache-{number}" for number in range(300)]

    for name in names + names[-3:]:
        await client.delete(name, "key")

    assert names + names[-3:] == [attempt.headers["cache"] for attempt in server.attempts]
