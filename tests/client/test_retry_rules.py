"""When a failed call is tried again: the rules alone, on a clock and with a chance that are handed in."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.client.retry import Retry
from momento_lambda.wire import cache_rpcs, control_rpcs
from momento_lambda.wire.rpc import Rpc

RETRYABLE = {"UNAVAILABLE", "INTERNAL"}
PATIENT = 1_000_000.0
CHANCE = st.floats(0, 1, exclude_max=True)


def _retry(
    *,
    retries: int = 3,
    deadline: float = PATIENT,
    clock: Callable[[], float] = lambda: 0.0,
    chance: Callable[[], float] = lambda: 0.0,
) -> Retry:
    return Retry(cache_rpcs.GET, retries, deadline, clock=clock, chance=chance)


def _rpcs() -> list[Rpc[Any, Any]]:
    return [rpc for module in (cache_rpcs, control_rpcs) for rpc in vars(module).values() if isinstance(rpc, Rpc)]


def test_what_is_safe_to_repeat() -> None:
    """Only what does the same when sent twice is repeatable: no condition, sum, or change of what there was."""
    repeatable = {rpc.name for rpc in _rpcs() if rpc.repeatable}

    reads = {"Get", "GetBatch", "KeysExist", "ItemGetTtl", "ItemGetType", "Ping"}
    assert reads | {"Set", "SetBatch", "Delete"} == repeatable


@pytest.mark.parametrize("status", [status.name for status in grpc.StatusCode])
@pytest.mark.parametrize("rpc", _rpcs(), ids=lambda rpc: rpc.name)
def test_who_is_tried_again(rpc: Rpc[Any, Any], status: str) -> None:
    """A call is tried again after UNAVAILABLE and INTERNAL, if it is safe to repeat, and else never."""
    pause = Retry(rpc, 3, PATIENT, clock=lambda: 0.0).pause_after(status)

    assert (rpc.repeatable and status in RETRYABLE) == (pause is not None)


@given(retries=st.integers(0, 20), statuses=st.lists(st.sampled_from(sorted(RETRYABLE)), min_size=21, max_size=21))
def test_at_most_so_many(retries: int, statuses: list[str]) -> None:
    """However attempts fail, at most so many follow the first."""
    retry = _retry(retries=retries, deadline=float("inf"))

    pauses = [retry.pause_after(status) for status in statuses]

    assert retries == sum(pause is not None for pause in pauses)
    assert [None] * (len(statuses) - retries) == pauses[retries:]


@given(st.lists(CHANCE, min_size=3, max_size=3))
def test_pauses_grow_and_scatter(chances: list[float]) -> None:
    """Pauses are between half and all of 20, 80 and 320 ms, wherever chance puts them."""
    drawn = iter(chances)
    retry = _retry(chance=lambda: next(drawn))

    for whole in (0.02, 0.08, 0.32):
        pause = retry.pause_after("UNAVAILABLE")
        assert pause is not None
        assert whole / 2 <= pause <= whole


@given(chance=CHANCE, deadline=st.floats(-1, 1), now=st.floats(-1, 1))
def test_no_pause_outlasts_the_deadline(chance: float, deadline: float, now: float) -> None:
    """No attempt is made at or after the deadline: a pause ends before it, or there is none."""
    pause = _retry(deadline=deadline, clock=lambda: now, chance=lambda: chance).pause_after("UNAVAILABLE")

    assert pause is None or now + pause <= deadline
    assert (pause is None) == (0.01 * (1 + chance) >= deadline - now)


def test_time_left_is_of_one_deadline() -> None:
    """The time left shrinks with the clock, and the attempts share it."""
    times = iter([1.0, 2.5, 4.0])
    retry = _retry(deadline=3.0, clock=lambda: next(times))

    assert [2.0, 0.5, -1.0] == [retry.time_left() for _ in range(3)]


@pytest.mark.parametrize("status", [status.name for status in grpc.StatusCode])
@pytest.mark.parametrize("rpc", _rpcs(), ids=lambda rpc: rpc.name)
def test_on_a_new_connection(rpc: Rpc[Any, Any], status: str) -> None:
    """Where the connection was replaced, what it may have died of is tried again at once, if it is safe to repeat."""
    pause = Retry(rpc, 3, PATIENT, clock=lambda: 0.0).pause_after(status, renewed=True)

    lost = RETRYABLE | {"CANCELLED", "DEADLINE_EXCEEDED"}
    assert (0.0 if rpc.repeatable and status in lost else None) == pause


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_new_connection_is_a_retry(retries: int) -> None:
    """An attempt on a new connection counts as one of those allowed, and ends with the deadline like any other."""
    retry = _retry(retries=retries)

    pauses = [retry.pause_after("CANCELLED", renewed=True) for _ in range(3)]

    assert retries == pauses.count(0.0)
    assert _retry(deadline=0.0).pause_after("CANCELLED", renewed=True) is None


@pytest.mark.parametrize("status", [status.name for status in grpc.StatusCode])
@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("doubtful", [True, False])
def test_blaming_the_connection(status: str, *, doubtful: bool, silent: bool, good: bool) -> None:
    """Of a first attempt after a pause all failures without an answer count, else timeouts of one that fell silent.

    And where it had given answers, that the server cancels.
    """
    retry = Retry(cache_rpcs.GET, 3, PATIENT, doubtful=doubtful)

    blamed = [retry.blames_connection(status, good=good, silent=silent) for _ in range(2)]

    given_up = (silent and status == "DEADLINE_EXCEEDED") or (good and status == "CANCELLED")
    unanswered = doubtful and status in {"DEADLINE_EXCEEDED", "UNAVAILABLE"}
    assert [unanswered or given_up, given_up] == blamed
