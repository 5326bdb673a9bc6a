"""Several replies of a batch in one message, for a caller that says that it can read that.

The public protocol has a message for each item of a batch, and to send and receive one takes longer than all else that
is done for the item. A caller that sends `PACKED_REPLIES` lets the server put replies together; a server that does not
know it, such as the hosted one, passes over it, and to a caller that does not send it nothing changes.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from momento_lambda.wire import cache_pb2 as pb

PACKED_REPLIES: Final = ("momento-lambda-packed-replies", "1")
"""The header by which a caller says that it can read several replies from one message."""

_LARGEST_BYTES: Final = 64 * 1024

Reply = TypeVar("Reply", pb.GetResponse, pb.SetResponse)


def pack(replies: Iterable[Reply]) -> Iterator[Reply]:
    """Yield messages that hold the replies in their order, each about as large as is good to send at once.

    No more replies are taken than the next message holds. One that is large is a message of its own.
    """
    run: list[Reply] = []
    room = _LARGEST_BYTES
    for reply in replies:
        size = reply.ByteSize()
        if size > room and run:
            yield _together(run)
            run, room = [], _LARGEST_BYTES
        run.append(reply)
        room -= size
    if run:
        yield _together(run)


def unpack(messages: Iterable[Reply]) -> list[Reply]:
    """Return the replies that messages hold, in their order, whether the server put them together or not."""
    replies: list[Reply] = []
    for message in messages:
        if message.packed:
            replies += message.packed
        else:
            replies.append(message)
    return replies


def _together(run: list[Reply]) -> Reply:
    return run[0] if len(run) == 1 else type(run[0])(packed=run)
