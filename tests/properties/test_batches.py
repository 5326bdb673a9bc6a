from collections.abc import Sequence

from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.wire import cache_rpcs as rpcs

KEYS = st.binary(max_size=300) | st.text(max_size=80)
LIMITS = st.integers(1, 1_000)
TTLS = st.integers(1_000, 86_400_000)


def encoded(text: str | bytes) -> bytes:
    """Return what is sent of a key or a value."""
    return text.encode() if isinstance(text, str) else text


def check(requests: Sequence[Message], parts: Sequence[Sequence[object]], limit: int) -> None:
    """Check that no part is empty, and that each fits the limit or is a single item, which cannot be cut."""
    for request, part in zip(requests, parts, strict=True):
        assert part
        assert request.ByteSize() <= limit or len(part) == 1


@given(st.lists(KEYS), LIMITS)
def test_gets_are_cut_by_bytes(keys: list[str | bytes], limit: int) -> None:
    """The parts of a batch of gets together ask for every key in order, and each fits a message."""
    requests = rpcs.get_batch_requests(keys, limit)
    assert [encoded(key) for key in keys] == [item.cache_key for request in requests for item in request.items]
    check(requests, [request.items for request in requests], limit)


@given(st.lists(KEYS), LIMITS)
def test_questions_for_keys_are_cut_by_bytes(keys: list[str | bytes], limit: int) -> None:
    """The parts of a question for keys together name every key in order, and each fits a message."""
    requests = rpcs.keys_exist_requests(keys, limit)
    assert [encoded(key) for key in keys] == [key for request in requests for key in request.cache_keys]
    check(requests, [request.cache_keys for request in requests], limit)


@given(st.dictionaries(KEYS, KEYS), TTLS, LIMITS, st.data())
def test_sets_are_cut_by_bytes(
    items: dict[str | bytes, str | bytes], ttl_ms: int, limit: int, data: st.DataObject
) -> None:
    """The parts of a batch of sets together store every item in order, for its own time, and each fits a message."""
    own = data.draw(st.dictionaries(st.sampled_from(sorted(items, key=encoded)), TTLS)) if items else {}
    requests = rpcs.set_batch_requests(items, ttl_ms, {key: ms / 1000 for key, ms in own.items()}, limit)
    # The last word on a key counts, in whichever form it was said.
    own_encoded = {encoded(key): ms for key, ms in own.items()}
    expected = [(encoded(key), encoded(value), own_encoded.get(encoded(key), ttl_ms)) for key, value in items.items()]
    assert expected == [
        (item.cache_key, item.cache_body, item.ttl_milliseconds) for request in requests for item in request.items
    ]
    check(requests, [request.items for request in requests], limit)


@given(st.lists(st.binary(max_size=300), min_size=1), st.integers(0, 1_000))
def test_what_fits_is_not_cut(keys: list[bytes], room: int) -> None:
    """Keys that fit a message, with forty bytes for each beside its own, go in one."""
    limit = sum(len(key) + 40 for key in keys) + room
    assert [len(keys)] == [len(request.items) for request in rpcs.get_batch_requests(keys, limit)]
