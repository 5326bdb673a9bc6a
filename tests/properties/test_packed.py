from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire.packed import pack, unpack

LARGEST = 64 * 1024
SIZES = st.lists(st.integers(0, 300) | st.integers(0, 2 * LARGEST), max_size=300)


def replies_of(sizes: list[int]) -> list[pb.GetResponse]:
    """Return hits with values of these sizes, which can be told apart, and a miss for each size of nothing."""
    return [
        pb.GetResponse(result=pb.HIT, cache_body=bytes([index % 256]) * size)
        if size
        else pb.GetResponse(result=pb.MISS)
        for index, size in enumerate(sizes)
    ]


@given(SIZES)
def test_what_is_packed_is_unpacked(sizes: list[int]) -> None:
    """Replies come out of their messages as they went in: each, in order, and nothing else."""
    replies = replies_of(sizes)
    assert replies == unpack(pack(replies))


@given(SIZES)
def test_messages_are_neither_small_nor_large(sizes: list[int]) -> None:
    """A message holds several replies only as far as they fit, and no reply that would have fitted begins another."""
    messages = list(pack(replies_of(sizes)))
    held = [[reply.ByteSize() for reply in unpack([message])] for message in messages]
    assert all(sum(within) <= LARGEST for within in held if len(within) > 1)
    assert all(sum(within) + following[0] > LARGEST for within, following in pairwise(held))


@given(SIZES)
def test_replies_are_taken_when_they_are_sent(sizes: list[int]) -> None:
    """No more replies are made than the message at hand holds and the one after it begins with."""
    taken = 0

    def take() -> Iterator[pb.GetResponse]:
        nonlocal taken
        for reply in replies_of(sizes):
            taken += 1
            yield reply

    sent = 0
    for message in pack(take()):
        sent += len(unpack([message]))
        assert taken <= sent + 1


@given(st.integers(0, 100))
def test_replies_that_came_one_by_one_stay_as_they_are(count: int) -> None:
    """What a server sends that packs nothing reads the same."""
    stored = [pb.SetResponse(result=pb.OK)] * count
    assert stored == unpack(stored)
