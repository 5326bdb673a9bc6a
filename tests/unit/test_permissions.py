import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda import InvalidArgumentError, Permission
from momento_lambda.permissions import Right, permissions_of

READ, WRITE = Right.READ, Right.WRITE

WRITTEN = [
    ("read:users-cache", Permission(READ, "users-cache", b"", prefix=True)),
    ("write:users-cache", Permission(WRITE, "users-cache", b"", prefix=True)),
    ("read-write:*", Permission(READ | WRITE, None, b"", prefix=True)),
    ("read:users-cache/profile:*", Permission(READ, "users-cache", b"profile:", prefix=True)),
    ("read:users-cache/profile:7", Permission(READ, "users-cache", b"profile:7", prefix=False)),
    ("read:users-cache/", Permission(READ, "users-cache", b"", prefix=False)),
    ("read:*/a/b:c", Permission(READ, None, b"a/b:c", prefix=False)),
    ("read:%2A", Permission(READ, "*", b"", prefix=True)),
    ("read:a%2Fb%20c/%2A", Permission(READ, "a/b c", b"*", prefix=False)),
    ("read:cache/%25%2A*", Permission(READ, "cache", b"%*", prefix=True)),
    ("read:cache/%FF%00", Permission(READ, "cache", b"\xff\x00", prefix=False)),
    ("subscribe:chat/room-*", Permission(Right.SUBSCRIBE, "chat", b"room-", prefix=True)),
    ("publish:chat", Permission(Right.PUBLISH, "chat", b"", prefix=True)),
    ("publish-subscribe:*/news", Permission(Right.PUBLISH | Right.SUBSCRIBE, None, b"news", prefix=False)),
]

ALSO_READ = [
    ("read:cache/*", "read:cache"),
    ("read:cache/naïve key", "read:cache/na%C3%AFve%20key"),
    ("read:my cache", "read:my%20cache"),
    ("read:%63ache/%6bey", "read:cache/key"),
]

REFUSED = {
    "": "does not begin with",
    "read": "does not begin with",
    "users-cache": "does not begin with",
    "READ:cache": "does not begin with",
    "read,write:cache": "does not begin with",
    "control:cache": "does not begin with",
    ":cache": "does not begin with",
    " read:cache": "does not begin with",
    "read:": "names no cache",
    "read:/key": "names no cache",
    "read:**": "stands for itself",
    "read:cache*": "stands for itself",
    "read:*cache": "stands for itself",
    "read:cache/*key": "stands for itself",
    "read:cache/a*b*": "stands for itself",
    "read:cache/100%": "stands for itself",
    "read:cache/%4": "stands for itself",
    "read:cache/%zz": "stands for itself",
    "read:na\u00efve": "a cache that cannot be",
    "read:%FF": "a cache that cannot be",
    "read:cache/\ud800": "stands for itself",
}

RIGHTS = st.sampled_from([READ, WRITE, READ | WRITE, Right.SUBSCRIBE, Right.PUBLISH, Right.PUBLISH | Right.SUBSCRIBE])
CACHES = st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=8)
NAMES = st.binary(max_size=8)
PERMISSIONS = st.builds(Permission, RIGHTS, CACHES, NAMES, st.booleans())
# So few that permissions and what is asked often meet.
NEAR_NAMES = st.text("ab", max_size=3).map(str.encode)
NEAR_PERMISSIONS = st.builds(Permission, RIGHTS, st.sampled_from([None, "one", "two"]), NEAR_NAMES, st.booleans())


