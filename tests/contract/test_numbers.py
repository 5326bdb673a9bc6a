"""Counting in the cache."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from momento_lambda import FailedPreconditionError, Hit, Miss, SimpleCacheClientAsync

if TYPE_CHECKING:
    from tests.contract.conftest import Clock

CACHE = "users-cache"

INT64 = st.integers(-(2**63), 2**63 - 1)


async def test_counting(client: SimpleCacheClientAsync) -> None:
    """A missing item counts as 0, and each increment returns the sum so far."""
    assert 1 == await client.increment(CACHE, "counter")
    assert 42 == await client.increment(CACHE, "counter", 41)
    assert -8 == await client.increment(CACHE, "counter", -50)
    assert -8 == await client.increment(CACHE, "counter", 0)


async def test_a_number_is_its_decimal_text(client: SimpleCacheClientAsync) -> None:
    """A number is stored as its decimal digits, and a value of decimal digits can be incremented."""
    await client.set(CACHE, "counter", "50")

    await client.increment(CACHE, "counter", 2)

    assert Hit(b"52") == await client.get(CACHE, "counter")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=INT64, amount=INT64)
async def test_sums(client: SimpleCacheClientAsync, start: int, amount: int) -> None:
    """A sum is exact if it is an integer of 64 bits; if not, it is refused and the item stays as it was."""
    await client.set(CACHE, "counter", str(start))
    total = start + amount

    if -(2**63) <= total < 2**63:
        assert total == await client.increment(CACHE, "counter", amount)
    else:
        with pytest.raises(FailedPreconditionError, match="64 bits"):
            await client.increment(CACHE, "counter", amount)
        assert Hit(str(start).encode()) == await client.get(CACHE, "counter")


@pytest.mark.parametrize("value", ["", "text", "1.5", " 1", b"\xff", "9223372036854775808"])
async def test_not_a_number(client: SimpleCacheClientAsync, value: str | bytes) -> None:
    """What is no integer of 64 bits is not incremented, and stays."""
    await client.set(CACHE, "key", value)

    with pytest.raises(FailedPreconditionError, match="integer"):
        await client.increment(CACHE, "key")

    assert Hit(value.encode() if isinstance(value, str) else value) == await client.get(CACHE, "key")


async def test_the_last_increment_sets_the_time_to_live(client: SimpleCacheClientAsync, clock: "Clock") -> None:
    """An incremented item lives by the TTL of that call, which may shorten it; else by the client's default."""
    await client.set(CACHE, "counter", "1", ttl=1111)

    await client.increment(CACHE, "counter", ttl=2)
    clock.advance(timedelta(milliseconds=2_000))
    assert Miss() == await client.get(CACHE, "counter")

    assert 1 == await client.increment(CACHE, "counter")
    clock.advance(timedelta(milliseconds=59_999))
    assert Hit(b"1") == await client.get(CACHE, "counter")
    clock.advance(timedelta(milliseconds=1))
    assert Miss() == await client.get(CACHE, "counter")
