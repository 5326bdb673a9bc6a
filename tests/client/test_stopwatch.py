"""Time that also goes by in a freeze."""

from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.client.stopwatch import Stopwatch

SECONDS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1))
def test_the_larger_of_two_clocks(readings: list[tuple[float, float]]) -> None:
    """However the clocks go, and if one is set back, the seconds are the most that either counted since the start."""
    now = (0.0, 0.0)
    watch = Stopwatch((lambda: now[0], lambda: now[1]))
    for reading in readings:
        before, now = now, reading
        passed = max(now[0] - before[0], now[1] - before[1])

        assert passed == watch.seconds() == watch.restart()
        assert 0 == watch.seconds()
