"""The token goes to the server, and nowhere else."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import grpc
import pytest

from momento_lambda import Configuration, MomentoError, SimpleCacheClient, SimpleCacheClientAsync
from momento_lambda.client.headers import Headers

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer
    from tests.twins import Connect

Call: TypeAlias = Callable[[SimpleCacheClientAsync], Awaitable[object]]

TOKEN = "token-that-nobody-may-see"
CALLS: dict[str, Call] = {
    "get": lambda client: client.get("cache", "key"),
    "set_multi": lambda client: client.set_multi("cache", {"key": "value"}),
    "increment": lambda client: client.increment("cache", "key"),
    "create_cache": lambda client: client.create_cache("cache"),
    "create_token": lambda client: client.create_token("read:cache", 60),
    "create_signing_key": lambda client: client.create_signing_key("1h"),
    "bad name": lambda client: client.get("\n", "key"),
}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    "status", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE, None], ids=["refused", "away", "hangs"]
)
async def test_failures(
    connect: "Connect",
    server: "ScriptedServer",
    caplog: pytest.LogCaptureFixture,
    method: str,
    status: grpc.StatusCode | None,
) -> None:
    """No failed call has the token in its error, its whole traceback, or any log record at any level."""
    caplog.set_level(logging.DEBUG)
    if status is None:
        server.hang()
    else:
        server.fail(status)
    client = connect(server.credentials, timeout=0.1, control_timeout=0.1)

    with pytest.raises(MomentoError) as caught:
        await CALLS[method](client)

    whole = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in whole + repr(caught.value) + repr(caught.value.__cause__) + caplog.text
    assert all(TOKEN == attempt.headers["authorization"] for attempt in server.attempts)


@pytest.mark.parametrize("twin", [SimpleCacheClient, SimpleCacheClientAsync], ids=lambda twin: twin.__name__)
def test_representations(server: "ScriptedServer", twin: type[SimpleCacheClient | SimpleCacheClientAsync]) -> None:
    """Neither a client nor anything that it is made of shows the token."""
    client = twin(server.credentials, 60, configuration=Configuration.for_lambda())

    assert TOKEN not in repr(client) + repr(vars(client)) + repr(Headers(TOKEN))
