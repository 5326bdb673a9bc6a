"""Idempotency fails closed: where the cache is in trouble, the body does not run, and the error says why."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.idempotency import idempotent
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError

from momento_lambda import (
    CacheNotFoundError,
    ClientStateError,
    FailedPreconditionError,
    InvalidArgumentError,
    LimitExceededError,
    MomentoError,
    SimpleCacheClient,
    UnavailableError,
)
from momento_lambda.integrations.idempotency import MomentoPersistenceLayer
from momento_lambda.integrations.idempotency_record import pack, unpack
from momento_lambda.integrations.powertools import DataRecord
from momento_lambda.runtime.clients import WarmClients
from momento_lambda.server import LocalServer
from tests.integrations.test_idempotency import key_of

if TYPE_CHECKING:
    from tests.integrations.conftest import Context, Records, Time

ROOT = Path(__file__).resolve().parents[2]
EVENT = {"order": "7"}


def refused(layer: MomentoPersistenceLayer, context: "Context", answer: object = None) -> tuple[MomentoError, int]:
    """Return what an idempotent handler's invocation failed by, and how often its body ran."""
    runs = []

    @idempotent(persistence_store=layer)
    def handler(event: Any, context: Any) -> Any:  # noqa: ARG001  # what a handler takes
        runs.append(event)
        return answer

    with pytest.raises(IdempotencyPersistenceLayerError) as caught:
        handler(EVENT, context)
    assert isinstance(caught.value.__cause__, MomentoError)
    return caught.value.__cause__, len(runs)


def test_a_cache_that_is_down(server: LocalServer, context: "Context") -> None:
    """Where nobody answers, that is raised and the body does not run."""
    with LocalServer(grace=0) as gone:
        credentials = gone.credentials
    with SimpleCacheClient(credentials, 60) as client:
        error, runs = refused(MomentoPersistenceLayer("payments", client=client), context)
    assert (UnavailableError, 0) == (type(error), runs)
    assert server.port != credentials.cache_endpoint.port


def test_a_cache_that_does_not_exist(client: SimpleCacheClient, context: "Context") -> None:
    """A missing cache is raised and the body does not run."""
    error, runs = refused(MomentoPersistenceLayer("nowhere", client=client), context)
    assert (CacheNotFoundError, 0) == (type(error), runs)


def test_a_client_that_cannot_be_built(context: "Context") -> None:
    """What building the client raises is raised, and the body does not run."""

    def build() -> SimpleCacheClient:
        raise KeyError("TOKEN")

    error, runs = refused(MomentoPersistenceLayer("payments", client=build), context)
    assert (ClientStateError, 0) == (type(error), runs)


def test_no_token(monkeypatch: pytest.MonkeyPatch, context: "Context") -> None:
    """Without a token in the environment the body does not run, and the error names the variable."""
    monkeypatch.delenv("MOMENTO_API_KEY")
    error, runs = refused(MomentoPersistenceLayer("payments"), context)
    assert "MOMENTO_API_KEY" in str(error)
    assert 0 == runs


def test_a_cache_that_goes_down_meanwhile(
    client: SimpleCacheClient, layer: MomentoPersistenceLayer, context: "Context"
) -> None:
    """Where the response cannot be stored that is raised, though the body ran, since a retry would run it again."""

    @idempotent(persistence_store=layer)
    def handler(event: Any, context: Any) -> str:  # noqa: ARG001  # what a handler takes
        client.close()
        return "paid"

    with pytest.raises(IdempotencyPersistenceLayerError, match="update record state to success"):
        handler(EVENT, context)


def test_a_key_that_cannot_be_released(
    client: SimpleCacheClient, layer: MomentoPersistenceLayer, context: "Context"
) -> None:
    """Where a crashed body's record cannot be deleted, that is raised from what the cache said."""

    @idempotent(persistence_store=layer)
    def handler(event: Any, context: Any) -> str:  # noqa: ARG001  # what a handler takes
        client.close()
        raise RuntimeError

    with pytest.raises(IdempotencyPersistenceLayerError, match="delete record") as caught:
        handler(EVENT, context)
    assert isinstance(caught.value.__cause__, ClientStateError)


def test_a_response_that_is_too_large(layer: MomentoPersistenceLayer, context: "Context") -> None:
    """A response over the item limit is an error that says so; the key is held until the invocation's end."""
    error, runs = refused(layer, context, answer="x" * 5_000_192)
    assert (LimitExceededError, 1) == (type(error), runs)


