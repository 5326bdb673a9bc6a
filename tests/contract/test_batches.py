"""Many items at once."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from momento_lambda import Hit, Miss, SimpleCacheClientAsync

if TYPE_CHECKING:
    from momento_lambda.ttl import Ttl
    from tests.contract.conftest import Clock

CACHE = "users-cache"


async def test_get_multi_answers_in_order(client: SimpleCacheClientAsync) -> None:
    """Each key is answered in the order asked, hits and misses mixed, and a key asked twice is answered twice."""
    await client.set(CACHE, "a", "1")
    await client.set(CACHE, b"b", b"2")

    found = await client.get_multi(CACHE, ["b", "missing", "a", b"b", "", "a"])

    assert (Hit(b"2"), Miss(), Hit(b"1"), Hit(b"2"), Miss(), Hit(b"1")) == found


async def test_get_multi_takes_any_iterable(client: SimpleCacheClientAsync) -> None:
    """The keys may come from a generator."""
    await client.set(CACHE, "1", "one")

    assert (Miss(), Hit(b"one")) == await client.get_multi(CACHE, (str(number) for number in range(2)))


async def test_set_multi_stores_all(client: SimpleCacheClientAsync) -> None:
    """Every item of a batch is stored, text and bytes alike."""
    items: dict[str, str | bytes] = {"a": "1", "b": b"2", "": ""}

    await client.set_multi(CACHE, items)

    assert (Hit(b"1"), Hit(b"2"), Hit(b"")) == await client.get_multi(CACHE, ["a", "b", ""])


async def test_set_multi_times_to_live(client: SimpleCacheClientAsync, clock: "Clock") -> None:
    """A batch lives by its `ttl`, and the keys that `ttls` names by their own."""
    own: dict[str | bytes, Ttl] = {"b": 5, b"c": "20s"}

    await client.set_multi(CACHE, {"a": "1", "b": "2", "c": "3"}, ttl=10, ttls=own)

    clock.advance(timedelta(milliseconds=4_999))
    assert (Hit(b"1"), Hit(b"2"), Hit(b"3")) == await client.get_multi(CACHE, ["a", "b", "c"])
    clock.advance(timedelta(milliseconds=1))
    assert (Hit(b"1"), Miss(), Hit(b"3")) == await client.get_multi(CACHE, ["a", "b", "c"])
    clock.advance(timedelta(milliseconds=5_000))
    assert (Miss(), Miss(), Hit(b"3")) == await client.get_multi(CACHE, ["a", "b", "c"])


async def test_set_multi_default_time_to_live(client: SimpleCacheClientAsync, clock: "Clock") -> None:
    """A batch without a `ttl` lives by the client's default."""
    await client.set_multi(CACHE, {"key": "value"})

    clock.advance(timedelta(milliseconds=59_999))
    assert (Hit(b"value"),) == await client.get_multi(CACHE, ["key"])
    clock.advance(timedelta(milliseconds=1))
    assert (Miss(),) == await client.get_multi(CACHE, ["key"])


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([400_000] * 30, id="12 MB of equal values"),
        pytest.param([5_000_000, 1, 5_000_000, 200_000, 5_000_000], id="the largest values between small ones"),
        pytest.param([0] * 5_000, id="many empty values"),
    ],
)
async def test_batches_larger_than_a_message(client: SimpleCacheClientAsync, sizes: list[int]) -> None:
    """A batch of any size is stored and read back whole, however many messages it takes."""
    items = {f"key-{index}": bytes([index % 256]) * size for index, size in enumerate(sizes)}

    await client.set_multi(CACHE, items)

    assert [Hit(value) for value in items.values()] == list(await client.get_multi(CACHE, items))
    assert (True,) * len(sizes) == await client.keys_exist(CACHE, items)


async def test_long_keys_are_cut_too(client: SimpleCacheClientAsync) -> None:
    """Keys that together are larger than a message are asked in several."""
    keys = [str(index) * 1_500_000 for index in range(5)]
    await client.set(CACHE, keys[3], "found")

    assert (Miss(), Miss(), Miss(), Hit(b"found"), Miss()) == await client.get_multi(CACHE, keys)
    assert (False, False, False, True, False) == await client.keys_exist(CACHE, keys)


async def test_keys_exist(client: SimpleCacheClientAsync, clock: "Clock") -> None:
    """Each key is answered in the order asked; an expired item does not exist."""
    await client.set(CACHE, "short", "", ttl=1)
    await client.set(CACHE, "long", "", ttl=2)

    assert (True, False, True, True) == await client.keys_exist(CACHE, ["long", "none", b"short", "long"])
    clock.advance(timedelta(milliseconds=1_000))
    assert (True, False) == await client.keys_exist(CACHE, ["long", "short"])


async def test_empty_batches_make_no_call(unconnected: SimpleCacheClientAsync) -> None:
    """An empty batch is answered without a server."""
    assert () == await unconnected.get_multi(CACHE, [])
    assert () == await unconnected.keys_exist(CACHE, iter(()))
    await unconnected.set_multi(CACHE, {})
