import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.caching.envelope import Bare, Entry, Envelope
from momento_lambda.caching.serializers import BYTES, JSON, TEXT
from momento_lambda.errors import InvalidArgumentError

TIMES = st.integers(0, 2**64 - 1)
ENTRY = Entry({"id": 7, "name": "Ada"}, 1_700_000_000_000, 1_700_000_300_000, 1_700_000_360_000, 40)
ENVELOPE = Envelope(JSON)
PACKED = ENVELOPE.pack(ENTRY)
MOST = 50_000_000
"""The most bytes that a compressed value unpacks to."""


@given(
    st.none() | st.text() | st.lists(st.integers()),
    st.tuples(TIMES, TIMES, TIMES, st.integers(0, 2**32 - 1), st.booleans()),
)
def test_what_was_packed_is_unpacked(value: object, rest: tuple[int, int, int, int, bool]) -> None:
    """A value comes back with its times, its cost, and whether it stands for an absence."""
    entry = Entry(value, *rest)
    assert entry == ENVELOPE.unpack(ENVELOPE.pack(entry))


def test_an_absence_needs_no_serializer() -> None:
    """An id that was left out comes back as that, whatever the serializer takes."""
    packed = Envelope(TEXT).pack(Entry(None, 1, 2, 3, negative=True, absent=True))
    assert Entry(None, 1, 2, 3, negative=True, absent=True) == Envelope(TEXT).unpack(packed)


def test_the_header_is_small() -> None:
    """Being kept costs a value 41 bytes."""
    assert 41 == len(PACKED) - len(JSON.dumps(ENTRY.value))


def test_costs_beyond_the_field_are_the_largest() -> None:
    """A loader that took weeks is one that took as long as the header can say."""
    found = ENVELOPE.unpack(ENVELOPE.pack(ENTRY._replace(cost_ms=2**40)))
    assert found == ENTRY._replace(cost_ms=2**32 - 1)


@given(st.binary(max_size=100))
def test_foreign_bytes_are_nothing(stored: bytes) -> None:
    """Bytes that somebody else stored are no entry, and no crash."""
    assert ENVELOPE.unpack(stored) is None


@given(st.binary(max_size=100))
def test_foreign_bytes_behind_our_mark_are_nothing(rest: bytes) -> None:
    """Bytes that begin as ours do are no entry either."""
    assert ENVELOPE.unpack(PACKED[:5] + rest) is None


@pytest.mark.parametrize("length", range(len(PACKED)))
def test_what_was_cut_short_is_nothing(length: int) -> None:
    """An entry that lost its end is none."""
    assert ENVELOPE.unpack(PACKED[:length]) is None


@pytest.mark.parametrize("position", range(len(PACKED)))
def test_a_changed_byte_is_noticed(position: int) -> None:
    """A change of any one byte, of the header too, makes the whole no entry."""
    for change in range(1, 256):
        damaged = bytearray(PACKED)
        damaged[position] ^= change
        assert ENVELOPE.unpack(bytes(damaged)) is None


@given(st.binary(min_size=1, max_size=20))
def test_what_was_added_is_noticed(more: bytes) -> None:
    """An entry with something behind it is none."""
    assert ENVELOPE.unpack(PACKED + more) is None


def test_serializers_do_not_read_each_other() -> None:
    """What one serializer wrote is nothing to another."""
    text = Envelope(TEXT).pack(Entry("1", 0, 0, 0))
    assert (None, None) == (Envelope(TEXT).unpack(PACKED), ENVELOPE.unpack(text))
    assert "1" == Envelope(TEXT).unpack(text).value  # type: ignore[union-attr]  # it is an entry


@pytest.mark.parametrize(
    ("wrote", "reads", "found"), [(7, 7, True), (7, 8, False), (0, 7, True), (7, 0, True), (0, 0, True)]
)
def test_another_type_is_nothing(wrote: int, reads: int, *, found: bool) -> None:
    """What was written as one type is nothing to another; where either side names no type, it is read."""
    assert found == (Envelope(JSON, reads).unpack(Envelope(JSON, wrote).pack(ENTRY)) is not None)


class Faulty:
    """A serializer that fails as none should."""

    identity = JSON.identity

    def dumps(self, value: Any) -> bytes:
        """Fail."""
        raise KeyError(value)

    def loads(self, data: bytes) -> Any:
        """Fail."""
        raise RuntimeError(data)


@pytest.mark.parametrize("packing", [Envelope(Faulty()), Bare(Faulty())], ids=["envelope", "bare"])
def test_a_serializer_that_fails(packing: Envelope | Bare) -> None:
    """Whatever a serializer raises, the value is refused by its type alone, or the bytes are no entry."""
    with pytest.raises(InvalidArgumentError, match=r"^a value of type str could not be serialized \(KeyError\)$"):
        packing.pack(Entry("hidden", 0, 0, 0))
    assert packing.unpack(PACKED) is None


