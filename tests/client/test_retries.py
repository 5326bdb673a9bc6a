"""Which calls are sent again after which failures, counted where they arrive."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import grpc
import pytest

from momento_lambda import MomentoError, SimpleCacheClientAsync
from momento_lambda.errors import (
    AlreadyExistsError,
    AuthenticationError,
    CacheNotFoundError,
    CancelledError,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LimitExceededError,
    PermissionDeniedError,
    UnavailableError,
    UnknownError,
)

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer
    from tests.twins import Connect

Call: TypeAlias = Callable[[SimpleCacheClientAsync], Awaitable[object]]

REPEATABLE: dict[str, Call] = {
    "get": lambda client: client.get("cache", "key"),
    "get_multi": lambda client: client.get_multi("cache", ["key", "key"]),
    "set": lambda client: client.set("cache", "key", "value"),
    "set_multi": lambda client: client.set_multi("cache", {"key": "value"}),
    "delete": lambda client: client.delete("cache", "key"),
    "keys_exist": lambda client: client.keys_exist("cache", ["key"]),
    "item_get_ttl": lambda client: client.item_get_ttl("cache", "key"),
    "ping": lambda client: client.ping(),
}
ONCE: dict[str, Call] = {
    "set_if_absent": lambda client: client.set_if_absent("cache", "key", "value"),
    "set_if_not_exists": lambda client: client.set_if_not_exists("cache", "key", "value"),
    "set_if_present": lambda client: client.set_if_present("cache", "key", "value"),
    "set_if_equal": lambda client: client.set_if_equal("cache", "key", "value", "old"),
    "set_if_not_equal": lambda client: client.set_if_not_equal("cache", "key", "value", "old"),
    "set_if_present_and_not_equal": lambda client: client.set_if_present_and_not_equal("cache", "key", "v", "old"),
    "set_if_absent_or_equal": lambda client: client.set_if_absent_or_equal("cache", "key", "value", "old"),
    "increment": lambda client: client.increment("cache", "key"),
    "update_ttl": lambda client: client.update_ttl("cache", "key", 5),
    "increase_ttl": lambda client: client.increase_ttl("cache", "key", 5),
    "decrease_ttl": lambda client: client.decrease_ttl("cache", "key", 5),
    "create_cache": lambda client: client.create_cache("cache"),
    "delete_cache": lambda client: client.delete_cache("cache"),
    "flush_cache": lambda client: client.flush_cache("cache"),
    "list_caches": lambda client: client.list_caches(),
}
PASSING = {grpc.StatusCode.UNAVAILABLE: UnavailableError, grpc.StatusCode.INTERNAL: InternalError}
LASTING = {
    grpc.StatusCode.CANCELLED: CancelledError,
    grpc.StatusCode.UNKNOWN: UnknownError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.NOT_FOUND: CacheNotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitExceededError,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPreconditionError,
    grpc.StatusCode.ABORTED: InternalError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidArgumentError,
    grpc.StatusCode.UNIMPLEMENTED: InvalidArgumentError,
    grpc.StatusCode.DATA_LOSS: InternalError,
    grpc.StatusCode.UNAUTHENTICATED: AuthenticationError,
}


@pytest.mark.parametrize("method", REPEATABLE)
@pytest.mark.parametrize("status", PASSING, ids=lambda status: status.name)
async def test_passing_failure(
    client: SimpleCacheClientAsync, server: "ScriptedServer", method: str, status: grpc.StatusCode
) -> None:
    """A call that is safe to repeat survives two passing failures, and is sent three times, each time the same."""
    server.fail(status, first=2)

    await REPEATABLE[method](client)

    assert 3 == len(server.attempts)
    assert [server.attempts[0][:3]] * 3 == [attempt[:3] for attempt in server.attempts]


@pytest.mark.parametrize("status", PASSING, ids=lambda status: status.name)
async def test_failure_that_stays(
    client: SimpleCacheClientAsync, server: "ScriptedServer", status: grpc.StatusCode
) -> None:
    """After three more attempts the failure is raised, with the server's words, the call and the address."""
    server.fail(status)

    with pytest.raises(PASSING[status]) as caught:
        await client.get("cache", "key")

    assert f"as the test asked for (Get at {server.target})" == caught.value.message
    assert isinstance(caught.value.__cause__, grpc.RpcError)
    assert 4 == len(server.attempts)


@pytest.mark.parametrize("retries", [0, 1, 2])
async def test_number_of_retries(connect: "Connect", server: "ScriptedServer", retries: int) -> None:
    """The configuration says how many attempts may follow the first."""
    server.fail(grpc.StatusCode.UNAVAILABLE)

    with pytest.raises(UnavailableError):
        await connect(server.credentials, retries=retries).get_multi("cache", ["key", "key"])

    assert retries + 1 == len(server.attempts)


@pytest.mark.parametrize("method", ONCE)
@pytest.mark.parametrize("status", PASSING, ids=lambda status: status.name)
async def test_never_sent_twice(
    client: SimpleCacheClientAsync, server: "ScriptedServer", method: str, status: grpc.StatusCode
) -> None:
    """A call that is not safe to repeat, and any of the control plane, is sent once whatever becomes of it."""
    server.fail(status, first=1)

    with pytest.raises(PASSING[status]):
        await ONCE[method](client)

    assert 1 == len(server.attempts)


@pytest.mark.parametrize("status", LASTING, ids=lambda status: status.name)
async def test_lasting_failure(
    client: SimpleCacheClientAsync, server: "ScriptedServer", status: grpc.StatusCode
) -> None:
    """Any other failure is raised at once, as the one kind of error that it stands for."""
    server.fail(status)

    with pytest.raises(MomentoError) as caught:
        await client.get("cache", "key")

    assert LASTING[status] is type(caught.value)
    assert 1 == len(server.attempts)


async def test_half_a_stream_is_dropped(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A batch of which some answers had arrived when it failed is asked for anew, and answered whole."""
    server.break_streams(grpc.StatusCode.UNAVAILABLE, first=1)

    answers = await client.get_multi("cache", ["a", "b", "c"])

    assert 3 == len(answers)
    assert 2 == len(server.attempts)
