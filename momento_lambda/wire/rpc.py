"""One remote procedure: its path, its messages, and what may be done with it."""

from typing import Generic, TypeVar, final

from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)
Reply = TypeVar("Reply", bound=Message)


@final
class Rpc(Generic[Request, Reply]):
    """One remote procedure.

    Attributes:
        path: The method path on the wire.
        request: The type of the one message sent.
        reply: The type of the message received, or of each one where replies stream.
        streams: Whether the server answers with a stream.
        repeatable: Whether sending it twice does the same as sending it once, so that a failed attempt may be
            followed by another.
    """

    __slots__ = ("path", "repeatable", "reply", "request", "streams")

    def __init__(
        self,
        path: str,
        request: type[Request],
        reply: type[Reply],
        *,
        streams: bool = False,
        repeatable: bool = False,
    ) -> None:
        self.path = path
        self.request = request
        self.reply = reply
        self.streams = streams
        self.repeatable = repeatable

    @property
    def service(self) -> str:
        """The service's full name, as in `cache_client.Scs`."""
        return self.path.split("/")[1]

    @property
    def name(self) -> str:
        """The procedure's own name, as in `GetBatch`."""
        return self.path.split("/")[2]

    def __repr__(self) -> str:
        return f"Rpc({self.path!r})"
