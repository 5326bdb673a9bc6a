"""How long items live, to the millisecond of the server's clock."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from momento_lambda import CredentialProvider, Hit, Miss, SimpleCacheClientAsync, TtlUpdate
from momento_lambda.ttl import Ttl

if TYPE_CHECKING:
    from tests.contract.conftest import Clock
    from tests.twins import Connect

CACHE = "users-cache"

TTLS = [
    pytest.param(1, 1_000, id="the shortest"),
    pytest.param(1.2345, 1_234, id="a fraction of a second, rounded"),
    pytest.param(timedelta(minutes=2, milliseconds=7), 120_007, id="a timedelta"),
    pytest.param("1m30s", 90_000, id="text"),
    pytest.param(timedelta(days=1), 86_400_000, id="the longest"),
]


@pytest.mark.parametrize(("ttl", "milliseconds"), TTLS)
async def test_a_call_overrides_the_default(
    client: SimpleCacheClientAsync, clock: "Clock", ttl: Ttl, milliseconds: int
) -> None:
    """An item is there until the last millisecond of the TTL given, and gone at its end."""
    await client.set(CACHE, "key", "value", ttl)

    clock.advance(timedelta(milliseconds=milliseconds - 1))
    assert Hit(b"value") == await client.get(CACHE, "key")
    clock.advance(timedelta(milliseconds=1))
    assert Miss() == await client.get(CACHE, "key")


@pytest.mark.parametrize(("ttl", "milliseconds"), TTLS)
async def test_default(
    connect: "Connect", credentials: CredentialProvider, clock: "Clock", ttl: Ttl, milliseconds: int
) -> None:
    """Where a call gives no TTL, an item is there until the last millisecond of the client's default."""
    client = connect(credentials, ttl)
    await client.set(CACHE, "key", "value")

    clock.advance(timedelta(milliseconds=milliseconds - 1))
    assert Hit(b"value") == await client.get(CACHE, "key")
    clock.advance(timedelta(milliseconds=1))
    assert Miss() == await client.get(CACHE, "key")


async def test_set_begins_anew(client: SimpleCacheClientAsync, clock: "Clock") -> None:
    """A second set counts the TTL from its own moment."""
    await client.set(CACHE, "key", "first", ttl=2)
    clock.advance(timedelta(milliseconds=1_500))
    await client.set(CACHE, "key", "second", ttl=1)

    clock.advance(timedelta(milliseconds=999))
    assert Hit(b"second") == await client.get(CACHE, "key")
    clock.advance(timedelta(milliseconds=1))
    assert Miss() == await client.get(CACHE, "key")


async def test_item_get_ttl(client: SimpleCacheClientAsync, clock: "Clock") -> None:
    """The time left is told to the millisecond, and is None where there is no item."""
    assert await client.item_get_ttl(CACHE, "key") is None

    await client.set(CACHE, "key", "value", ttl=10)
    assert timedelta(seconds=10) == await client.item_get_ttl(CACHE, "key")
    clock.advance(timedelta(milliseconds=9_999))
    assert timedelta(milliseconds=1) == await client.item_get_ttl(CACHE, "key")
    clock.advance(timedelta(milliseconds=1))
    assert await client.item_get_ttl(CACHE, "key") is None


@pytest.mark.parametrize(
    ("method", "ttl", "is_set"),
    [
        ("update_ttl", 5, True),
        ("update_ttl", 10, True),
        ("update_ttl", 20, True),
        ("increase_ttl", 5, False),
        ("increase_ttl", 10, False),
        ("increase_ttl", 20, True),
        ("decrease_ttl", 5, True),
        ("decrease_ttl", 10, False),
        ("decrease_ttl", 20, False),
    ],
)
async def test_changing_it(
    client: SimpleCacheClientAsync, clock: "Clock", *, method: str, ttl: int, is_set: bool
) -> None:
    """Of an item with 10 seconds left: update always sets, increase only to more, decrease only to less."""
    answer, left = (TtlUpdate.SET, ttl) if is_set else (TtlUpdate.NOT_SET, 10)
    await client.set(CACHE, "key", "value", ttl=12)
    clock.advance(timedelta(milliseconds=2_000))

    assert answer == await getattr(client, method)(CACHE, "key", ttl)

    assert timedelta(seconds=left) == await client.item_get_ttl(CACHE, "key")
    clock.advance(timedelta(milliseconds=left * 1_000 - 1))
    assert Hit(b"value") == await client.get(CACHE, "key")
    clock.advance(timedelta(milliseconds=1))
    assert Miss() == await client.get(CACHE, "key")


@pytest.mark.parametrize("method", ["update_ttl", "increase_ttl", "decrease_ttl"])
async def test_changing_it_where_there_is_no_item(client: SimpleCacheClientAsync, clock: "Clock", method: str) -> None:
    """The TTL of an item that is not there, or is there no more, is MISSING and brings nothing back."""
    await client.set(CACHE, "expired", "value", ttl=1)
    clock.advance(timedelta(milliseconds=1_000))

    assert TtlUpdate.MISSING == await getattr(client, method)(CACHE, "never", 10)
    assert TtlUpdate.MISSING == await getattr(client, method)(CACHE, "expired", 10)
    assert Miss() == await client.get(CACHE, "expired")
