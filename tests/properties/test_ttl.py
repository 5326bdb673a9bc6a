from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import MAX_TTL_MS, MIN_TTL_MS, Ttl, duration_milliseconds, ttl_milliseconds

UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
AMOUNTS = st.dictionaries(st.sampled_from(sorted(UNITS_MS)), st.integers(0, 999_999), min_size=1)
NEARLY = st.text("0123456789dhms .-", max_size=12)


@given(AMOUNTS)
def test_text_is_the_sum_of_its_units(amounts: dict[str, int]) -> None:
    """Text with units, largest first, lasts as long as its parts together."""
    text = "".join(f"{amounts[unit]}{unit}" for unit in UNITS_MS if unit in amounts)
    assert sum(amount * UNITS_MS[unit] for unit, amount in amounts.items()) == duration_milliseconds(text)


@given(st.permutations(sorted(UNITS_MS)).filter(lambda order: order != list(UNITS_MS)))
def test_units_have_one_order(order: list[str]) -> None:
    """Units in any other order than largest first are refused: "5m1h" is a slip more often than a wish."""
    with pytest.raises(InvalidArgumentError, match="is not a duration"):
        duration_milliseconds("".join(f"1{unit}" for unit in order))


@given(st.integers(1_000, 86_400_000))
def test_every_form_of_one_duration_is_one(milliseconds: int) -> None:
    """A timedelta, seconds and text that mean the same become the same."""
    forms: list[Ttl] = [timedelta(milliseconds=milliseconds), milliseconds / 1000, f"{milliseconds}ms"]
    assert [milliseconds] * 3 == [ttl_milliseconds(form) for form in forms]


@given(st.integers(1, 86_400))
def test_whole_seconds_are_exact(seconds: int) -> None:
    """Whole seconds, as int, float or timedelta, lose nothing."""
    forms: list[Ttl] = [seconds, float(seconds), timedelta(seconds=seconds), f"{seconds}s"]
    assert [seconds * 1000] * 4 == [ttl_milliseconds(form) for form in forms]


@given(st.one_of(st.text(), NEARLY, st.floats(), st.integers(), st.timedeltas(), st.booleans(), st.none()))
def test_a_time_to_live_or_a_refusal(ttl: Ttl) -> None:
    """Whatever is given, the answer is in range or an InvalidArgumentError, and nothing else is raised."""
    try:
        milliseconds = ttl_milliseconds(ttl)
    except InvalidArgumentError as refusal:
        assert "a TTL is between 1 second and 1 day" in refusal.message  # noqa: PT017  # both outcomes are right
    else:
        assert MIN_TTL_MS <= milliseconds <= MAX_TTL_MS
