import dataclasses
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Optional, cast

import pydantic
import pytest

from momento_lambda import BYTES, JSON, TEXT, Cacheable, Hit, NoStore, SimpleCacheClient
from momento_lambda.caching.return_types import fingerprint, return_type, serializer_for, value_type
from momento_lambda.errors import InvalidArgumentError

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side


@dataclasses.dataclass
class Price:
    amount: Decimal
    currency: str = "EUR"


@dataclasses.dataclass(frozen=True, slots=True)
class Product:
    name: str
    price: Price
    old_prices: list[Price]
    by_region: dict[str, Price]
    gift: Price | None = None


@dataclasses.dataclass
class Node:
    name: str
    next: Optional["Node"] = None


@dataclasses.dataclass
class SpecialPrice(Price):
    until: str = ""


class User(pydantic.BaseModel):
    name: str
    tags: set[str] = set()
    manager: Optional["User"] = None


class Aliased(pydantic.BaseModel):
    user_id: int = pydantic.Field(alias="userId")


class Secretive(pydantic.BaseModel):
    name: str
    password: str = pydantic.Field(default="", exclude=True)


PRICE = Price(Decimal("9.99"))
PRODUCT = Product("shoe", PRICE, [Price(Decimal(12)), PRICE], {"us": Price(Decimal(11), "USD")})
ADA = User(name="Ada", tags={"a", "b"}, manager=User(name="Grace"))
CASES: list[tuple[Any, Any]] = [
    (Price, PRICE),
    (Product, PRODUCT),
    (Product, dataclasses.replace(PRODUCT, gift=PRICE)),
    (Node, Node("a", Node("b", Node("c")))),
    (Price | None, PRICE),
    (Price | None, None),
    (Optional[Price], PRICE),  # noqa: UP045  # both spellings are meant
    (list[Price], [PRICE, PRICE]),
    (list[Price | None], [PRICE, None]),
    (dict[str, Price], {"a": PRICE}),
    (dict[str, list[Price]], {"a": [PRICE], "b": []}),
    (User, ADA),
    (User | None, None),
    (list[User], [ADA]),
    (Aliased, Aliased(userId=7)),
    (Cacheable[Price] | NoStore[Price], PRICE),
    (int, 7),
    (dict[str, Any], {"a": [1]}),
    (None, None),
]


@pytest.mark.parametrize(("annotation", "value"), CASES, ids=range(len(CASES)))
async def test_values_come_back_as_their_type(
    make_cache: "Make", side: "Side", calls: "Calls", annotation: Any, value: Any
) -> None:
    """What a function says it returns comes back as that: dataclasses and models, nested, in lists and in dicts."""
    load = calls.loader(value)

    def value_of() -> Any:
        return load()

    value_of.__annotations__["return"] = annotation
    function = side.cached(make_cache(negative_ttl=None), value_of)
    results = [await side.value(function.result()) for _ in range(2)]
    assert [(value, type(value))] * 2 == [(each.value, type(each.value)) for each in results]
    assert ["loader", "cache"] == [each.source for each in results]


@pytest.mark.parametrize(
    ("annotation", "returned"),
    [
        (Price, SpecialPrice(Decimal(1))),
        (list[Price], (PRICE,)),
        (list[Price], (price for price in [PRICE])),
        (Price, {"amount": Decimal(1), "currency": "hidden"}),
        (Price, None),
        (list[Price], None),
        (list[Price], [PRICE, "hidden"]),
        (list[Price], 7),
        (dict[str, Price], [PRICE]),
        (Product, dataclasses.replace(PRODUCT, price=cast("Any", "hidden"))),
        (User, Aliased(userId=7)),
        (User, {"name": "hidden"}),
        (Secretive, Secretive(name="a", password="hidden")),
        (User, User.model_construct(name=7)),
        (dict[str, Any], PRICE),
    ],
    ids=range(15),
)
async def test_another_type_is_not_stored(
    faults: "Faults", make_cache: "Make", side: "Side", *, annotation: Any, returned: Any, log: Any
) -> None:
    """What would not come back as it was is returned, not stored, and remarked on by its type alone."""

    def value_of() -> Any:
        return returned

    value_of.__annotations__["return"] = annotation
    cache = make_cache(negative_ttl=None)
    function = side.cached(cache, value_of)
    with cache.observe() as seen:
        answers = [await side.value(function()) for _ in range(2)]
    assert all(answer is returned for answer in answers)
    assert ["get", "get"] == faults.asked
    assert 2 == seen.kinds.count("not_stored")
    [(level, message)] = log()
    assert ("WARNING", True, False) == (level, "returned and not stored" in message, "hidden" in message)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Price, Product),
        (list[Price], Price),
        (list[Price], list[Product]),
        (int, str),
        (dict[str, int], dict[str, str]),
        (User, Aliased),
    ],
    ids=range(6),
)
async def test_a_changed_annotation_is_a_miss(
    make_cache: "Make", side: "Side", *, calls: "Calls", before: Any, after: Any
) -> None:
    """Where a function returns another type than its former version stored, its values are loaded anew."""
    cache = make_cache()

    def value_of() -> Any:
        calls.append(())
        return None

    sources = []
    for annotation in (before, before, after, after):
        value_of.__annotations__["return"] = annotation | None
        function = side.cached(cache, value_of, key="value", negative_ttl=None)
        sources.append((await side.value(function.result())).source)
    assert ["loader", "cache", "loader", "cache"] == sources


