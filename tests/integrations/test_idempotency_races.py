"""Of invocations that come at the same moment exactly one runs, whatever becomes of answers on their way."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.idempotency import idempotent
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemAlreadyExistsError,
    IdempotencyPersistenceLayerError,
)

from momento_lambda import AuthenticationError, DeadlineExceededError, MomentoError, SimpleCacheClient, UnavailableError
from momento_lambda.integrations.idempotency import MomentoPersistenceLayer
from momento_lambda.integrations.powertools import IdempotencyConfig

if TYPE_CHECKING:
    from tests.integrations.conftest import Context, Time

PATIENCE = 30
EVENT = {"order": "7"}
ANSWER = {"paid": "7"}
TOGETHER = 8


@pytest.fixture
def pool() -> Any:
    """Threads, which stand for as many execution environments."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        yield pool


def test_two_concurrent_invocations_run_the_body_once(
    layer: MomentoPersistenceLayer, pool: ThreadPoolExecutor, context: "Context"
) -> None:
    """While one invocation is in the body, another with its key is refused; later ones are answered."""
    entered, leave = threading.Event(), threading.Event()
    runs = []

    @idempotent(persistence_store=layer)
    def handler(event: Any, context: Any) -> dict[str, str]:  # noqa: ARG001  # what a handler takes
        runs.append(event)
        entered.set()
        assert leave.wait(PATIENCE)
        return ANSWER

    first = pool.submit(handler, EVENT, context)
    assert entered.wait(PATIENCE)
    with pytest.raises(IdempotencyAlreadyInProgressError):
        handler(EVENT, context)
    leave.set()
    assert ANSWER == first.result(PATIENCE)
    assert ANSWER == handler(EVENT, context)
    assert [EVENT] == runs


def claim(layer: MomentoPersistenceLayer) -> bool:
    """Claim a key, and return whether that was granted."""
    try:
        layer.save_inprogress(EVENT, 1000)
    except IdempotencyItemAlreadyExistsError:
        return False
    return True


def configured(layer: MomentoPersistenceLayer) -> MomentoPersistenceLayer:
    """Configure a layer as a decorator does."""
    layer.configure(IdempotencyConfig(), function_name="pay")
    return layer


def meet(monkeypatch: pytest.MonkeyPatch, client: SimpleCacheClient, name: str, parties: int) -> None:
    """Have the first calls of one of the client's methods wait for each other once they have their answers."""
    barrier = threading.Barrier(parties, timeout=PATIENCE)
    call: Callable[..., Any] = getattr(client, name)
    waiting = list(range(parties))

    def called(*args: Any) -> Any:
        answer = call(*args)
        if waiting:
            waiting.pop()
            barrier.wait()
        return answer

    monkeypatch.setattr(client, name, called)


def claims(pool: ThreadPoolExecutor, layer: MomentoPersistenceLayer) -> list[bool]:
    """Return what becomes of several claims at once."""
    futures: list[Future[bool]] = [pool.submit(claim, layer) for _ in range(TOGETHER)]
    return sorted(future.result(PATIENCE) for future in futures)


ONE_WINS = [False] * (TOGETHER - 1) + [True]


def test_of_many_new_claims_one_wins(layer: MomentoPersistenceLayer, pool: ThreadPoolExecutor) -> None:
    """Of claims of a new key at one moment exactly one is granted."""
    assert ONE_WINS == claims(pool, configured(layer))


@pytest.mark.parametrize("completed", [True, False], ids=["completed", "in progress"])
def test_of_many_take_overs_one_wins(
    layer: MomentoPersistenceLayer,
    pool: ThreadPoolExecutor,
    client: SimpleCacheClient,
    time: "Time",
    monkeypatch: pytest.MonkeyPatch,
    *,
    completed: bool,
) -> None:
    """Where all have read the same expired record before any of them writes, exactly one takes it over."""
    configured(layer).save_inprogress(EVENT, 1000)
    if completed:
        layer.save_success(EVENT, ANSWER)
    time.advance_here(3601 if completed else 1.001)
    meet(monkeypatch, client, "get", TOGETHER)
    assert ONE_WINS == claims(pool, layer)


