from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.server.clock import NANOSECONDS_PER_SECOND
from momento_lambda.server.deadlines import Deadlines

KEYS = [b"", b"a", b"b", b"c"]
DAY = 86_400 * NANOSECONDS_PER_SECOND
# Near each other, so that keys share slots and slots follow each other, and now and then up to a day away.
SPANS = st.integers(0, 5 * NANOSECONDS_PER_SECOND) | st.integers(0, 200 * NANOSECONDS_PER_SECOND) | st.integers(0, DAY)


def take_all(deadlines: Deadlines, filed: dict[bytes, int], now: int) -> tuple[set[bytes], int]:
    """Take what is due as a table does, filing anew what is not; return what was due, and how much was looked at."""
    due, looked_at = set(), 0
    while deadlines.any_due(now):
        for key in deadlines.take_due(now, 3):
            looked_at += 1
            if filed[key] <= now:
                due.add(key)
            else:
                deadlines.add(key, filed[key], now)
    return due, looked_at


@given(
    st.lists(
        st.tuples(st.just("file"), st.sampled_from(KEYS), SPANS)
        | st.tuples(st.just("forget"), st.sampled_from(KEYS), st.just(0))
        | st.tuples(st.just("wait"), st.just(b""), SPANS),
        max_size=60,
    )
)
def test_due_is_what_a_list_of_all_would_say(steps: list[tuple[str, bytes, int]]) -> None:
    """When time has passed, what is due is exactly what has a second that is past, whatever was filed before."""
    deadlines, filed, now = Deadlines(), dict[bytes, int](), 0
    for step, key, span in steps:
        if step == "file":
            if key in filed:
                deadlines.move(key, filed[key], now + span, now)
            else:
                deadlines.add(key, now + span, now)
            filed[key] = now + span
        elif step == "forget" and key in filed:
            deadlines.discard(key, filed.pop(key))
        elif step == "wait":
            now += span
            due, _ = take_all(deadlines, filed, now)
            second = now // NANOSECONDS_PER_SECOND
            assert {key for key, deadline in filed.items() if deadline // NANOSECONDS_PER_SECOND < second} <= due
            assert due <= {key for key, deadline in filed.items() if deadline <= now}
            for taken in due:
                del filed[taken]


@given(st.integers(0, DAY), st.lists(st.integers(1, 4_000), max_size=50))
def test_a_key_is_looked_at_three_times(ttl: int, waits: list[int]) -> None:
    """However often the time is looked at, a key is taken out three times at most, the last when it is due."""
    deadlines, filed, now = Deadlines(), {b"key": ttl}, 0
    deadlines.add(b"key", ttl, now)
    looked_at = 0
    for wait in [*waits, 90_000, 90_000]:
        now += wait * NANOSECONDS_PER_SECOND
        due, looks = take_all(deadlines, filed, now)
        looked_at += looks
        if due:
            break
    assert {b"key"} == due
    assert 1 <= looked_at <= 3


@given(st.integers(1, 20))
def test_no_more_is_taken_than_asked_for(limit: int) -> None:
    """However many are due, one call takes at most so many, and the calls after it the rest."""
    deadlines = Deadlines()
    for number in range(30):
        deadlines.add(b"%d" % number, 0, 0)
    now = 2 * NANOSECONDS_PER_SECOND
    taken = deadlines.take_due(now, limit)
    assert limit == len(taken)
    while deadlines.any_due(now):
        taken += deadlines.take_due(now, limit)
    assert 30 == len(set(taken)) == len(taken)


def test_the_key_that_was_filed_stays() -> None:
    """However often an equal key is moved, the object that is kept is the first one."""
    deadlines, first = Deadlines(), b"a key of some length"
    deadlines.add(first, DAY, 0)
    deadlines.move(bytes(bytearray(first)), DAY, 1, 0)
    deadlines.move(bytes(bytearray(first)), 1, DAY, 0)
    assert first is deadlines.discard(bytes(bytearray(first)), DAY)