def test_a_changed_field_is_another_type() -> None:
    """A dataclass or model whose fields changed has another mark; one that is as it was has the same."""

    def dataclass(kind: object) -> object:
        return dataclasses.make_dataclass("Item", [("size", kind)], namespace={"__module__": __name__})

    def model(kind: Any) -> object:
        return pydantic.create_model("Item", size=(kind, ...), __module__=__name__)

    for make in (dataclass, model):
        assert fingerprint(make(int)) == fingerprint(make(int))
        assert 4 == len({fingerprint(each) for each in (make(int), make(str), list[make(int)], None)})  # type: ignore[misc]  # made here
    assert 0 == fingerprint(None)
    assert fingerprint(Node) == fingerprint(Node) != 0


def unknown() -> "no_such_name":  # type: ignore[name-defined]  # noqa: F821  # a name for checkers alone
    """Return something."""


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, int),
        (Cacheable[int], int),
        (NoStore[int], int),
        (Cacheable[int] | NoStore[int], int),
        (Cacheable[int] | None, int | None),
        (typing.Any, typing.Any),
    ],
    ids=str,
)
def test_wrappers_are_not_part_of_the_type(annotation: Any, expected: object) -> None:
    """The type of a function's values is what callers see."""

    def function() -> None: ...

    function.__annotations__["return"] = annotation
    assert expected == return_type(function)


def test_without_a_type_nothing_is_assumed() -> None:
    """A function that does not say, or says what only a checker knows, has values of no type."""

    def silent():  # type: ignore[no-untyped-def]  # noqa: ANN202  # that is the case
        ...

    assert (None, None) == (return_type(silent), return_type(unknown))


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (dict[str, int], int),
        (Mapping[str, Cacheable[int]], int),
        (dict, None),
        (list[int], None),
        (None, None),
        (int, None),
    ],
    ids=str,
)
def test_the_values_of_a_mapping(annotation: object, expected: object) -> None:
    """The type of a batch's values is that of its mapping's."""
    assert expected == value_type(annotation)


@pytest.mark.parametrize("serializer", [BYTES, TEXT])
def test_other_serializers_are_left_alone(serializer: Any) -> None:
    """Only JSON learns of shapes: a serializer that was chosen is used as it is."""
    assert serializer is serializer_for(serializer, Price)
    assert JSON is serializer_for(JSON, dict[str, int])


def test_another_version_of_a_type_is_no_value() -> None:
    """Bytes that lack a field, or have one too many, or are of another shape, are a ValueError."""
    for annotation in (Price, User, list[Price], dict[str, Price]):
        serializer = serializer_for(JSON, annotation)
        for data in (b"{}", b'{"amount":1,"currency":"","x":1}', b"7", b"[7]", b"null", b'{"a":7}'):
            if (annotation, data) == (dict[str, Price], b"{}"):
                continue
            with pytest.raises(ValueError, match=r"\S"):
                serializer.loads(data)


@pytest.mark.parametrize(
    ("serializer", "value", "other"), [(BYTES, b"\xff\x00", "text"), (TEXT, "naïve", b"bytes")], ids=["bytes", "text"]
)
async def test_bytes_and_text(
    make_cache: "Make", side: "Side", *, serializer: Any, value: Any, other: Any, client: SimpleCacheClient, log: Any
) -> None:
    """BYTES and TEXT store their kind as it is, without a header if asked, and refuse any other."""
    cache = make_cache(serializer=serializer, raw=True)
    assert [value, value] == [await side.get_or_load(cache, "key", lambda: value) for _ in range(2)]
    assert Hit(value if isinstance(value, bytes) else value.encode()) == client.get(cache.name or "", "key")
    assert other == await side.get_or_load(cache, "other", lambda: other)
    assert (False,) == client.keys_exist(cache.name or "", ["other"])
    assert 1 == len(log())
    with pytest.raises(InvalidArgumentError):
        serializer.dumps(other)


def test_lone_surrogates_are_no_text() -> None:
    """Text that UTF-8 cannot encode is refused, and bytes that are none are a ValueError."""
    with pytest.raises(InvalidArgumentError, match="lone surrogates"):
        TEXT.dumps("\ud800")
    with pytest.raises(ValueError, match="utf-8"):
        TEXT.loads(b"\xff")


async def test_a_serializer_that_fails_is_no_trouble(
    make_cache: "Make", side: "Side", calls: "Calls", log: Any
) -> None:
    """A serializer of the user's own that raises what it will costs the storing, not the call."""

    class Broken:
        identity = ord("x")

        def dumps(self, value: Any) -> bytes:
            raise TypeError(value)

        def loads(self, data: bytes) -> Any:
            raise KeyError(data)

    cache = make_cache(serializer=Broken())
    assert ["hidden"] * 2 == [await side.get_or_load(cache, "key", calls.loader("hidden")) for _ in range(2)]
    [(_, message)] = log()
    assert message.endswith("a value of type str could not be serialized (TypeError)")


def test_fields_that_only_a_checker_knows() -> None:
    """A dataclass whose field types cannot be looked up is stored as it is, field by field."""
    strange = dataclasses.make_dataclass("Strange", [("size", "no_such_name")])
    serializer = serializer_for(JSON, strange)
    assert strange(7) == serializer.loads(serializer.dumps(strange(7)))
    assert 0 != fingerprint(strange)
