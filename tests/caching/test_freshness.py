import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.caching.envelope import Entry
from momento_lambda.caching.freshness import Freshness, freshness

DUE_MS = 1_000_000
GONE_MS = DUE_MS + 500
COST_MS = 400
ENTRY = Entry("value", 0, DUE_MS, GONE_MS, COST_MS)
DRAWS = 20_000


def never() -> float:
    """Draw what no entry is early by."""
    return 0.0


@pytest.mark.parametrize(
    ("now_ms", "expected"),
    [
        (0, "fresh"),
        (DUE_MS - 1, "fresh"),
        (DUE_MS, "stale"),
        (GONE_MS - 1, "stale"),
        (GONE_MS, "gone"),
        (2**62, "gone"),
    ],
)
@pytest.mark.parametrize("beta", [None, 1.0])
def test_the_ages_of_an_entry(now_ms: int, beta: float | None, expected: Freshness) -> None:
    """An entry is fresh until it is due, stale until it is gone; both moments belong to what comes after."""
    assert expected == freshness(ENTRY, now_ms, beta, never)


def test_without_a_window_nothing_is_stale() -> None:
    """What is gone when it is due is never stale."""
    entry = ENTRY._replace(gone_ms=DUE_MS)
    assert ["fresh", "gone"] == [freshness(entry, now_ms, None, never) for now_ms in (DUE_MS - 1, DUE_MS)]


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("ahead_ms", [1, 100, 400, 1_000, 2_500])
def test_early_refresh_is_exponential(beta: float, ahead_ms: int) -> None:
    """XFetch: t before its time, an entry counts as due with a probability of exp(-t / (beta * cost))."""
    # Five standard deviations of that many draws: a right rule fails once in a million seeds, and this is one seed.
    chance = random.Random(5).random  # noqa: S311  # the same draws each time are meant
    early = sum(freshness(ENTRY, DUE_MS - ahead_ms, beta, chance) == "early" for _ in range(DRAWS))
    expected = math.exp(-ahead_ms / (beta * COST_MS))
    deviation = math.sqrt(expected * (1 - expected) / DRAWS)
    assert early / DRAWS == pytest.approx(expected, abs=5 * deviation)


def test_the_first_of_many_readers() -> None:
    """With a reader each millisecond, the first to load anew comes cost * (ln(cost) + 0.577) ahead of the time."""
    chance = random.Random(7).random  # noqa: S311  # as above
    ahead = range(10_000, 0, -1)
    firsts = [
        next(each for each in ahead if freshness(ENTRY, DUE_MS - each, 1.0, chance) == "early") for _ in range(200)
    ]
    # The first of many is distributed as Gumbel says: its deviation is cost * pi / sqrt(6), of the mean a 14th of that.
    expected = COST_MS * (math.log(COST_MS) + 0.5772)
    deviation = COST_MS * math.pi / math.sqrt(6 * len(firsts))
    assert sum(firsts) / len(firsts) == pytest.approx(expected, abs=5 * deviation)


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 2**31))
def test_an_entry_that_cost_nothing_is_never_early(chance: float, ahead_ms: int) -> None:
    """Where loading took no time that was measured, nothing is gained by doing it early; nor without a beta."""
    cheap = ENTRY._replace(cost_ms=0)
    assert "fresh" == freshness(cheap, DUE_MS - ahead_ms, 1.0, lambda: chance)
    assert "fresh" == freshness(ENTRY, DUE_MS - ahead_ms, None, lambda: chance)


@given(st.floats(0, 1, exclude_max=True), st.integers(-(2**40), 2**40), st.floats(0.001, 1000))
def test_every_draw_is_an_answer(chance: float, now_ms: int, beta: float) -> None:
    """Any draw, any time and any factor have an answer, and chance changes nothing but fresh into early."""
    answer = freshness(ENTRY, now_ms, beta, lambda: chance)
    without = freshness(ENTRY, now_ms, None, never)
    assert answer == without or (without, answer) == ("fresh", "early")
