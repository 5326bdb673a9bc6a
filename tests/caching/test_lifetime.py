from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda import Cache, Cacheable, NoStore
from momento_lambda.caching.lifetime import Lifetime, Loaded
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import MAX_TTL_MS, MIN_TTL_MS, Ttl

CUT = "the TTL of a value is over 86400 seconds, the longest: it was cut"


@pytest.mark.parametrize(
    ("returned", "ttl", "expected_ms"),
    [
        ("v", None, 300_000),
        ("v", "1m", 60_000),
        ("v", 60, 60_000),
        ("v", timedelta(minutes=1), 60_000),
        ("v", lambda value: len(value) * 10, 10_000),
        (Cacheable("v"), None, 300_000),
        (Cacheable("v"), "1m", 60_000),
        (Cacheable("v"), lambda value: len(value) * 10, 10_000),
        (Cacheable("v", ttl="2m"), None, 120_000),
        (Cacheable("v", ttl="2m"), "1m", 120_000),
        (Cacheable("v", ttl="2m"), lambda _: 10, 120_000),
        (NoStore("v"), None, None),
        (NoStore("v"), "1m", None),
        (NoStore("v"), lambda _: 10, None),
    ],
    ids=range(14),
)
def test_precedence(returned: Any, ttl: Any, expected_ms: int | None) -> None:
    """The loader has the first word, then the function of the value, then what was written down, then the default."""
    assert Loaded("v", expected_ms, expected_ms or 0) == Lifetime(ttl, "5m").of(returned)


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}])
def test_every_value_is_a_value(value: object) -> None:
    """None and other empty values live as long as any."""
    assert Loaded(value, 60_000, 60_000) == Lifetime("1m", "5m").of(value)


@pytest.mark.parametrize(
    ("ttl", "expected_ms", "problem"),
    [
        (0.001, MIN_TTL_MS, None),
        ("250ms", MIN_TTL_MS, None),
        ("1d", MAX_TTL_MS, None),
        (86_401, MAX_TTL_MS, CUT),
        ("2d", MAX_TTL_MS, CUT),
    ],
)
@pytest.mark.parametrize(
    ("lifetime", "wrap"),
    [
        (lambda ttl: Lifetime(ttl, "5m"), lambda value, _: value),
        (lambda ttl: Lifetime(None, ttl), lambda value, _: value),
        (lambda ttl: Lifetime(lambda _: ttl, "5m"), lambda value, _: value),
        (lambda _: Lifetime("1m", "5m"), lambda value, ttl: Cacheable(value, ttl=ttl)),
    ],
    ids=["written", "default", "callable", "cacheable"],
)
def test_limits(
    lifetime: Callable[[Ttl], Lifetime],
    wrap: Callable[[Any, Ttl], Any],
    ttl: Ttl,
    expected_ms: int,
    problem: str | None,
) -> None:
    """Whoever says it, too short is a second, and too long is a day, with a remark."""
    assert Loaded("v", expected_ms, expected_ms, problem=problem) == lifetime(ttl).of(wrap("v", ttl))


@pytest.mark.parametrize("ttl", [0, -1, "0s", timedelta(0), -0.5])
def test_what_has_expired_is_not_stored(ttl: Ttl) -> None:
    """A computed TTL that is not above 0 means that the value is not stored, which is no problem."""
    expected = Loaded("v")
    assert expected == Lifetime(lambda _: ttl, "5m").of("v")
    assert expected == Lifetime("1m", "5m").of(Cacheable("v", ttl=ttl))


def failing(value: Any) -> Ttl:
    """Compute no TTL."""
    raise KeyError(value)


@pytest.mark.parametrize(
    ("ttl", "kind"),
    [
        (failing, "KeyError"),
        (lambda _: None, "InvalidArgumentError"),
        (lambda _: "soon", "InvalidArgumentError"),
        (lambda _: float("nan"), "InvalidArgumentError"),
        (lambda _: True, "InvalidArgumentError"),
        (lambda value: value["expires_in"], "TypeError"),
    ],
    ids=range(6),
)
def test_nonsense_is_a_problem(ttl: Any, kind: str) -> None:
    """A TTL that cannot be computed costs the storing, not the value; what is said of it does not show the value."""
    expected = Loaded("secret", problem=f"the TTL of a value could not be computed ({kind})")
    assert expected == Lifetime(ttl, "5m").of("secret")


