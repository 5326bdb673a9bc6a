import enum
import inspect
import json
import sys
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.caching.serializers import JSON
from momento_lambda.errors import InvalidArgumentError


class Level(enum.IntEnum):
    LOW = 1


class Name(str):
    __slots__ = ()


class Size(NamedTuple):
    width: int


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    # A signalling NaN cannot be hashed, so it cannot be in a set.
    st.decimals().filter(lambda number: not number.is_snan()),
    st.uuids(),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.integers(-86_399, 86_399).map(lambda seconds: timezone(timedelta(seconds=seconds)))),
)
HASHABLE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3), max_leaves=4
)
VALUES = st.recursive(
    SCALARS | HASHABLE | st.sets(HASHABLE, max_size=3),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["$type", "value", "a", ""]), inner, max_size=3),
    ),
    max_leaves=8,
)


def described(value: Any) -> Any:
    """Return plain data that is equal for two values where they are the same in kind and in content, NaN included."""
    match value:
        case dict():
            return "dict", [(key, described(item)) for key, item in value.items()]
        case list() | tuple():
            return type(value).__name__, [described(item) for item in value]
        case set() | frozenset():
            return type(value).__name__, sorted(repr(described(item)) for item in value)
        case datetime():
            return "datetime", value.isoformat()
        case _:
            return type(value).__name__, repr(value)


def round_trip(value: object) -> Any:
    """Return what comes back."""
    return JSON.loads(JSON.dumps(value))


@given(VALUES)
def test_everything_comes_back_as_it_was(value: object) -> None:
    """What JSON takes it gives back: same types, same content, same order, at any depth."""
    assert described(value) == described(round_trip(value))


@pytest.mark.parametrize(
    "value",
    [
        None,
        False,
        0,
        -0.0,
        1.0,
        "",
        "naïve\n\0",
        b"",
        b"\xff\x00",
        Decimal("1.50"),
        Decimal("1.5"),
        Decimal("1E+30"),
        Decimal("-0"),
        UUID(int=5),
        date(2026, 5, 17),
        datetime(2026, 5, 17, 1, 2, 3, 4),  # noqa: DTZ001  # a naive one is meant
        datetime(2026, 5, 17, tzinfo=UTC),
        datetime(2026, 5, 17, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
        [],
        (),
        {},
        set(),
        frozenset(),
        {(1, "a"), frozenset({b"x"})},
        [(1,), [1], {1}, frozenset({1})],
        {"$type": "decimal", "value": "1"},
        {"$type": None},
        {"$type": {"$type": {}}},
        {"type": "decimal", "value": "1"},
        {
            "Item": {
                "price": Decimal("9.99"),
                "tags": {"a", "b"},
                "blob": b"\x01",
                "at": [datetime(2026, 1, 1, tzinfo=UTC)],
            }
        },
        10**4000,
    ],
    ids=str,
)
def test_every_kind_comes_back(value: object) -> None:
    """Each kind that JSON takes, at its edges, comes back as what it was: a set as a set, a tuple as a tuple."""
    assert described(value) == described(round_trip(value))


def test_plain_data_is_plain_json() -> None:
    """What JSON itself can say is written as JSON would, so that other languages read it."""
    value = {"name": "Zoë", "tags": ["a", None, True, 1.5]}
    assert value == json.loads(JSON.dumps(value))
    assert "Zoë".encode() in JSON.dumps(value)


def test_a_zone_becomes_its_offset() -> None:
    """A datetime keeps its moment and its offset, of a named zone too, whose name is lost."""
    zoned = datetime(2026, 7, 1, tzinfo=ZoneInfo("UTC"))
    assert zoned == round_trip(zoned)
    assert timedelta(0) == round_trip(zoned).utcoffset()


def self_containing() -> list[object]:
    """Return a list that contains itself."""
    items: list[object] = []
    items.append(items)
    return items


def deep(levels: int) -> dict[str, Any]:
    """Return nested dicts."""
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Level.LOW, "type Level"),
        (Name("hidden"), "type Name"),
        (Size(1), "type Size"),
        (OrderedDict(hidden=1), "type OrderedDict"),
        ({1: "hidden"}, "key of type int"),
        ({None: "hidden"}, "key of type NoneType"),
        ({Name("hidden"): 1}, "key of type Name"),
        ({("hidden",): 1}, "key of type tuple"),
        (object(), "type object"),
        (bytearray(b"hidden"), "type bytearray"),
        (time(1), "type time"),
        (timedelta(1), "type timedelta"),
        (1j, "type complex"),
        (range(3), "type range"),
        ("hidden\ud800", "lone surrogates"),
        ({"hidden\ud800": 1}, "lone surrogates"),
        (self_containing(), "nested too deeply"),
        (deep(1_000), "nested too deeply"),
        (10**5000, "thousands of digits"),
    ],
    ids=range(19),
)
@pytest.mark.parametrize("nested", [False, True])
def test_what_would_change_is_refused(value: object, reason: str, *, nested: bool) -> None:
    """What would come back as something else is refused by its type, never by its value."""
    with pytest.raises(InvalidArgumentError, match=reason) as refusal:
        JSON.dumps([{"a": (value,)}] if nested else value)
    assert "hidden" not in refusal.value.message


def test_nesting_is_allowed() -> None:
    """Data nested a hundred times comes back."""
    assert deep(100) == round_trip(deep(100))


def test_a_deep_stack_is_no_crash() -> None:
    """Where the caller left little of the stack, a value that would need more is refused, not a RecursionError."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 150)
    try:
        with pytest.raises(InvalidArgumentError, match="nested too deeply"):
            JSON.dumps(deep(150))
    finally:
        sys.setrecursionlimit(before)


DAMAGED = VALUES.map(JSON.dumps).flatmap(lambda data: st.sampled_from([data[:-1], data[1:], data + b"]"]))


@given(st.binary() | st.text().map(str.encode) | DAMAGED)
def test_other_bytes_are_no_crash(data: bytes) -> None:
    """Bytes that are no stored value are a ValueError, whatever they are."""
    try:
        JSON.loads(data)
    except ValueError:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff",
        b'{"$type": "decimal", "value": "x"}',
        b'{"$type": "decimal", "value": []}',
        b'{"$type": "bytes", "value": "0"}',
        b'{"$type": "bytes", "value": 1}',
        b'{"$type": "datetime", "value": "noon"}',
        b'{"$type": "uuid", "value": 1}',
        b'{"$type": "set", "value": [[]]}',
        b'{"$type": "dict", "value": 5}',
        b'{"$type": "tuple"}',
        b'{"$type": "module", "value": "os"}',
        b'{"$type": []}',
        b"1" * 5000,
    ],
    ids=range(16),
)
def test_malformed_data_is_a_value_error(data: bytes) -> None:
    """What `dumps` never made is refused in one way."""
    with pytest.raises(ValueError, match=r"\S"):
        JSON.loads(data)
