import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from momento_lambda.caching.keys import MAX_READABLE_BYTES, escape, shorten
from momento_lambda.errors import InvalidArgumentError


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
