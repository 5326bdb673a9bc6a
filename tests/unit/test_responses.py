import copy
import itertools
import pickle
from datetime import UTC, datetime
from typing import assert_never

import pytest

from momento_lambda.responses import (
    ALREADY_EXISTS,
    CREATED,
    MISS,
    NOT_STORED,
    STORED,
    AlreadyExists,
    CacheInfo,
    CachePage,
    CreateCacheResponse,
    Created,
    DisposableToken,
    GetResponse,
    Hit,
    Miss,
    NewSigningKey,
    NotStored,
    SetIfResponse,
    SigningKeyInfo,
    Stored,
    TtlUpdate,
)

PAGE = CachePage((CacheInfo("users"), CacheInfo("orders")), "next")
MOMENT = datetime(2033, 5, 18, tzinfo=UTC)
VALUES = [
    Hit(b"123"),
    MISS,
    STORED,
    NOT_STORED,
    CREATED,
    ALREADY_EXISTS,
    CacheInfo("users"),
    PAGE,
    DisposableToken("secret", MOMENT),
    NewSigningKey("id", "secret", MOMENT),
    SigningKeyInfo("id", None),
]
EVERY_VALUE = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


@EVERY_VALUE
def test_nothing_can_be_set(value: object) -> None:
    """No attribute can be set, be it one that the value has, one that it has not, or its class."""
    for name in (*type(value).__slots__, "surprise", "__class__"):  # type: ignore[attr-defined]  # all have slots
        with pytest.raises(AttributeError, match=rf"immutable: '{name}' cannot be set"):
            setattr(value, name, Miss)


@EVERY_VALUE
def test_nothing_can_be_deleted(value: object) -> None:
    """No attribute can be deleted."""
    for name in (*type(value).__slots__, "surprise"):  # type: ignore[attr-defined]  # all have slots
        with pytest.raises(AttributeError, match=rf"immutable: '{name}' cannot be deleted"):
            delattr(value, name)


@EVERY_VALUE
def test_no_room_for_more(value: object) -> None:
    """A value has no dictionary: what it holds is what its class names."""
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Hit(b"123"), Hit(b"123")),
        (Miss(), MISS),
        (Stored(), STORED),
        (NotStored(), NOT_STORED),
        (Created(), CREATED),
        (AlreadyExists(), ALREADY_EXISTS),
        (CacheInfo("users"), CacheInfo("users")),
        (CachePage((CacheInfo("users"),), None), CachePage((CacheInfo("users"),), None)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_equal_values_are_one_in_a_set(one: object, other: object) -> None:
    """Values that hold the same are equal and hash alike."""
    assert one == other
    assert len({one, other}) == 1


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(VALUES, 2)))
def test_kinds_are_never_equal(one: object, other: object) -> None:
    """A value of one kind equals none of another, although both may be empty."""
    assert one != other


@pytest.mark.parametrize(
    ("value", "lookalike"),
    [
        (Hit(b"123"), b"123"),
        (Hit(b"123"), (b"123",)),
        (Hit(b"123"), Hit(b"124")),
        (MISS, None),
        (MISS, ()),
        (CacheInfo("users"), "users"),
        (CacheInfo("users"), CacheInfo("orders")),
        (PAGE, (PAGE.caches, PAGE.next_token)),
        (PAGE, CachePage(PAGE.caches, None)),
        (PAGE, CachePage((), PAGE.next_token)),
    ],
)
def test_lookalikes_are_not_equal(value: object, lookalike: object) -> None:
    """A value equals neither what it holds, nor a tuple of it, nor its own kind with other content."""
    assert value != lookalike
    assert lookalike != value


@EVERY_VALUE
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(value: object, protocol: int) -> None:
    """A value comes out of pickle as it went in, whatever the protocol."""
    assert value == pickle.loads(pickle.dumps(value, protocol))  # noqa: S301  # our own bytes


@EVERY_VALUE
def test_copies(value: object) -> None:
    """A copy, shallow or deep, is equal."""
    assert [value, value] == [copy.copy(value), copy.deepcopy(value)]


def test_a_hit_does_not_show_its_value() -> None:
    """What the cache held is in no representation, and so in no log, that of a container included."""
    hit = Hit(b"s3cret-s3cret")
    shown = "Hit(<13 bytes>)"
    assert [shown, shown, f"[{shown}]"] == [repr(hit), str(hit), str([hit])]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (MISS, "Miss()"),
        (STORED, "Stored()"),
        (CacheInfo("users"), "CacheInfo(name='users')"),
        (CachePage((), None), "CachePage(caches=(), next_token=None)"),
    ],
)
def test_representation_is_how_to_make_it(value: object, shown: str) -> None:
    """Every other value prints as the expression that makes it."""
    assert shown == repr(value)


@pytest.mark.parametrize(("stored", "text"), [(b"123", "123"), (b"", ""), ("größe".encode(), "größe")])
def test_value_string_is_the_text(stored: bytes, text: str) -> None:
    """`value_string` is the stored value decoded as UTF-8, beside `value_bytes` as it was stored."""
    hit = Hit(stored)
    assert (text, stored) == (hit.value_string, hit.value_bytes)


def test_value_string_refuses_what_is_not_text() -> None:
    """A value that is not UTF-8 raises rather than change on its way."""
    with pytest.raises(UnicodeDecodeError):
        _ = Hit(b"\xff").value_string


def told(answer: GetResponse | SetIfResponse | CreateCacheResponse | TtlUpdate) -> str:  # noqa: PLR0911  # one a case
    """Take an answer apart as callers do; a type checker sees that no case is left."""
    match answer:
        case Hit(value):
            return f"hit of {len(value)}"
        case Miss():
            return "miss"
        case Stored():
            return "stored"
        case NotStored():
            return "not stored"
        case Created():
            return "created"
        case AlreadyExists():
            return "exists"
        case TtlUpdate.SET | TtlUpdate.NOT_SET | TtlUpdate.MISSING:
            return answer.value
        case _:
            assert_never(answer)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Hit(b"123"), "hit of 3"),
        (MISS, "miss"),
        (STORED, "stored"),
        (NOT_STORED, "not stored"),
        (CREATED, "created"),
        (ALREADY_EXISTS, "exists"),
        (TtlUpdate.SET, "set"),
        (TtlUpdate.NOT_SET, "not_set"),
        (TtlUpdate.MISSING, "missing"),
    ],
)
def test_match_takes_every_answer_apart(
    answer: GetResponse | SetIfResponse | CreateCacheResponse | TtlUpdate, expected: str
) -> None:
    """A match statement over the union reaches the case of every answer."""
    assert expected == told(answer)


def test_pages_match_by_position() -> None:
    """A page and its caches can be taken apart in one pattern."""
    match PAGE:
        case CachePage((CacheInfo(first), *_), token):
            assert (PAGE.caches[0].name, PAGE.next_token) == (first, token)
        case _:
            pytest.fail("no match")


@EVERY_VALUE
def test_secrets_are_in_no_representation(value: object) -> None:
    """What somebody else could use is not shown; what it is for, and until when, is."""
    assert "secret" not in f"{value!r} {value}"


def test_what_is_issued_is_taken_apart() -> None:
    """Each part is matched by its place, in the order in which it is given."""
    match NewSigningKey("id", "key", MOMENT), DisposableToken("token", MOMENT), SigningKeyInfo("id", MOMENT):
        case NewSigningKey("id", "key", one), DisposableToken("token", two), SigningKeyInfo("id", three):
            assert [MOMENT] * 3 == [one, two, three]
        case _:
            pytest.fail("a part is not where it was put")
