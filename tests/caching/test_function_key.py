import functools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.caching.function_key import FunctionKey, KeyTemplate
from momento_lambda.errors import InvalidArgumentError


def lookup(user: object, region: object = "eu", *rest: object, verbose: bool = False, **more: object) -> None:
    """Stand for a function with every kind of parameter."""


def other(user: object, region: object = "eu", *rest: object, verbose: bool = False, **more: object) -> None:
    """Stand for another function alike."""


def pair(one: object, two: object) -> None:
    """Stand for a function of two."""


def nothing() -> None:
    """Stand for a function of nothing."""


class Repository:
    def get(self, user: int) -> None:
        """Stand for a method of an object that does not say what it stands for."""


class Tenant:
    def __init__(self, name: str) -> None:
        self.name = name

    def __cache_key__(self) -> str:
        return self.name

    def get(self, user: int) -> None:
        """Stand for a method of an object that says what it stands for."""


class SpecialTenant(Tenant):
    pass


def key(function: Callable[..., Any], *, prefix: str = "", template: str | None = None, ignore: Any = ()) -> Any:
    """Return the key of a function's calls."""
    return FunctionKey(function, prefix=prefix, template=template, ignore=ignore)


@pytest.mark.parametrize(
    "call",
    [
        lambda of: of("a", "eu"),
        lambda of: of("a", region="eu"),
        lambda of: of(user="a", region="eu"),
        lambda of: of(region="eu", user="a"),
        lambda of: of("a", verbose=False),
    ],
    ids=["position", "mixed", "name", "order", "default"],
)
def test_every_spelling_is_one_key(call: Callable[[FunctionKey], str]) -> None:
    """By position, by name, in any order, or left to the default: one call is one key."""
    of = key(lookup)
    assert of("a") == call(of)


def test_different_calls_are_different_keys() -> None:
    """Whatever is passed, and wherever, is told apart."""
    of = key(lookup)
    calls = [
        of("a"),
        of("a", "us"),
        of("a", "eu", "more"),
        of("a", "eu", ("more",)),
        of("a", "eu", "more", "still"),
        of("a", verbose=True),
        of("a", extra="a"),
        of("a", extra=None),
        of("a", other="a"),
        of(None),
        of(""),
        of(["a:b"]),
        of(["a", "b"]),
        of("a,region=s2:eu"),
    ]
    assert len(calls) == len(set(calls))


ARGUMENT = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.lists(st.text()))


@given(st.tuples(ARGUMENT, ARGUMENT), st.tuples(ARGUMENT, ARGUMENT))
def test_no_arguments_forge_others(one: tuple[object, object], two: tuple[object, object]) -> None:
    """Two calls make one key exactly where their arguments are the same in kind and content."""
    assert (repr(one) == repr(two)) == (key(pair)(*one) == key(pair)(*two))


@pytest.mark.parametrize("prefix", ["", "tenant:v1:"])
def test_keys_begin_with_prefix_and_function(prefix: str) -> None:
    """A short key is readable: prefix, function, arguments with their types."""
    name = f"{__name__}.pair".replace(":", "%3A")
    assert f"{prefix}{name}:one=i1;,two=s1:b" == key(pair, prefix=prefix)(1, "b")


def test_functions_do_not_share_keys() -> None:
    """Two functions with the same arguments have two keys, also with none."""
    assert key(lookup)("a") != key(other)("a")
    assert f"{__name__}.nothing:" == key(nothing)()


def test_calls_that_cannot_be_are_type_errors() -> None:
    """A call that the function would refuse is refused alike."""
    with pytest.raises(TypeError, match=r"^lookup\(\) missing 1 required positional argument: 'user'$"):
        key(lookup)()


def test_the_wrapped_signature_counts() -> None:
    """A decorated function is known by its own name and parameters."""

    @functools.wraps(pair)
    def wrapper(*args: object, **kwargs: object) -> None:
        """Stand for any decorator."""

    assert key(pair)(1, two=2) == key(wrapper)(1, 2)


def test_lambdas_are_refused_without_a_template() -> None:
    """All lambdas of a module have one name, so one would answer for another."""
    with pytest.raises(InvalidArgumentError, match=r"give it a key= template, or use def"):
        key(lambda user: user)
    assert "user:7" == key(lambda user: user, template="user:{user}")("7")


def test_self_needs_a_key() -> None:
    """A method of an object that says nothing of itself is refused when called, with the fixes."""
    with pytest.raises(InvalidArgumentError, match=r"the argument 'self'.*Repository.*key= template.*__cache_key__"):
        key(Repository.get)(Repository(), 1)
    assert "user:~i1;" == key(Repository.get, template="user:{user}")(Repository(), 1)
    assert key(Repository.get, ignore=["self"])(Repository(), 1) == key(Repository.get, ignore=["self"])(object(), 1)