def test_a_function_of_the_value_is_asked_of_the_value() -> None:
    """The `ttl=` callable gets the value out of its wrapper, and is not asked where the loader has spoken."""
    asked: list[object] = []

    def ttl(value: object) -> Ttl:
        asked.append(value)
        return 5

    lifetime = Lifetime(ttl, "5m")
    lifetime.of(Cacheable(None))
    lifetime.of(Cacheable("a", ttl=1))
    lifetime.of(NoStore("b"))
    assert [None] == asked


@pytest.mark.parametrize("ttl", [0, -1, "0s", timedelta(0), -0.5, "", "soon", True, float("nan"), float("inf")])
def test_written_nonsense_is_refused_when_decorating(ttl: Ttl) -> None:
    """A TTL in the source that is not above 0, or no duration, is an error where it stands, and a ValueError."""
    cache = Cache("users-cache")
    with pytest.raises(ValueError, match="TTL"):
        cache.cached(ttl=ttl)(len)
    with pytest.raises(InvalidArgumentError, match="TTL"):
        Cache("users-cache", default_ttl=ttl)
    with pytest.raises(InvalidArgumentError, match="TTL"):
        cache.get_or_load("key", list, ttl=ttl)


@given(st.floats() | st.integers() | st.text(max_size=10) | st.none() | st.timedeltas())
def test_a_life_is_within_the_protocols_limits(ttl: Any) -> None:
    """Whatever is computed, the value lives from a second to a day, or is not stored."""
    loaded = Lifetime(lambda _: ttl, "5m").of("v")
    assert loaded.ttl_ms is None or MIN_TTL_MS <= loaded.ttl_ms <= MAX_TTL_MS


@pytest.mark.parametrize(
    ("returned", "ttl", "expected_ms", "negative"),
    [
        (None, None, 30_000, True),
        (None, "1m", 30_000, True),
        (Cacheable(None), "1m", 30_000, True),
        (None, lambda _: 10, 10_000, False),
        (Cacheable(None, ttl="2m"), "1m", 120_000, False),
        (NoStore(None), None, None, False),
        (False, None, 300_000, False),
        ("", "1m", 60_000, False),
    ],
    ids=range(8),
)
def test_the_place_of_absences(returned: Any, ttl: Any, expected_ms: int | None, *, negative: bool) -> None:
    """None lives by `negative_ttl` where neither the loader nor a function of the value has spoken, and only None."""
    loaded = Lifetime(ttl, "5m", negative_ttl="30s").of(returned)
    assert (expected_ms, negative) == (loaded.ttl_ms, loaded.negative)


@given(
    st.integers(1, 2 * MAX_TTL_MS),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 2 * MAX_TTL_MS),
    st.integers(MIN_TTL_MS, 2 * MAX_TTL_MS),
)
def test_the_bounds(ttl_ms: int, jitter: float, chance: float, stale_ms: int, max_ms: int) -> None:
    """Jitter shortens by its part at most and never lengthens; a life and the time past it stay within the maximum."""
    lifetime = Lifetime(
        timedelta(milliseconds=ttl_ms),
        "5m",
        max_ttl=timedelta(milliseconds=max_ms),
        stale=timedelta(milliseconds=stale_ms),
        jitter=jitter,
        chance=lambda: chance,
    )
    loaded = lifetime.of("v")
    longest = min(max_ms, MAX_TTL_MS)
    wanted = min(ttl_ms, longest)
    assert loaded.ttl_ms is not None
    assert max(MIN_TTL_MS, int(wanted * (1 - jitter))) <= loaded.ttl_ms <= max(MIN_TTL_MS, wanted)
    assert loaded.kept_ms == min(loaded.ttl_ms + stale_ms, longest)
    assert (loaded.problem is not None) == (ttl_ms > longest)


def test_absences_are_never_stale() -> None:
    """What is remembered as absent is over when its time is: what exists by then must be seen."""
    lifetime = Lifetime("1m", "5m", negative_ttl="30s", stale="1h")
    assert (30_000, 3_660_000) == (lifetime.of(None).kept_ms, lifetime.of("v").kept_ms)
    assert Loaded(None, 30_000, 30_000, negative=True) == lifetime.of_absence()
    assert Loaded(None) == Lifetime("1m", "5m").of_absence()


def test_store_if() -> None:
    """A value that `store_if` refuses is not stored, which is no problem; where it fails, that is one."""
    lifetime = Lifetime("1m", "5m", store_if=lambda value: 10 / value > 2)
    assert [60_000, None, None] == [lifetime.of(value).ttl_ms for value in (1, 9, 0)]
    assert [False, False, True] == [lifetime.of(value).problem is not None for value in (1, 9, 0)]