def test_a_record_that_goes_away_in_the_middle(
    layer: MomentoPersistenceLayer, client: SimpleCacheClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that is deleted after it refused a claim, and before it was read, does not stand in the way."""
    configured(layer).save_inprogress(EVENT, 1000)
    get = client.get

    def deleted(*args: Any) -> Any:
        layer.delete_record(EVENT, RuntimeError())
        return get(*args)

    monkeypatch.setattr(client, "get", deleted)
    assert claim(layer)


def test_records_that_come_and_go(
    layer: MomentoPersistenceLayer, client: SimpleCacheClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each look finds nothing and each write is refused, the claim is not granted."""
    configured(layer).save_inprogress(EVENT, 1000)
    get, cache_set = client.get, client.set

    def blinking(cache: str, key: str) -> Any:
        stored = get(cache, key)
        client.delete(cache, key)
        missed = get(cache, key)
        cache_set(cache, key, getattr(stored, "value_bytes", b""), 3600)
        return missed

    monkeypatch.setattr(client, "get", blinking)
    with pytest.raises(IdempotencyItemAlreadyExistsError, match="at the same moment"):
        layer.save_inprogress(EVENT, 1000)


class Lossy:
    """One of a client's methods, whose next calls fail: before they arrive, or when the answer was on its way."""

    def __init__(self, call: Callable[..., Any], error: MomentoError, *, arrives: bool, times: int = 1) -> None:
        self._call = call
        self._error = error
        self._arrives = arrives
        self._left = times

    def __call__(self, *args: Any) -> Any:
        """Call, and lose it."""
        if not self._left:
            return self._call(*args)
        self._left -= 1
        if self._arrives:
            self._call(*args)
        raise self._error


LOSSES = [UnavailableError("reset"), DeadlineExceededError("late")]


@pytest.mark.parametrize("error", LOSSES, ids=repr)
@pytest.mark.parametrize("arrives", [True, False], ids=["answer lost", "write lost"])
@pytest.mark.parametrize("method", ["set_if_absent", "set_if_equal"])
def test_a_lost_answer_is_no_refusal(
    *,
    layer: MomentoPersistenceLayer,
    client: SimpleCacheClient,
    time: "Time",
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    error: MomentoError,
    arrives: bool,
) -> None:
    """A claim whose write or answer was lost once, as on a link that died while frozen, is granted, and held."""
    configured(layer)
    if method == "set_if_equal":
        layer.save_inprogress(EVENT, 1000)
        time.advance_here(1.001)
    monkeypatch.setattr(client, method, Lossy(getattr(client, method), error, arrives=arrives))
    assert [True, False] == [claim(layer), claim(layer)]


def test_another_s_claim_is_not_taken_for_our_own(
    layer: MomentoPersistenceLayer, client: SimpleCacheClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that was lost on its way, while another of the same moment and payload arrived, is refused."""
    configured(layer)
    real = client.set_if_absent

    def overtaken(*_: object) -> Any:
        monkeypatch.setattr(client, "set_if_absent", real)
        layer.save_inprogress(EVENT, 1000)
        raise UnavailableError("reset")

    monkeypatch.setattr(client, "set_if_absent", overtaken)
    assert not claim(layer)


@pytest.mark.parametrize("arrives", [True, False], ids=["answers lost", "writes lost"])
def test_losing_twice_is_an_error(
    layer: MomentoPersistenceLayer,
    client: SimpleCacheClient,
    context: "Context",
    monkeypatch: pytest.MonkeyPatch,
    *,
    arrives: bool,
) -> None:
    """A cache that does not answer twice in a row is an error, and the body does not run."""
    error = UnavailableError("reset")
    monkeypatch.setattr(client, "set_if_absent", Lossy(client.set_if_absent, error, arrives=arrives, times=2))
    runs = []

    @idempotent(persistence_store=layer)
    def handler(event: Any, context: Any) -> None:  # noqa: ARG001  # what a handler takes
        runs.append(event)

    with pytest.raises(IdempotencyPersistenceLayerError) as caught:
        handler(EVENT, context)
    assert error is caught.value.__cause__
    assert [] == runs


@pytest.mark.parametrize("method", ["set_if_absent", "set", "get", "delete"])
def test_a_rotated_token(
    layer: MomentoPersistenceLayer, client: SimpleCacheClient, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Where the server refuses the token nothing was done, so the cache is asked again: the next client has another."""
    refused = AuthenticationError("revoked")
    configured(layer)
    monkeypatch.setattr(client, method, Lossy(getattr(client, method), refused, arrives=False))
    layer.save_inprogress(EVENT, 1000)
    layer.save_success(EVENT, ANSWER)
    record = layer.get_record(EVENT)
    assert record is not None
    assert ANSWER == record.response_json_as_dict()
    layer.delete_record(EVENT, RuntimeError())
    assert claim(layer)


def test_a_token_that_stays_refused(
    layer: MomentoPersistenceLayer, client: SimpleCacheClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that is refused again is an error."""
    refused = AuthenticationError("revoked")
    monkeypatch.setattr(client, "set_if_absent", Lossy(client.set_if_absent, refused, arrives=False, times=2))
    with pytest.raises(AuthenticationError):
        configured(layer).save_inprogress(EVENT, 1000)
