"""What Powertools expects of a persistence layer, asked of Powertools' own decorators on a real server."""

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
    IdempotencyKeyError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.integrations.idempotency import MomentoPersistenceLayer

if TYPE_CHECKING:
    from tests.integrations.conftest import Context, Records, Time

EVENT = {"order": "7", "amount": 5}
ANSWER = {"paid": "7"}


def key_of(function: Callable[..., object], data: object) -> str:
    """Return the key under which a function's record is stored."""
    digest = hashlib.md5(json.dumps(data, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    return f"idempotency:test-func.{function.__module__}.{function.__qualname__}#{digest}"


class Body:
    """The body of a handler, which counts its runs and can be told what to do in each."""

    def __init__(self) -> None:
        self.runs = 0
        self.during: Callable[[], object] = lambda: None

    def __call__(self) -> dict[str, str]:
        """Run."""
        self.runs += 1
        self.during()
        return ANSWER


@pytest.fixture
def body() -> Body:
    """The body of the handlers of a test."""
    return Body()


def make_handler(layer: MomentoPersistenceLayer, body: Body, **config: Any) -> Callable[..., Any]:
    """Return an idempotent handler."""

    @idempotent(persistence_store=layer, config=IdempotencyConfig(**config))
    def pay(event: Any, context: Any) -> Any:  # noqa: ARG001  # what a handler takes
        return body()

    return pay


def stored(records: "Records", handler: Callable[..., Any], data: object = EVENT) -> dict[str, Any]:
    """Return a handler's record as the JSON that is stored."""
    found = records.get(key_of(handler, data))
    assert found is not None
    record: dict[str, Any] = json.loads(found)
    return record


def test_the_first_call_runs_and_the_second_is_answered(
    layer: MomentoPersistenceLayer, body: Body, context: "Context"
) -> None:
    """The body runs once; the second call is answered with what the first returned."""
    handler = make_handler(layer, body)
    assert [ANSWER, ANSWER] == [handler(EVENT, context) for _ in range(2)]
    assert 1 == body.runs


def test_the_life_of_a_record(
    layer: MomentoPersistenceLayer, body: Body, records: "Records", time: "Time", context: "Context"
) -> None:
    """A record is in progress while the body runs, with the invocation's end as its own; then it has the response."""
    handler = make_handler(layer, body, expires_after_seconds=600)
    seen: list[dict[str, Any]] = []
    body.during = lambda: seen.append(stored(records, handler))

    handler(EVENT, context)

    (claimed,) = seen
    assert 32 == len(claimed.pop("claim"))
    assert {
        "status": "INPROGRESS",
        "expiration": int(time()) + 600,
        "in_progress_expiration": int(time() * 1000) + 30_000,
    } == claimed
    assert {
        "status": "COMPLETED",
        "expiration": int(time()) + 600,
        "data": json.dumps(ANSWER),
    } == stored(records, handler)
    assert 600 == records.lifetime(key_of(handler, EVENT))


def test_none_is_remembered(layer: MomentoPersistenceLayer, context: "Context") -> None:
    """A handler that returns None is answered with None, and not run again."""
    runs = []

    @idempotent(persistence_store=layer)
    def handler(event: Any, context: Any) -> None:  # noqa: ARG001  # what a handler takes
        runs.append(event)

    assert [None, None] == [handler(EVENT, context) for _ in range(2)]
    assert [EVENT] == runs


def test_a_crash_releases_the_key(
    layer: MomentoPersistenceLayer, body: Body, records: "Records", context: "Context"
) -> None:
    """What the body raises is raised, its record is deleted, and a retry runs."""
    handler = make_handler(layer, body)
    error = RuntimeError("no connection to the bank")

    def crash() -> None:
        raise error

    body.during = crash
    with pytest.raises(RuntimeError) as caught:
        handler(EVENT, context)
    assert error is caught.value
    assert records.get(key_of(handler, EVENT)) is None

    body.during = lambda: None
    assert ANSWER == handler(EVENT, context)
    assert 2 == body.runs


def abandon(handler: Callable[..., Any], body: Body, context: "Context") -> None:
    """Invoke a handler which the environment kills in the middle, so that nobody cleans up."""

    class Killed(BaseException):
        """Past `except Exception`, as the end of a process is."""

    def kill() -> None:
        raise Killed

    body.during = kill
    with pytest.raises(Killed):
        handler(EVENT, context)
    body.during = lambda: None


def test_a_record_in_progress_is_left_alone(
    layer: MomentoPersistenceLayer, body: Body, time: "Time", context: "Context"
) -> None:
    """Until the invocation that holds it must have ended, a record in progress is refused."""
    handler = make_handler(layer, body)
    abandon(handler, body, context)
    time.advance(30)
    with pytest.raises(IdempotencyAlreadyInProgressError):
        handler(EVENT, context)
    assert 1 == body.runs


def test_an_abandoned_record_is_taken_over(
    layer: MomentoPersistenceLayer, body: Body, time: "Time", context: "Context"
) -> None:
    """A record in progress whose invocation must have ended is taken over, and completed."""
    handler = make_handler(layer, body)
    abandon(handler, body, context)
    time.advance(30.001)
    assert [ANSWER, ANSWER] == [handler(EVENT, context) for _ in range(2)]
    assert 2 == body.runs


def test_without_a_context_a_record_is_held_until_it_expires(
    layer: MomentoPersistenceLayer, body: Body, time: "Time"
) -> None:
    """Where nobody says how long an invocation may take, its record in progress is held as long as it lives."""
    config = IdempotencyConfig()

    @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools returns Any
        data_keyword_argument="order", persistence_store=layer, config=config
    )
    def pay(*, order: str) -> dict[str, str]:  # noqa: ARG001  # hashed by the decorator
        return body()

    class Killed(BaseException):
        """As above."""

    def kill() -> None:
        raise Killed

    body.during = kill
    with pytest.warns(UserWarning, match="remaining time"), pytest.raises(Killed):
        pay(order="7")
    body.during = lambda: None
    time.advance(3599)
    with pytest.warns(UserWarning, match="remaining time"), pytest.raises(IdempotencyAlreadyInProgressError):
        pay(order="7")
    time.advance(2)
    with pytest.warns(UserWarning, match="remaining time"):
        assert ANSWER == pay(order="7")


@pytest.mark.parametrize("server_too", [True, False], ids=["gone", "still stored"])
def test_an_expired_record_runs_again(
    layer: MomentoPersistenceLayer, body: Body, time: "Time", context: "Context", *, server_too: bool
) -> None:
    """A response past its expiry is not given any more, whether or not the server holds it still."""
    handler = make_handler(layer, body, expires_after_seconds=60)
    handler(EVENT, context)
    (time.advance if server_too else time.advance_here)(61)
    assert [ANSWER, ANSWER] == [handler(EVENT, context) for _ in range(2)]
    assert 2 == body.runs


@pytest.mark.parametrize(("seconds", "lifetime"), [(86_400, 86_400), (60, 60), (1, 1), (0, 1)])
def test_the_server_keeps_records_as_long_as_powertools_does(
    layer: MomentoPersistenceLayer, body: Body, records: "Records", context: "Context", *, seconds: int, lifetime: int
) -> None:
    """A record's TTL is what it has left, and at least the protocol's second."""
    handler = make_handler(layer, body, expires_after_seconds=seconds)
    handler(EVENT, context)
    assert lifetime == records.lifetime(key_of(handler, EVENT))


def test_more_than_a_day_is_refused(layer: MomentoPersistenceLayer, body: Body, context: "Context") -> None:
    """An expiry beyond what a cache can keep is refused in words, and nothing runs."""
    handler = make_handler(layer, body, expires_after_seconds=86_401)
    with pytest.raises(InvalidArgumentError, match=r"expires_after_seconds is 86401.*at most 86400"):
        handler(EVENT, context)
    assert 0 == body.runs


def test_another_payload_under_the_same_key_is_refused(
    layer: MomentoPersistenceLayer, body: Body, context: "Context"
) -> None:
    """With payload validation, a key that comes back with another payload is refused, completed or in progress."""
    handler = make_handler(layer, body, event_key_jmespath="order", payload_validation_jmespath="amount")

    def again() -> None:
        with pytest.raises(IdempotencyValidationError):
            handler(EVENT | {"amount": 6}, context)

    body.during = again
    handler(EVENT, context)
    again()
    assert ANSWER == handler(EVENT | {"note": "not validated"}, context)
    assert 1 == body.runs


def test_the_local_cache_answers(
    layer: MomentoPersistenceLayer, body: Body, records: "Records", time: "Time", context: "Context"
) -> None:
    """With Powertools' local cache a response is given without the server, until it expires."""
    handler = make_handler(layer, body, use_local_cache=True, expires_after_seconds=60)
    handler(EVENT, context)
    records.put(key_of(handler, EVENT), b"what nobody looks at")
    assert ANSWER == handler(EVENT, context)
    assert 1 == body.runs
    time.advance(3601)
    assert ANSWER == handler(EVENT, context)
    assert 2 == body.runs


def test_the_local_cache_learns_from_refusals(
    *, layer: MomentoPersistenceLayer, body: Body, records: "Records", cache_name: str, time: "Time", context: "Context"
) -> None:
    """A response that another environment stored is kept in the local cache once it was given."""
    make_handler(layer, body)(EVENT, context)
    other = MomentoPersistenceLayer(cache_name, now=time)
    handler = make_handler(other, body, use_local_cache=True)
    assert ANSWER == handler(EVENT, context)
    records.put(key_of(handler, EVENT), b"what nobody looks at")
    assert ANSWER == handler(EVENT, context)
    assert 1 == body.runs


def test_keys_differ_by_payload_and_function(layer: MomentoPersistenceLayer, body: Body, context: "Context") -> None:
    """Another payload is another key, another function too; the order of a payload's names is not."""
    handler = make_handler(layer, body)

    @idempotent(persistence_store=layer)
    def refund(event: Any, context: Any) -> Any:  # noqa: ARG001  # what a handler takes
        return body()

    handler(EVENT, context)
    handler(dict(reversed(EVENT.items())), context)
    assert 1 == body.runs
    handler(EVENT | {"order": "8"}, context)
    assert 2 == body.runs
    refund(EVENT, context)
    assert 3 == body.runs


def test_keys_differ_by_namespace(cache_name: str, time: "Time", records: "Records") -> None:
    """Layers of different namespaces share a cache and no records, whatever their keys begin with."""
    pairs = [("a", "b:pay"), ("a:b", "pay"), ("a%3Ab", "pay"), ("", "a:b:pay")]
    for namespace, prefix in pairs:
        layer = MomentoPersistenceLayer(cache_name, namespace=namespace, now=time)
        layer.configure(IdempotencyConfig(), key_prefix=prefix)
        layer.save_inprogress(EVENT, 1000)
    digest = key_of(key_of, EVENT).partition("#")[2]
    keys = ["a:b:pay", "a%3Ab:pay", "a%253Ab:pay", ":a:b:pay"]
    assert [True] * 4 == [records.get(f"{key}#{digest}") is not None for key in keys]


def test_a_key_that_is_missing_skips_or_raises(layer: MomentoPersistenceLayer, body: Body, context: "Context") -> None:
    """Without a key in the event nothing is stored and the body runs each time, or that is an error where asked for."""
    handler = make_handler(layer, body, event_key_jmespath="absent")
    # Once when claiming and once when completing, and each may warn from another line.
    with pytest.warns(UserWarning, match="No idempotency key value found"):
        assert [ANSWER, ANSWER] == [handler(EVENT, context) for _ in range(2)]
    assert 2 == body.runs


def test_a_missing_key_raises_where_asked_for(layer: MomentoPersistenceLayer, body: Body, context: "Context") -> None:
    """With raise_on_no_idempotency_key an event without a key is an error, and the body does not run."""
    handler = make_handler(layer, body, event_key_jmespath="absent", raise_on_no_idempotency_key=True)
    with pytest.raises(IdempotencyKeyError):
        handler(EVENT, context)
    assert 0 == body.runs


def test_functions_are_idempotent_by_an_argument(
    layer: MomentoPersistenceLayer, body: Body, context: "Context"
) -> None:
    """`idempotent_function` works on the same layer."""
    config = IdempotencyConfig(lambda_context=context)  # type: ignore[arg-type]  # as much of one as is read

    @idempotent_function(  # type: ignore[untyped-decorator]  # Powertools returns Any
        data_keyword_argument="order", persistence_store=layer, config=config
    )
    def pay(customer: str, *, order: dict[str, int]) -> dict[str, str]:  # noqa: ARG001  # hashed by the decorator
        return body()

    assert [ANSWER, ANSWER] == [pay("ada", order={"id": 7}), pay("bob", order={"id": 7})]
    assert 1 == body.runs
    pay("ada", order={"id": 8})
    assert 2 == body.runs


def test_a_response_hook_is_told_of_the_record(layer: MomentoPersistenceLayer, body: Body, context: "Context") -> None:
    """Powertools' response hook gets the stored response and its record."""

    def hook(response: Any, record: DataRecord) -> Any:
        return response | {"replayed": record.status}

    handler = make_handler(layer, body, response_hook=hook)
    assert [ANSWER, ANSWER | {"replayed": "COMPLETED"}] == [handler(EVENT, context) for _ in range(2)]


class TestLayer:
    """What each operation promises, asked of the layer itself."""

    @pytest.fixture(autouse=True)
    def configured(self, layer: MomentoPersistenceLayer) -> None:
        """Configure the layer as a decorator does."""
        layer.configure(IdempotencyConfig(), function_name="pay")

    def test_what_is_not_there(self, layer: MomentoPersistenceLayer) -> None:
        """A record that is not there is said to be so."""
        with pytest.raises(IdempotencyItemNotFoundError):
            layer.get_record(EVENT)

    def test_the_old_record_is_told(self, layer: MomentoPersistenceLayer, time: "Time") -> None:
        """Who is refused is told the record that stands, so that no second look is needed."""
        layer.save_inprogress(EVENT, 1000)
        with pytest.raises(IdempotencyItemAlreadyExistsError) as caught:
            layer.save_inprogress(EVENT, 1000)
        old = caught.value.old_data_record
        assert old is not None
        assert ("INPROGRESS", int(time() * 1000) + 1000) == (old.status, old.in_progress_expiry_timestamp)

    def test_what_is_read_is_what_was_saved(self, layer: MomentoPersistenceLayer, time: "Time") -> None:
        """A completed record comes back with its response and its expiry, and as expired when it is."""
        layer.save_success(EVENT, ANSWER)
        record = layer.get_record(EVENT)
        assert record is not None
        assert ("COMPLETED", ANSWER, int(time()) + 3600) == (
            record.status,
            record.response_json_as_dict(),
            record.expiry_timestamp,
        )
        time.advance_here(3601)
        expired = layer.get_record(EVENT)
        assert expired is not None
        assert "EXPIRED" == expired.status

    def test_deleting_what_is_not_there(self, layer: MomentoPersistenceLayer) -> None:
        """A record that is gone already is deleted without an error."""
        layer.delete_record(EVENT, RuntimeError())
        with pytest.raises(IdempotencyItemNotFoundError):
            layer.get_record(EVENT)
