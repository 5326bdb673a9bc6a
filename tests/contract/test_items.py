"""Single items: get, set and delete."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from momento_lambda import Hit, Miss, SimpleCacheClientAsync
from momento_lambda.configuration import MAX_ITEM_BYTES

CACHE = "users-cache"
OTHER_CACHE = "orders-cache"

# UTF-8 holds any character but lone surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


def ascii_start(item: str | bytes) -> str:
    """Name a case by how it begins."""
    return ascii(item[:12])


async def test_hit_and_miss(client: SimpleCacheClientAsync) -> None:
    """What was set is a Hit with that value, and what was not is a Miss."""
    await client.set(CACHE, "foo", "123")

    assert Hit(b"123") == await client.get(CACHE, "foo")
    assert Miss() == await client.get(CACHE, "bar")


@pytest.mark.parametrize("key", ["", "key", "ключ/鍵 🔑", b"", b"\x00\xff\n", "k" * 70_000], ids=ascii_start)
@pytest.mark.parametrize("value", ["", "text", "значение 🎁", b"", b"\x00\xfe\xff"], ids=ascii_start)
async def test_keys_and_values(client: SimpleCacheClientAsync, key: str | bytes, value: str | bytes) -> None:
    """Keys and values are any text or bytes, empty ones included."""
    await client.set(CACHE, key, value)

    expected = value.encode() if isinstance(value, str) else value
    assert Hit(expected) == await client.get(CACHE, key)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.binary(max_size=300) | TEXT, value=st.binary(max_size=5000) | TEXT)
async def test_any_item_comes_back(client: SimpleCacheClientAsync, key: str | bytes, value: str | bytes) -> None:
    """Any item comes back as it was stored; of text, its UTF-8."""
    await client.set(CACHE, key, value)

    found = await client.get(CACHE, key)
    assert isinstance(found, Hit)
    assert value == (found.value_string if isinstance(value, str) else found.value_bytes)


async def test_text_and_its_bytes_are_one_key(client: SimpleCacheClientAsync) -> None:
    """A key given as text is the same key as its UTF-8 bytes."""
    await client.set(CACHE, "é", "accent")

    assert Hit(b"accent") == await client.get(CACHE, b"\xc3\xa9")


async def test_set_replaces(client: SimpleCacheClientAsync) -> None:
    """A second set replaces the value of the first."""
    await client.set(CACHE, "key", "a longer first value")
    await client.set(CACHE, "key", "second")

    assert Hit(b"second") == await client.get(CACHE, "key")


async def test_delete(client: SimpleCacheClientAsync) -> None:
    """A deleted item is a Miss; deleting what is not there does nothing."""
    await client.set(CACHE, "key", "value")
    await client.set(CACHE, "kept", "value")

    await client.delete(CACHE, "key")
    await client.delete(CACHE, "key")

    assert Miss() == await client.get(CACHE, "key")
    assert Hit(b"value") == await client.get(CACHE, "kept")


async def test_largest_item(client: SimpleCacheClientAsync) -> None:
    """An item of exactly the limit, key plus value, is stored and read back whole."""
    key = "largest"
    value = b"\xa5" * (MAX_ITEM_BYTES - len(key))

    await client.set(CACHE, key, value)

    assert Hit(value) == await client.get(CACHE, key)
    assert (Hit(value),) == await client.get_multi(CACHE, [key])


async def test_caches_are_apart(client: SimpleCacheClientAsync) -> None:
    """The same key in two caches is two items."""
    await client.set(CACHE, "key", "here")
    await client.set(OTHER_CACHE, "key", "there")
    await client.delete(CACHE, "key")

    assert Miss() == await client.get(CACHE, "key")
    assert Hit(b"there") == await client.get(OTHER_CACHE, "key")
