import functools
import itertools
import math
import subprocess
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.caching.keys import encode_argument
from momento_lambda.errors import InvalidArgumentError
from tests.caching.key_values import (
    ALIKE,
    DISTINCT,
    NOON,
    UTC_NOON,
    VALUES,
    Annotated,
    Loose,
    Measured,
    Mutable,
    NamedText,
    NoOffset,
    Place,
    Session,
    identity,
)


def encode(*values: object) -> str:
    """Return the encoding of a list of arguments."""
    return "".join(encode_argument("argument", value) for value in values)


def test_no_two_of_a_table_make_one_key() -> None:
    """Values that differ in kind or in content differ as keys, however much they look alike."""
    encoded = [encode(value) for value in DISTINCT]
    clashes = [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(zip(DISTINCT, encoded, strict=True), 2)
        if a == b
    ]
    assert [] == clashes


@given(VALUES, VALUES)
def test_keys_are_equal_where_values_are(one: object, other: object) -> None:
    """Any two values make one key exactly where they are equal in kind and content."""
    assert (identity(one) == identity(other)) == (encode(one) == encode(other))


@given(st.lists(ALIKE, max_size=3), st.lists(ALIKE, max_size=3))
def test_lists_of_arguments_do_not_run_together(one: list[object], other: list[object]) -> None:
    """Arguments that follow one another are told apart: where the one ends and the other begins is part of the key."""
    assert (identity(one) == identity(other)) == (encode(*one) == encode(*other))


@given(VALUES)
def test_one_value_is_one_key(value: object) -> None:
    """Encoding again gives the same key, which UTF-8 can carry."""
    assert encode(value) == encode(value)
    assert encode(value).encode().decode() == encode(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({1, 2, 3}, frozenset([3, 2, 1])),
        (b"ab", bytearray(b"ab")),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (UTC_NOON, datetime(2026, 5, 17, 14, 30, tzinfo=timezone(timedelta(hours=2)))),
        (NOON, NOON.replace(tzinfo=NoOffset())),
        (Loose(7), Loose(7)),
        (NamedText("Ab"), NamedText("aB")),
        (Session(["a"]), Session(["a"])),
    ],
    ids=["set", "bytes", "order", "moment", "no-offset", "subclass", "text-with-own-key", "own-key"],
)
def test_documented_equalities(one: object, other: object) -> None:
    """Some values are one key on purpose: they mean the same to whoever asks."""
    assert encode(one) == encode(other)


def self_containing() -> list[object]:
    """Return a list that contains itself."""
    items: list[object] = []
    items.append(items)
    return items


def with_attribute() -> Annotated:
    """Return text that holds an attribute of its own."""
    text = Annotated("hidden")
    text.note = "hidden"  # type: ignore[attr-defined]  # which is what is to be noticed
    return text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "it is NaN"),
        (Decimal("NaN"), "it is NaN"),
        (Decimal("-sNaN"), "it is NaN"),
        (object(), "it is of type object"),
        (int, "it is of type type"),
        (functools.partial(int), "it is of type partial"),
        (Place, "it is of type type"),
        (Mutable("hidden"), "Mutable is a dataclass that is not frozen"),
        (self_containing(), "contains itself"),
        (lambda: "hidden", "it is of type function"),
        (time(12), "it is of type time"),
        (timedelta(1), "it is of type timedelta"),
        (range(3), "it is of type range"),
        ("hidden\ud800", "lone surrogates"),
        (with_attribute(), "it is of type Annotated, which has attributes of its own"),
        (OrderedDict(hidden=1), "it is of type OrderedDict"),
        (defaultdict(list), "it is of type defaultdict"),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))), "outside of the years 1 to 9999"),
        (Session(object()), "it is of type object"),
    ],
    ids=itertools.count(),
)
@pytest.mark.parametrize("nest", [lambda value: value, lambda value: [(value,)]], ids=["bare", "nested"])
def test_what_has_no_identity_is_refused(value: object, reason: str, nest: Callable[[object], object]) -> None:
    """What cannot be told from its like is refused; the message names parameter, reason and fixes, never the value."""
    with pytest.raises(InvalidArgumentError) as refusal:
        encode_argument("user", nest(value))
    message = refusal.value.message
    assert message.startswith("the argument 'user' cannot be part of a cache key: ")
    assert reason in message
    assert [fix for fix in ("identifier", "ignore=", "key= template", "__cache_key__()") if fix not in message] == []
    assert "hidden" not in message


def test_slots_of_a_subclass_are_attributes() -> None:
    """A subclass that has slots holds more than the text that it is."""
    with pytest.raises(InvalidArgumentError, match="Measured, which has attributes of its own"):
        encode(Measured("a"))


@pytest.mark.parametrize("depth", [10, 40])
def test_nesting_is_allowed(depth: int) -> None:
    """Nested data of any reasonable depth makes keys, and depth counts."""
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    assert encode(value) != encode([value])


SEEDED = """
from decimal import Decimal
from momento_lambda.caching.keys import encode_argument, shorten
value = {"b": {"x", "y", "z", 1, 2.5, (None, "a")}, "a": frozenset("qwertz"), 3: {b"k": Decimal("1.50")}}
print(encode_argument("value", value), shorten("k" * 500))
"""


def test_every_process_makes_the_same_keys() -> None:
    """Keys do not depend on the seed of the process's hashes."""
    printed = {
        subprocess.run(  # noqa: S603  # our own interpreter
            [sys.executable, "-c", SEEDED], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert 1 == len(printed)
    assert all(len(text) > 100 for text in printed)


def test_dates_are_no_datetimes() -> None:
    """A date and midnight of that day are two keys."""
    assert encode(date(2026, 5, 17)) != encode(datetime(2026, 5, 17))  # noqa: DTZ001  # a naive one is meant