class TestText:
    @pytest.mark.parametrize(("text", "permission"), WRITTEN)
    def test_one_of_each_form(self, text: str, permission: Permission) -> None:
        """Each form reads as its value, and the value is written in this form."""
        assert permission == Permission.parse(text)
        assert text == str(permission)

    @pytest.mark.parametrize(("text", "plain"), ALSO_READ)
    def test_other_spellings(self, text: str, plain: str) -> None:
        """Whatever can be written in several ways is read from each, and written in one."""
        assert plain == str(Permission.parse(text))

    @pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=map(ascii, REFUSED))
    def test_refused(self, text: str, reason: str) -> None:
        """What is no permission is refused, in words that say why and show how one looks."""
        with pytest.raises(InvalidArgumentError, match=reason) as caught:
            Permission.parse(text)
        assert "read:users-cache" in caught.value.message
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    def test_a_long_text_is_not_shown(self) -> None:
        """It may be a secret in the wrong place."""
        with pytest.raises(InvalidArgumentError) as caught:
            Permission.parse("secret" * 20)
        assert "secret" not in caught.value.message
        assert "120 characters" in caught.value.message

    @given(PERMISSIONS)
    def test_round_trip(self, permission: Permission) -> None:
        """Whatever a permission is for, its text reads as the same, and is printable ASCII without spaces."""
        text = str(permission)
        assert permission == Permission.parse(text)
        assert re.fullmatch(r"[!-~]+", text)

    @given(st.text(max_size=30) | st.from_regex(r"read:[a*%/ ]{0,8}", fullmatch=True))
    def test_anything_else_is_refused(self, text: str) -> None:
        """Any text is a permission that reads back as itself, or refused; nothing else is raised."""
        try:
            permission = Permission.parse(text)
        except InvalidArgumentError:
            return
        assert permission == Permission.parse(str(permission))


class TestValues:
    def test_each_way_to_make_one(self) -> None:
        """Names are taken as they are, so that nothing in them opens more than was meant."""
        assert Permission.parse("read:users-cache") == Permission.read("users-cache")
        assert Permission.parse("write:users-cache/user:*") == Permission.write("users-cache", prefix="user:")
        assert Permission.parse("read-write:users-cache/%2A") == Permission.read_write("users-cache", key="*")
        assert Permission.parse("read:%2A/%FF") == Permission.read("*", key=b"\xff")
        assert Permission.parse("read:users-cache/") == Permission.read("users-cache", key="")

    @pytest.mark.parametrize(
        ("cache", "names", "reason"),
        [
            ("", {}, "names no cache"),
            ("naïve", {}, "names no cache"),
            ("cache", {"key": "k", "prefix": "p"}, "one of the two"),
            ("cache", {"key": "\ud800"}, "surrogates"),
        ],
    )
    def test_refused(self, cache: str, names: dict[str, Any], reason: str) -> None:
        """What cannot be meant is refused."""
        with pytest.raises(InvalidArgumentError, match=reason):
            Permission.read(cache, **names)

    def test_one_or_several(self) -> None:
        """Permissions are given alone or together, as values or as text, and never none."""
        one = Permission.read("cache")
        assert (one,) == permissions_of(one) == permissions_of("read:cache") == permissions_of([one])
        assert (one, one) == permissions_of(["read:cache", one])
        with pytest.raises(InvalidArgumentError, match="no permission is given"):
            permissions_of([])


class TestMeaning:
    @given(NEAR_PERMISSIONS, st.sampled_from(["one", "two"]), NEAR_NAMES, st.sampled_from(list(Right)))
    def test_what_it_allows(self, permission: Permission, cache: str, name: bytes, right: Right) -> None:
        """It allows its rights, in its cache, on the names that its text spells out or begins."""
        spelled = re.escape(permission.name) + (b".*" if permission.prefix else b"")
        expected = (
            bool(right & permission.rights)
            and permission.cache in (None, cache)
            and re.fullmatch(spelled, name, re.DOTALL) is not None
        )
        assert expected == (permission.concerns(right, cache) and permission.matches(name))

    @given(NEAR_PERMISSIONS, NEAR_PERMISSIONS, st.sampled_from(["one", "two", "three"]), NEAR_NAMES)
    def test_what_includes_another_matches_all_that_it_does(
        self, wide: Permission, narrow: Permission, cache: str, name: bytes
    ) -> None:
        """One that includes another is for every item that the other is for."""
        in_narrow = narrow.cache in (None, cache) and narrow.matches(name)
        in_wide = wide.cache in (None, cache) and wide.matches(name)
        assert not wide.includes(narrow) or not in_narrow or in_wide

    @given(NEAR_PERMISSIONS, NEAR_NAMES)
    def test_what_is_narrowed_is_included(self, permission: Permission, rest: bytes) -> None:
        """Each includes itself, its cache alone, and below a prefix every key and longer prefix."""
        assert permission.includes(permission)
        assert permission.includes(permission._replace(cache=permission.cache or "one"))
        for prefix in (True, False):
            longer = permission._replace(name=permission.name + rest, prefix=prefix)
            assert permission.includes(longer) == (permission.prefix or (not rest and not prefix))
