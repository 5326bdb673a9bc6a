from datetime import timedelta
from typing import Any

import pytest

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import MAX_TTL_MS, MIN_TTL_MS, Ttl, duration_milliseconds, ttl_milliseconds


@pytest.mark.parametrize(
    ("ttl", "milliseconds"),
    [
        (1, 1_000),
        (100, 100_000),
        (86_400, 86_400_000),
        (1.5, 1_500),
        (1.0, 1_000),
        (timedelta(seconds=1), 1_000),
        (timedelta(hours=1, milliseconds=1), 3_600_001),
        (timedelta(days=1), 86_400_000),
        ("1000ms", 1_000),
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
        ("24h", 86_400_000),
        ("1h30m", 5_400_000),
        ("23h59m59s999ms", 86_399_999),
        ("1m5ms", 60_005),
        ("0d1s", 1_000),
        ("007s", 7_000),
    ],
)
def test_every_form(ttl: Ttl, milliseconds: int) -> None:
    """Seconds, a timedelta and text with units all become whole milliseconds."""
    assert milliseconds == ttl_milliseconds(ttl)


@pytest.mark.parametrize(
    ("ttl", "milliseconds"),
    [
        (1.0004, 1_000),
        (1.0006, 1_001),
        (0.9996, 1_000),
        (86_400.0004, 86_400_000),
        (timedelta(seconds=1, microseconds=499), 1_000),
        (timedelta(seconds=1, microseconds=501), 1_001),
        (timedelta(microseconds=999_501), 1_000),
    ],
)
def test_rounds_to_the_nearest(ttl: Ttl, milliseconds: int) -> None:
    """What is finer than a millisecond is rounded, not cut, and what is in range after that is in range."""
    assert milliseconds == ttl_milliseconds(ttl)


@pytest.mark.parametrize(
    "ttl",
    [
        0,
        -1,
        0.5,
        0.9994,
        86_401,
        86_400.001,
        pytest.param(10**5000, id="more digits than Python writes"),
        pytest.param(-(10**5000), id="more negative digits than Python writes"),
        1e300,
        timedelta(0),
        timedelta(seconds=-5),
        timedelta(milliseconds=999),
        timedelta(days=1, milliseconds=1),
        timedelta.max,
        "0s",
        "999ms",
        "1d1ms",
        "25h",
        "9999999999999999999999999999999999999d",
    ],
)
def test_out_of_range(ttl: Ttl) -> None:
    """Anything under a second or over a day is refused, and the refusal says what is allowed."""
    with pytest.raises(InvalidArgumentError, match=r"out of range: a TTL is between 1 second and 1 day"):
        ttl_milliseconds(ttl)


@pytest.mark.parametrize(
    "ttl",
    [
        "",
        "60",
        "1.5h",
        "-1s",
        "+1s",
        "1d5",
        "5m1h",
        "1s1s",
        "1 s",
        " 1s",
        "1s ",
        "1s\n",
        "1S",
        "s",
        "1week",
        "\u0661s",
        "\ud800",
        "1" * 40 + "s",
        pytest.param("x" * 10_000, id="long"),
        float("nan"),
        float("inf"),
        float("-inf"),
        True,
        None,
        b"60s",
        [60],
    ],
)
def test_not_a_duration(ttl: Any) -> None:
    """What is not a duration is refused as such, and the refusal says what is allowed and stays short."""
    with pytest.raises(InvalidArgumentError, match=r"is not a duration: a TTL is between 1 second and 1 day") as caught:
        ttl_milliseconds(ttl)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("duration", "milliseconds"),
    [(0, 0), (-1.5, -1_500), (timedelta(days=-1), -86_400_000), ("2d", 172_800_000), ("0s", 0), (0.0001, 0)],
)
def test_durations_have_any_sign_and_size(duration: Ttl, milliseconds: int) -> None:
    """A duration that is no time to live is read alike, without the range."""
    assert milliseconds == duration_milliseconds(duration)


def test_bounds_are_a_second_and_a_day() -> None:
    """The range is the one that the protocol's service takes."""
    assert (timedelta(seconds=1), timedelta(days=1)) == (
        timedelta(milliseconds=MIN_TTL_MS),
        timedelta(milliseconds=MAX_TTL_MS),
    )
