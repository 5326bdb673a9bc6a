import dataclasses
import enum
import itertools
import math
import subprocess
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from momento_lambda.caching.keys import MAX_READABLE_BYTES, encode_argument, escape, shorten
from momento_lambda.errors import InvalidArgumentError


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Fruit(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Size(NamedTuple):
    width: int
    height: int


class Point(NamedTuple):
    x: int
    y: int


class UserId(str):
    __slots__ = ()


class OrderId(str):
    __slots__ = ()


class Annotated(str):  # noqa: SLOT000  # it is to have room for attributes
    """Text that holds more than its characters."""


class Measured(str):
    """Text that has a place for more."""

    __slots__ = ("unit",)


class Loose(int):
    """Numbers that have room for more, and none of it used."""


@dataclasses.dataclass(frozen=True)
class Place:
    name: str
    zone: int | None = None


@dataclasses.dataclass(frozen=True)
class Spot:
    name: str
    zone: int | None = None


@dataclasses.dataclass
class Mutable:
    name: str


class Model:
    """A model as pydantic's look from outside."""

    model_fields = ("name",)

    def __init__(self, name: str, **extra: object) -> None:
        self.name = name
        self.model_extra = extra or None

    def model_dump(self) -> dict[str, object]:
        """Return the fields."""
        return {"name": self.name}


class Session:
    """An object that says what it stands for."""

    def __init__(self, tenant: Any) -> None:
        self.tenant = tenant

    def __cache_key__(self) -> object:
        return self.tenant


class OtherSession(Session):
    pass


class NamedText(str):
    """Text that says itself what it stands for."""

    __slots__ = ()

    def __cache_key__(self) -> str:
        return self.lower()


class NoOffset(tzinfo):
    """A time zone that knows nothing."""

    def utcoffset(self, _: datetime | None) -> timedelta | None:
        """Return nothing."""
        return None

    def dst(self, _: datetime | None) -> timedelta | None:
        """Return nothing."""
        return None

    def tzname(self, _: datetime | None) -> str | None:
        """Return nothing."""
        return None


def encode(*values: object) -> str:
    """Return the encoding of a list of arguments."""
    return "".join(encode_argument("argument", value) for value in values)


NOON = datetime(2026, 5, 17, 12, 30)  # noqa: DTZ001  # a naive one is meant
UTC_NOON = NOON.replace(tzinfo=UTC)

DISTINCT: list[object] = [
    None,
    True,
    False,
    0,
    1,
    10,
    -1,
    1.0,
    -0.0,
    0.0,
    math.inf,
    10**5000,
    10**5000 + 1,
    Decimal(1),
    Decimal("1.0"),
    Decimal("Infinity"),
    "",
    "1",
    "n",
    "None",
    "s1:a",
    "é",
    "\n",
    b"",
    b"a",
    "a",
    "61",
    b"61",
    UUID(int=0),
    UUID(int=1),
    str(UUID(int=1)),
    NOON,
    NOON.replace(fold=1),
    NOON.replace(microsecond=1),
    UTC_NOON,
    UTC_NOON.replace(hour=11),
    NOON.isoformat(),
    NOON.date(),
    Colour.RED,
    Colour.BLUE,
    Fruit.RED,
    Level.LOW,
    Access.READ,
    Access.WRITE,
    Access.READ | Access.WRITE,
    Access(0),
    (),
    (1,),
    ("a",),
    ("a", "b"),
    ("ab",),
    (("a",), "b"),
    ("a", ("b",)),
    [],
    [1],
    ["a", "b"],
    ["a:b"],
    ["a b", "c"],
    ["a", "b c"],
    [["a"], "b"],
    set(),
    {1},
    {"1"},
    {1, 2},
    {},
    {"a": 1},
    {"a": "1"},
    {1: "a"},
    {"a": 1, "b": 2},
    {"a": 2, "b": 1},
    {"b": {"a": 1}},
    Size(1, 2),
    Point(1, 2),
    (1, 2),
    UserId("a"),
    OrderId("a"),
    Loose(1),
    Place("a"),
    Place("a", 1),
    Spot("a"),
    {"name": "a", "zone": None},
    Model("a"),
    Model("a", zone=1),
    Model("a", zone=2),
    Session("a"),
    Session("b"),
    Session(1),
    OtherSession("a"),
    NamedText("a"),
]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.dates(),
    st.datetimes(),
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=11))])
    ).filter(lambda when: 1 < when.year < 9999),
    st.sampled_from([*Colour, *Fruit, *Level]),
)
HASHABLE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3), max_leaves=4
)
VALUES = st.recursive(
    SCALARS | HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(HASHABLE, inner, max_size=4),
        st.builds(Place, st.text(), inner),
        st.builds(Session, inner),
    ),
    max_leaves=8,
)
# Few different leaves, so that two draws often agree or nearly do.
ALIKE = st.recursive(
    st.sampled_from([None, 0, 1, True, 1.0, "", "a", "b", "ab", "a:b", "1", b"a", Decimal(1), ":", "("]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


def identity(value: Any) -> Any:  # noqa: PLR0911  # a table of types
    """Return plain data that is equal for two values where they are the same in kind and in content, and only there.

    It says independently of the encoding what the encoding promises.
    """
    kind = type(value).__qualname__
    match value:
        case Session():
            return kind, identity(value.tenant)
        case Place():
            return kind, identity(value.name), identity(value.zone)
        case float() | Decimal():
            return kind, repr(value)
        case datetime() if value.tzinfo is not None:
            return "moment", value.astimezone(UTC).replace(tzinfo=None)
        case datetime():
            return kind, value, value.fold
        case tuple() | list():
            return kind, tuple(map(identity, value))
        case set() | frozenset():
            return "set", frozenset(map(identity, value))
        case dict():
            return kind, frozenset((identity(key), identity(item)) for key, item in value.items())
        case _:
            return kind, value


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


@given(st.text(st.characters(codec="utf-8"), max_size=MAX_READABLE_BYTES))
@example("k" * MAX_READABLE_BYTES)
@example("k" * (MAX_READABLE_BYTES + 1))
@example("é" * 100)
@example("é" * 101)
@example("")
@example("two\nlines\0")
def test_keys_are_readable_or_short(key: str) -> None:
    """A key of at most 200 bytes stays as it is; a longer one becomes a little longer than any that stays."""
    short = shorten(key)
    if len(key.encode()) <= MAX_READABLE_BYTES:
        assert key == short
    else:
        assert MAX_READABLE_BYTES + 1 == len(short.encode())
        assert key.isascii() <= short.startswith(key[:100])


@given(st.text("ab", min_size=1, max_size=2), st.text("ab", min_size=1, max_size=2))
def test_long_keys_differ_in_their_digest(one: str, other: str) -> None:
    """Long keys that differ anywhere differ when shortened, and one that was shortened is never shortened again."""
    first, second = (shorten("k" * 300 + end) for end in (one, other))
    assert (one == other) == (first == second)
    assert shorten(first) != first


def test_surrogates_are_refused() -> None:
    """A key that UTF-8 cannot carry is refused without being shown."""
    with pytest.raises(InvalidArgumentError, match="lone surrogates") as refusal:
        shorten("secret\ud800")
    assert "secret" not in refusal.value.message


@given(st.text(), st.text())
def test_escaping_is_injective(one: str, other: str) -> None:
    """Escaped texts are equal where the texts are."""
    assert (one == other) == (escape(one, "~-") == escape(other, "~-"))


@given(st.text())
def test_escaping_leaves_no_separator(text: str) -> None:
    """What is escaped holds no separator and nothing that does not print."""
    escaped = escape(text, "~-")
    assert set() == set(escaped) & set(":~-")
    assert escaped.isprintable()


def test_escaping_keeps_what_is_readable() -> None:
    """Letters of any script, digits and most punctuation stay; the rest is percent-encoded UTF-8."""
    assert "a b/c_é%25%3A%0A" == escape("a b/c_é%:\n")


def test_dates_are_no_datetimes() -> None:
    """A date and midnight of that day are two keys."""
    assert encode(date(2026, 5, 17)) != encode(datetime(2026, 5, 17))  # noqa: DTZ001  # a naive one is meant
