from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.server.clock import NANOSECONDS_PER_SECOND
from momento_lambda.server.deadlines import Deadlines

KEYS = [b"a", b"b", b"c", b"d"]
# Near each other, so that keys share seconds and seconds follow each other, and now and then far away.
TIMES = st.integers(0, 5 * NANOSECONDS_PER_SECOND) | st.integers(0, 90_000 * NANOSECONDS_PER_SECOND)


@given(
    st.lists(
        st.tuples(st.just("file"), st.sampled_from(KEYS), TIMES)
        | st.tuples(st.just("forget"), st.sampled_from(KEYS), st.just(0))
        | st.tuples(st.just("take"), st.just(b""), TIMES),
        max_size=40,
    )
)
def test_due_is_what_a_list_of_all_would_say(steps: list[tuple[str, bytes, int]]) -> None:
    """What is taken is exactly what is filed under a second that is past, whatever was filed and moved before."""
    deadlines, filed = Deadlines(), dict[bytes, int]()
    for step, key, time in steps:
        if step == "file":
            if key in filed:
                deadlines.move(key, filed[key], time)
            else:
                deadlines.add(key, time)
            filed[key] = time
        elif step == "forget" and key in filed:
            deadlines.discard(key, filed.pop(key))
        elif step == "take":
            taken: list[bytes] = []
            while deadlines.any_due(time):
                taken += deadlines.take_due(time, 10_000)
            due = {key for key, deadline in filed.items() if deadline // 10**9 < time // 10**9}
            assert sorted(due) == sorted(taken)
            for key_taken in due:
                del filed[key_taken]


@given(st.integers(1, 20))
def test_no_more_is_taken_than_asked_for(limit: int) -> None:
    """However many are due, one call takes at most so many, and the calls after it the rest."""
    deadlines = Deadlines()
    for number in range(30):
        deadlines.add(b"%d" % number, 0)
    taken = deadlines.take_due(2 * NANOSECONDS_PER_SECOND, limit)
    assert limit == len(taken)
    while deadlines.any_due(2 * NANOSECONDS_PER_SECOND):
        taken += deadlines.take_due(2 * NANOSECONDS_PER_SECOND, limit)
    assert 30 == len(set(taken)) == len(taken)