FOREIGN = [
    b"",
    b"\xff",
    b"7",
    b"[]",
    b"null",
    b"{}",
    b'{"status":"INPROGRESS"}',
    b'{"status":1,"expiration":1}',
    b'{"status":"COMPLETED","expiration":"soon"}',
]


@pytest.mark.parametrize("found", FOREIGN, ids=repr)
def test_what_is_no_record_is_not_taken_over(
    layer: MomentoPersistenceLayer, records: "Records", context: "Context", found: bytes
) -> None:
    """Under a key that holds something else nobody knows what ran, so nothing runs, and it stays as it is."""

    @idempotent(persistence_store=layer)
    def handler(event: Any, context: Any) -> None:
        raise AssertionError(event, context)

    records.put(key_of(handler, EVENT), found)
    with pytest.raises(IdempotencyPersistenceLayerError, match="is no idempotency record") as caught:
        handler(EVENT, context)
    assert isinstance(caught.value.__cause__, FailedPreconditionError)
    assert found == records.get(key_of(handler, EVENT))


def test_a_record_comes_back_as_it_was(time: "Time") -> None:
    """Whatever a record holds comes back from its bytes; what it does not hold, as Powertools has it."""
    record = DataRecord("key", "INPROGRESS", int(time()) + 60, 1_234, '{"ä": "\\u0000"}', "hash")
    bare = DataRecord("key", "COMPLETED", int(time()) + 60)
    for each in (record, bare):
        assert vars(each) == vars(unpack("key", pack(each, "claim")))


def test_a_layer_without_a_name(monkeypatch: pytest.MonkeyPatch, cache_name: str, context: "Context") -> None:
    """The cache is what MOMENTO_CACHE_NAME says; where nobody names one, that is refused at once."""
    monkeypatch.setenv("MOMENTO_CACHE_NAME", cache_name)

    @idempotent(persistence_store=MomentoPersistenceLayer())
    def handler(event: Any, context: Any) -> str:  # noqa: ARG001  # what a handler takes
        return "paid"

    assert "paid" == handler(EVENT, context)
    monkeypatch.delenv("MOMENTO_CACHE_NAME")
    with pytest.raises(InvalidArgumentError, match="MOMENTO_CACHE_NAME"):
        MomentoPersistenceLayer()


def test_names_and_timeouts_that_cannot_be() -> None:
    """What no cache could be asked with is refused where it was written."""
    with pytest.raises(InvalidArgumentError):
        MomentoPersistenceLayer("")
    with pytest.raises(InvalidArgumentError):
        MomentoPersistenceLayer("naïve")
    with pytest.raises(InvalidArgumentError, match="timeout"):
        MomentoPersistenceLayer("payments", timeout=0)
    with pytest.raises(InvalidArgumentError, match="connect_timeout"):
        MomentoPersistenceLayer("payments", connect_timeout=0)


@pytest.mark.parametrize("function", [None, "pay"], ids=["elsewhere", "on Lambda"])
def test_on_lambda_connecting_begins_at_once(monkeypatch: pytest.MonkeyPatch, function: str | None) -> None:
    """A layer at the top of a function's module connects while the rest loads; elsewhere it waits to be needed."""
    started: list[WarmClients] = []

    def start(clients: WarmClients) -> None:
        started.append(clients)

    monkeypatch.setattr(WarmClients, "start", start)
    if function is not None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)
    MomentoPersistenceLayer("payments")
    assert (function is not None) == bool(started)


@pytest.mark.parametrize("absent", ["aws_lambda_powertools", "boto3"])
def test_without_powertools(absent: str) -> None:
    """Where Powertools, or the boto3 that it imports, is not installed, the error says what to install."""
    program = (
        f"import sys; sys.modules[{absent!r}] = None\n"
        "try: import momento_lambda.integrations.idempotency\n"
        "except ModuleNotFoundError as error: print(error.name, error, sep='|')\n"
    )
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT, text=True
    )
    name, _, message = done.stdout.partition("|")
    assert absent == name.partition(".")[0]
    assert "pip install 'momento-lambda[powertools]'" in message


def test_observers_need_no_powertools_to_be_imported() -> None:
    """Observers take Powertools' objects as they are given: importing them imports none of it."""
    program = (
        "import sys; sys.modules['aws_lambda_powertools'] = None\n"
        "import momento_lambda.integrations.metrics, momento_lambda.integrations.tracing\n"
        "import momento_lambda.integrations.log_keys; print('imported')\n"
    )
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT, text=True
    )
    assert "imported\n" == done.stdout
