from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.caching.envelope import Entry, seal, unseal
from momento_lambda.caching.serializers import JSON
from momento_lambda.errors import InvalidArgumentError

TIMES = st.integers(0, 2**64 - 1)
ENTRY = Entry({"id": 7, "name": "Ada"}, 1_700_000_000_000, 1_700_000_300_000)
SEALED = seal(ENTRY, JSON)


class Text:
    """Another serializer."""

    identity = ord("t")

    def dumps(self, value: Any) -> bytes:
        """Return text as UTF-8."""
        return str(value).encode()

    def loads(self, data: bytes) -> Any:
        """Return the text."""
        return data.decode()


@given(st.none() | st.text() | st.lists(st.integers()), TIMES, TIMES)
def test_what_was_sealed_is_unsealed(value: object, created_ms: int, expires_ms: int) -> None:
    """A value comes back with its times."""
    entry = Entry(value, created_ms, expires_ms)
    assert entry == unseal(seal(entry, JSON), JSON)


def test_the_header_is_small() -> None:
    """Being kept costs a value 24 bytes."""
    assert 24 == len(SEALED) - len(JSON.dumps(ENTRY.value))


def test_a_refusal_is_passed_on() -> None:
    """What the serializer refuses is not sealed."""
    with pytest.raises(InvalidArgumentError, match="type object"):
        seal(Entry(object(), 0, 0), JSON)


@given(st.binary(max_size=100))
def test_foreign_bytes_are_nothing(stored: bytes) -> None:
    """Bytes that somebody else stored are no entry, and no crash."""
    assert unseal(stored, JSON) is None


@given(st.binary(max_size=100))
def test_foreign_bytes_behind_our_mark_are_nothing(rest: bytes) -> None:
    """Bytes that begin as ours do are no entry either."""
    assert unseal(SEALED[:4] + rest, JSON) is None


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_what_was_cut_short_is_nothing(length: int) -> None:
    """An entry that lost its end is none."""
    assert unseal(SEALED[:length], JSON) is None


@pytest.mark.parametrize("position", range(len(SEALED)))
def test_a_changed_byte_is_noticed(position: int) -> None:
    """A change of any one byte, of the header too, makes the whole no entry."""
    for change in range(1, 256):
        damaged = bytearray(SEALED)
        damaged[position] ^= change
        assert unseal(bytes(damaged), JSON) is None


@given(st.binary(min_size=1, max_size=20))
def test_what_was_added_is_noticed(more: bytes) -> None:
    """An entry with something behind it is none."""
    assert unseal(SEALED + more, JSON) is None


def test_serializers_do_not_read_each_other() -> None:
    """What one serializer wrote is nothing to another."""
    assert unseal(SEALED, Text()) is None
    assert unseal(seal(Entry("1", 0, 0), Text()), JSON) is None


def test_what_the_serializer_cannot_read_is_nothing() -> None:
    """Sound bytes whose content the serializer refuses are no entry."""

    class Liar:
        identity = JSON.identity

        def dumps(self, _: Any) -> bytes:
            """Return what is no JSON."""
            return b"{"

        loads = staticmethod(JSON.loads)

    assert unseal(seal(Entry("1", 0, 0), Liar()), JSON) is None