def test_self_is_part_of_the_key() -> None:
    """Methods are told apart by what their object says it stands for, and by its class."""
    of = key(Tenant.get)
    keys = [of(Tenant("a"), 1), of(Tenant("b"), 1), of(SpecialTenant("a"), 1), of(Tenant("a"), 2)]
    assert 4 == len(set(keys))
    assert keys[0] == of(Tenant("a"), user=1)


def test_ignored_parameters_do_not_count() -> None:
    """Calls that differ in ignored parameters alone are one key, and what is ignored may be anything."""
    of = key(lookup, ignore=["verbose", "rest", "more"])
    assert of("a") == of("a", "eu", object(), verbose=object(), connection=object())
    assert of("a") != of("b")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"template": "user:{usr}"}, r"'user:\{usr\}' names 'usr', which is no parameter: there are one, two"),
        ({"template": "user:{}"}, r"names '', which is no parameter"),
        ({"template": "user:{0}"}, r"plain names alone"),
        ({"template": "user:{one.name}"}, r"plain names alone"),
        ({"template": "user:{one[0]}"}, r"plain names alone"),
        ({"template": "user:{one!r}"}, r"plain names alone"),
        ({"template": "user:{one:>9}"}, r"plain names alone"),
        ({"template": "user:{one"}, r"is malformed"),
        ({"template": "user:one}"}, r"is malformed"),
        ({"template": "{one}{two}"}, r"needs a separator between names"),
        ({"template": "{one}x{two}"}, r"needs a separator between names"),
        ({"template": "{one}~{two}"}, r"needs a separator between names"),
        ({"template": "{one}%{two}"}, r"needs a separator between names"),
        ({"ignore": ["tow"]}, r"ignore names 'tow', which is no parameter: there are one, two"),
    ],
)
def test_slips_are_named_when_decorating(options: dict[str, Any], message: str) -> None:
    """A template or `ignore` that cannot be meant is refused before any call, and the message says what would do."""
    with pytest.raises(InvalidArgumentError, match=message):
        key(pair, **options)


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("user:{a}", {"a": "7"}, "user:7"),
        ("user:{a}", {"a": 7}, "user:~i7;"),
        ("user:{a}", {"a": "~i7;"}, "user:%7Ei7;"),
        ("user:{a}", {"a": True}, "user:~b1"),
        ("user:{a}", {"a": None}, "user:~n"),
        ("user:{a}", {"a": "None"}, "user:None"),
        ("user:{a}", {"a": ""}, "user:"),
        ("{a}:{b}", {"a": "x:y", "b": "z"}, "x%3Ay:z"),
        ("{a}-{b}", {"a": "eu-west", "b": "1"}, "eu%2Dwest-1"),
        ("{a}-{b}", {"a": "eu", "b": ["1"]}, "eu-~[s1%3A1]"),
        ("{{{a}}}/{b}{{", {"a": "x}/y", "b": "z"}, "{x%7D%2Fy}/z{"),
        ("{a}", {"a": "naïve / café 漢"}, "naïve / café 漢"),
        ("{a}", {"a": "two\nlines"}, "two%0Alines"),
        ("{a}:{a}", {"a": "x"}, "x:x"),
        ("constant", {}, "constant"),
    ],
)
def test_templates(template: str, values: dict[str, object], expected: str) -> None:
    """Text stands as it is, without whatever could pass for the template's own; anything else says its type."""
    assert expected == KeyTemplate(template).fill(values)


TEMPLATES = ["{a}:{b}", "x{a}-{b}", "{a} {b}", "{a}/x/{b}:", "{a}é({b})", "{a},{b}~{{", "{a}_{b}"]
VALUE = st.one_of(
    st.text(), st.text("ab:-/ ~%,()é_x0123456789{}"), st.integers(), st.none(), st.lists(st.text("a:-,_"))
)


@pytest.mark.parametrize("template", TEMPLATES)
@given(one=st.tuples(VALUE, VALUE), two=st.tuples(VALUE, VALUE))
def test_no_values_forge_others(template: str, one: tuple[object, object], two: tuple[object, object]) -> None:
    """Whatever stands between two names, no value can pass for it: keys are equal where all values are."""
    keys = [KeyTemplate(template).fill({"a": values[0], "b": values[1]}) for values in (one, two)]
    assert (repr(one) == repr(two)) == (keys[0] == keys[1])


def test_long_values_are_shortened() -> None:
    """Keys stay short and distinct, whatever is passed."""
    by_name, by_template = key(pair), key(pair, template="{one}:{two}")
    for of in (by_name, by_template):
        keys = [of("x" * size, "y") for size in (1_000, 1_001)]
        assert 2 == len(set(keys))
        assert all(len(text.encode()) <= 215 for text in keys)


def test_unusable_values_name_their_parameter() -> None:
    """In a template too, a value without identity is refused by the name of its parameter."""
    with pytest.raises(InvalidArgumentError, match="the argument 'two' cannot be part of a cache key"):
        key(pair, template="{one}:{two}")("a", object())
