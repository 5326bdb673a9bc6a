"""Values that keys are made of: near-equals in a table, any at all from strategies, and what tells them apart."""

import dataclasses
import enum
import math
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import strategies as st


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
