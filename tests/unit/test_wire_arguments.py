from typing import Any

import pytest

from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import InvalidArgumentError, LimitExceededError
from momento_lambda.wire.arguments import (
    MAX_CACHE_NAME_CHARACTERS,
    cache_name,
    item_bytes,
    key_bytes,
    many_keys,
    value_bytes,
)

SECRET = "s3cret"


@pytest.mark.parametrize(
    "name",
    [
        "users-cache",
        "a",
        "python-test-7b7a1c1e-3f0c-4b0e-9a51-0a7c3c7c1e11",
        "with space inside",
        "!~/:?#[]@",
        pytest.param("x" * MAX_CACHE_NAME_CHARACTERS, id="as long as may be"),
    ],
)
def test_cache_names(name: str) -> None:
    """A name of printable ASCII is sent as it is."""
    assert name == cache_name(name)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        pytest.param("", "has 0 characters", id="empty"),
        pytest.param("x" * (MAX_CACHE_NAME_CHARACTERS + 1), "has 1025 characters", id="too long"),
        pytest.param("   ", "'   ' cannot be sent", id="blank"),
        pytest.param(" users", "' users' cannot be sent", id="space before"),
        pytest.param("users ", "'users ' cannot be sent", id="space after"),
        pytest.param("users\n", r"'users\\n' cannot be sent", id="newline"),
        pytest.param("a\tb", r"'a\\tb' cannot be sent", id="tab"),
        pytest.param("a\x7f", r"'a\\x7f' cannot be sent", id="control character"),
        pytest.param("größe", "'größe' cannot be sent", id="not ASCII"),
        pytest.param("\ud800", r"'\\ud800' cannot be sent", id="lone surrogate"),
        pytest.param(None, "is of type NoneType", id="None"),
        pytest.param(b"users", "is of type bytes", id="bytes"),
    ],
)
def test_bad_cache_names(name: Any, wrong: str) -> None:
    """A name that no header can carry is refused with what is wrong and what is allowed."""
    allowed = "give 1 to 1024 printable ASCII characters, with no space at either end"
    with pytest.raises(InvalidArgumentError, match=rf"^the cache name {wrong}: {allowed}$"):
        cache_name(name)


@pytest.mark.parametrize(
    ("given", "sent"),
    [("foo", b"foo"), ("", b""), (b"", b""), ("größe", "größe".encode()), (b"\x00\xff", b"\x00\xff")],
    ids=["text", "no text", "no bytes", "text beyond ASCII", "bytes"],
)
def test_keys_and_values_become_bytes(given: str | bytes, sent: bytes) -> None:
    """Text is sent as UTF-8 and bytes as they are; empty is a key and a value like any other."""
    assert [sent, sent, (sent, sent), [sent]] == [
        key_bytes(given),
        value_bytes(given),
        item_bytes(given, given),
        many_keys([given]),
    ]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (f"{SECRET}\ud800", "holds lone surrogates, which UTF-8 cannot encode: give bytes"),
        (bytearray(SECRET.encode()), "is of type bytearray: give str or bytes"),
        (None, "is of type NoneType: give str or bytes"),
        (7, "is of type int: give str or bytes"),
        ([SECRET], "is of type list: give str or bytes"),
    ],
    ids=["surrogate", "bytearray", "None", "int", "list"],
)
def test_what_is_neither_text_nor_bytes(given: Any, wrong: str) -> None:
    """Anything else is refused by what it is, never by what it holds."""
    with pytest.raises(InvalidArgumentError, match=f"^the key {wrong}$"):
        key_bytes(given)
    with pytest.raises(InvalidArgumentError, match=f"^the key {wrong}$"):
        many_keys([SECRET, given])
    with pytest.raises(InvalidArgumentError, match=f"^the value {wrong}$"):
        value_bytes(given)
    with pytest.raises(InvalidArgumentError, match=f"^the key {wrong}$"):
        item_bytes(given, SECRET)
    with pytest.raises(InvalidArgumentError, match=f"^the value {wrong}$"):
        item_bytes(SECRET, given)


@pytest.mark.parametrize("one", ["s3cret", b"s3cret"], ids=["str", "bytes"])
def test_one_key_is_not_many(one: Any) -> None:
    """A single key in place of several is refused rather than taken apart letter by letter."""
    with pytest.raises(InvalidArgumentError, match=f"^keys is a single {type(one).__name__}: give a list of keys$"):
        many_keys(one)


def test_many_keys_keep_their_order() -> None:
    """Keys come from any iterable, and stay in order, duplicates included."""
    expected = [b"b", b"a", b"b"]
    assert expected == many_keys(key for key in ("b", b"a", "b"))


def test_an_item_of_the_largest_size() -> None:
    """Key and value together may have 4883 KiB, and not a byte more; the refusal names both sizes."""
    key, value = "größe", b"x" * (MAX_ITEM_BYTES - len("größe".encode()))
    assert (key.encode(), value) == item_bytes(key, value)
    expected = rf"^the item has {MAX_ITEM_BYTES + 1} bytes, key plus value: at most {MAX_ITEM_BYTES} can be stored$"
    with pytest.raises(LimitExceededError, match=expected):
        item_bytes(key, value + b"x")