@pytest.mark.parametrize("packing", [ENVELOPE, Bare(JSON)], ids=["envelope", "bare"])
def test_a_refusal_is_passed_on(packing: Envelope | Bare) -> None:
    """What the serializer refuses is not packed, and its own words say why."""
    with pytest.raises(InvalidArgumentError, match="a value of type object cannot be stored as JSON"):
        packing.pack(Entry(object(), 0, 0, 0))


def test_what_the_serializer_cannot_read_is_nothing() -> None:
    """Sound bytes whose content the serializer refuses are no entry."""
    assert Envelope(TEXT).unpack(Envelope(BYTES).pack(Entry(b"\xff", 0, 0, 0))) is None


@pytest.mark.parametrize(
    ("value", "compress_over", "smaller"),
    [(b"x" * 100, 99, True), (b"x" * 100, 100, False), (b"x" * 100, None, False), (bytes(range(256)), 0, False)],
    ids=["over", "at", "never", "no gain"],
)
def test_compression(value: bytes, compress_over: int | None, *, smaller: bool) -> None:
    """What is over the bound is compressed where that gains something, and comes back as it was either way."""
    envelope = Envelope(BYTES, compress_over=compress_over)
    packed = envelope.pack(Entry(value, 1, 2, 3))
    assert smaller == (len(packed) < len(value) + 41)
    assert Entry(value, 1, 2, 3) == envelope.unpack(packed)


def test_whoever_reads_need_not_compress() -> None:
    """What was compressed is read by whoever would not have done so."""
    assert Entry(b"x" * 100, 1, 2, 3) == Envelope(BYTES).unpack(
        Envelope(BYTES, compress_over=1).pack(Entry(b"x" * 100, 1, 2, 3))
    )


@pytest.mark.parametrize(
    ("size", "compressed"), [(MOST, True), (MOST + 1, False)], ids=["as much as may be", "more than may be"]
)
def test_what_could_not_be_read_is_not_compressed(size: int, *, compressed: bool) -> None:
    """Nothing is compressed that is over the bound of unpacking; what is at the bound is read."""
    envelope = Envelope(BYTES, compress_over=8192)
    packed = envelope.pack(Entry(bytes(size), 1, 2, 3))
    assert compressed == (len(packed) < size)
    found = envelope.unpack(packed)
    assert found is not None
    assert size == len(found.value)


def compressed_by_hand(monkeypatch: pytest.MonkeyPatch, payload: bytes) -> bytes:
    """Return an entry with a sound checksum whose compressed payload is another's."""
    with monkeypatch.context() as patch:
        patch.setattr(zlib, "compress", lambda _: payload)
        return Envelope(BYTES, compress_over=1).pack(Entry(b"y" * 100_000, 1, 2, 3))


def test_a_bomb_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payload that unpacks to more than any value has is no entry, and no more than that is unpacked."""
    bomb = zlib.compress(bytes(MOST + 1))
    assert ENVELOPE.unpack(compressed_by_hand(monkeypatch, bomb)) is None
    assert Envelope(BYTES).unpack(compressed_by_hand(monkeypatch, bomb)) is None
    assert Envelope(BYTES).unpack(compressed_by_hand(monkeypatch, zlib.compress(b"well"))) == Entry(b"well", 1, 2, 3)


@pytest.mark.parametrize("payload", [b"", b"no such data", zlib.compress(b"x" * 99)[:-1]], ids=range(3))
def test_what_is_not_compressed_is_nothing(monkeypatch: pytest.MonkeyPatch, payload: bytes) -> None:
    """A payload that says it is compressed and is not, or lost its end, is no entry."""
    assert Envelope(BYTES).unpack(compressed_by_hand(monkeypatch, payload)) is None


@given(st.none() | st.text() | st.lists(st.integers()))
def test_bare_values_are_bare(value: object) -> None:
    """Without a header the bytes are the serializer's own, and come back with times that leave the end to the cache."""
    packed = Bare(JSON).pack(ENTRY._replace(value=value))
    assert JSON.dumps(value) == packed
    found = Bare(JSON).unpack(packed)
    assert found is not None
    assert (value, 0, found.gone_ms) == (found.value, found.created_ms, found.due_ms)
    assert found.due_ms > ENTRY.due_ms * 1000
    assert Bare(JSON).unpack(b"{") is None


@pytest.mark.parametrize("packing", [Envelope(JSON, 7, 10), Bare(JSON)], ids=["envelope", "bare"])
@pytest.mark.parametrize("value", ["short", "long" * 100], ids=["plain", "compressed"])
def test_a_value_read_again(packing: Envelope | Bare, value: str) -> None:
    """What `unpack` has read, `value` reads without looking at the header."""
    packed = packing.pack(ENTRY._replace(value=value))
    assert value == packing.value(packed)
