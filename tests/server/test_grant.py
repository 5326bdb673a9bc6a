import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.errors import PermissionDeniedError
from momento_lambda.permissions import Permission, Right
from momento_lambda.server.grant import Grant

READ, WRITE = Right.READ, Right.WRITE
FOREVER = float("inf")

NAMES = st.text("ab", max_size=3).map(str.encode)
RIGHTS = st.sampled_from([READ, WRITE, READ | WRITE])
PERMISSIONS = st.lists(
    st.builds(Permission, RIGHTS, st.sampled_from([None, "one", "two"]), NAMES, st.booleans()), min_size=1, max_size=4
).map(tuple)
GRANTS = st.builds(Grant, st.none() | PERMISSIONS, st.just(FOREVER))


def grant(*permissions: str) -> Grant:
    """Return what a token with these permissions stands for."""
    return Grant(tuple(map(Permission.parse, permissions)), FOREVER)


def allows(granted: Grant, right: Right, cache: str, key: bytes) -> bool:
    """Say what a grant allows, in the plainest words."""
    return granted.permissions is None or any(
        right in permission.rights
        and permission.cache in (None, cache)
        and (key == permission.name or (permission.prefix and key[: len(permission.name)] == permission.name))
        for permission in granted.permissions
    )


def admits(granted: Grant, rights: Right, cache: str, keys: list[bytes]) -> bool:
    """Ask as the server does, of the cache first and then of keys where that is not enough."""
    try:
        if not granted.covers(rights, cache):
            granted.check_keys(rights, cache, keys)
    except PermissionDeniedError:
        return False
    return True


class TestItems:
    @given(GRANTS, RIGHTS, st.sampled_from(["one", "two", ""]), st.lists(NAMES, min_size=1, max_size=4))
    def test_against_a_model(self, granted: Grant, rights: Right, cache: str, keys: list[bytes]) -> None:
        """A call is admitted if and only if each right it needs is allowed for each of its keys."""
        expected = all(allows(granted, right, cache, key) for right in rights for key in keys)
        assert expected == admits(granted, rights, cache, keys)

    @pytest.mark.parametrize(
        ("permissions", "admitted"),
        [
            (("read:cache",), True),
            (("read:*/k*",), True),
            (("read:cache/key",), True),
            (("write:cache",), False),
            (("read:other",), False),
        ],
    )
    def test_no_keys(self, permissions: tuple[str, ...], admitted: bool) -> None:  # noqa: FBT001  # a column of the table
        """A batch of nothing is for those who may do something of its kind in the cache."""
        assert admitted == admits(grant(*permissions), READ, "cache", [])

    def test_rights_from_several_permissions_add_up(self) -> None:
        """What needs reading and writing may have each from another permission."""
        both = grant("read:cache/k*", "write:cache/key")
        assert admits(both, READ | WRITE, "cache", [b"key"])
        assert not admits(both, READ | WRITE, "cache", [b"kiss"])

    def test_the_words_tell_which_key_and_not_what_it_is(self) -> None:
        """A key may be a secret, so it is counted out."""
        with pytest.raises(PermissionDeniedError, match="writing the key that is number 2 of 3") as caught:
            grant("write:cache/a*").check_keys(WRITE, "cache", [b"a1", b"secret", b"other"])
        assert "secret" not in caught.value.message


class TestGiving:
    @given(GRANTS, PERMISSIONS, RIGHTS, st.sampled_from(["one", "two", "three"]), NAMES)
    def test_nobody_gives_more_than_they_have(
        self, giver: Grant, given_away: tuple[Permission, ...], right: Right, cache: str, key: bytes
    ) -> None:
        """Whatever a token made by another allows, that other allowed."""
        try:
            giver.check_giving(given_away)
        except PermissionDeniedError:
            return
        for one in right:
            assert not allows(Grant(given_away, FOREVER), one, cache, key) or allows(giver, one, cache, key)

    @pytest.mark.parametrize(
        ("own", "wanted", "given"),
        [
            (("read-write:*",), ("read:cache/key", "write:other"), True),
            (("read:cache", "write:cache"), ("read-write:cache/k*",), True),
            (("read:cache/k*",), ("read:cache/key", "read:cache/k"), True),
            (("read:cache/k*",), ("read:cache",), False),
            (("read:cache",), ("read:*",), False),
            (("read:cache",), ("write:cache",), False),
            (("read:cache",), ("subscribe:cache",), False),
            (("publish:cache",), ("publish:cache/topic",), True),
            (("read:cache/key",), ("read:cache/key*",), False),
        ],
    )
    def test_table(self, own: tuple[str, ...], wanted: tuple[str, ...], given: bool) -> None:  # noqa: FBT001  # a column
        """Each right of each permission must lie within one of the giver's."""
        permissions = tuple(map(Permission.parse, wanted))
        if given:
            grant(*own).check_giving(permissions)
        else:
            with pytest.raises(PermissionDeniedError, match="permission number"):
                grant(*own).check_giving(permissions)


def test_everything_is_more_than_all_permissions_together() -> None:
    """Caches, tokens and keys are for those whose token has no bounds."""
    Grant(None, FOREVER).check_everything()
    with pytest.raises(PermissionDeniedError, match="signing keys"):
        grant("read-write:*", "publish-subscribe:*").check_everything()
