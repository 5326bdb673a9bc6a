"""Writes that happen only where a condition holds."""

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import pytest

from momento_lambda import Hit, Miss, NotStored, SimpleCacheClientAsync, Stored

if TYPE_CHECKING:
    from tests.contract.conftest import Clock

CACHE = "users-cache"

Operands: TypeAlias = tuple[str, ...]

# The method, what it compares with, and in which of three states of the item it stores.
CASES = [
    pytest.param("set_if_absent", (), {"absent"}, id="absent"),
    pytest.param("set_if_not_exists", (), {"absent"}, id="not exists"),
    pytest.param("set_if_present", (), {"equal", "different"}, id="present"),
    pytest.param("set_if_equal", ("compared",), {"equal"}, id="equal"),
    pytest.param("set_if_not_equal", ("compared",), {"absent", "different"}, id="not equal"),
    pytest.param("set_if_present_and_not_equal", ("compared",), {"different"}, id="present and not equal"),
    pytest.param("set_if_absent_or_equal", ("compared",), {"absent", "equal"}, id="absent or equal"),
]
STATES = {"absent": None, "equal": "compared", "different": "something else"}


@pytest.mark.parametrize(("method", "operands", "stores_when"), CASES)
@pytest.mark.parametrize("state", STATES)
async def test_condition(
    client: SimpleCacheClientAsync, method: str, operands: Operands, stores_when: set[str], state: str
) -> None:
    """A conditional write stores in exactly the states that its name says, and else changes nothing."""
    before = STATES[state]
    if before is not None:
        await client.set(CACHE, "key", before)

    answer = await getattr(client, method)(CACHE, "key", "new", *operands)

    unchanged = Miss() if before is None else Hit(before.encode())
    expected = (Stored(), Hit(b"new")) if state in stores_when else (NotStored(), unchanged)
    assert expected == (answer, await client.get(CACHE, "key"))


@pytest.mark.parametrize(("method", "operands", "stores_when"), CASES)
async def test_stored_items_live_by_the_call(
    client: SimpleCacheClientAsync, clock: "Clock", method: str, operands: Operands, stores_when: set[str]
) -> None:
    """What a conditional write stores lives by the TTL of that call."""
    before = STATES[min(stores_when)]
    if before is not None:
        await client.set(CACHE, "key", before, ttl=3)

    assert Stored() == await getattr(client, method)(CACHE, "key", "new", *operands, ttl=5)

    clock.advance(timedelta(milliseconds=4_999))
    assert Hit(b"new") == await client.get(CACHE, "key")
    clock.advance(timedelta(milliseconds=1))
    assert Miss() == await client.get(CACHE, "key")


@pytest.mark.parametrize(("method", "operands", "stores_when"), CASES)
async def test_default_time_to_live(
    client: SimpleCacheClientAsync, clock: "Clock", method: str, operands: Operands, stores_when: set[str]
) -> None:
    """A conditional write without a TTL lives by the client's default."""
    before = STATES[min(stores_when)]
    if before is not None:
        await client.set(CACHE, "key", before)

    await getattr(client, method)(CACHE, "key", "new", *operands)

    clock.advance(timedelta(milliseconds=59_999))
    assert Hit(b"new") == await client.get(CACHE, "key")
    clock.advance(timedelta(milliseconds=1))
    assert Miss() == await client.get(CACHE, "key")


async def test_refused_write_leaves_the_time_to_live(client: SimpleCacheClientAsync, clock: "Clock") -> None:
    """A write whose condition does not hold leaves the item's TTL as it was."""
    await client.set(CACHE, "key", "old", ttl=2)

    assert NotStored() == await client.set_if_absent(CACHE, "key", "new", ttl=1000)

    clock.advance(timedelta(milliseconds=2_000))
    assert Miss() == await client.get(CACHE, "key")


async def test_an_expired_item_is_absent(client: SimpleCacheClientAsync, clock: "Clock") -> None:
    """An item that has expired counts as absent to a condition."""
    await client.set(CACHE, "key", "old", ttl=1)
    clock.advance(timedelta(milliseconds=1_000))

    assert NotStored() == await client.set_if_present(CACHE, "key", "new")
    assert NotStored() == await client.set_if_equal(CACHE, "key", "new", "old")
    assert Stored() == await client.set_if_absent(CACHE, "key", "new")


async def test_compared_values_are_bytes(client: SimpleCacheClientAsync) -> None:
    """Values are compared byte by byte: an empty one equals only an empty one."""
    await client.set(CACHE, "key", b"")

    assert NotStored() == await client.set_if_equal(CACHE, "key", "1", b"\x00")
    assert Stored() == await client.set_if_equal(CACHE, "key", "2", b"")
    assert Stored() == await client.set_if_equal(CACHE, "key", "3", "2")
