"""A name that leads to an address until it leads to another."""

import socket
import struct
import threading
from types import TracebackType
from typing import Final, final

NAME: Final = "cache.test"

_HEADER = struct.Struct("!6H")
_QUESTION_ENDS = struct.Struct("!HH")
_RESPONSE = 0x8180
_ADDRESS = 1
_TO_THE_QUESTION = 0xC00C
_SECONDS = 1
_LONGEST_QUERY = 512


@final
class NameServer:
    """Answers every question for an IPv4 address with the same one, over UDP on this machine. A context manager.

    Attributes:
        address: What it answers; it may be changed.

    Args:
        address: What it answers at first.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def host(self) -> str:
        """The name as gRPC is told to look it up here."""
        return "dns://{}:{}/{}".format(*self._socket.getsockname(), NAME)

    def __enter__(self) -> "NameServer":
        self._socket.bind(("127.0.0.1", 0))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Empty: what it takes for its end.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as teller:
            teller.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, peer = self._socket.recvfrom(_LONGEST_QUERY)
            if not query:
                return
            self._socket.sendto(self._answer(query), peer)

    def _answer(self, query: bytes) -> bytes:
        number, *_ = _HEADER.unpack_from(query)
        end = query.index(0, _HEADER.size) + 1 + _QUESTION_ENDS.size
        kind, of_internet = _QUESTION_ENDS.unpack_from(query, end - _QUESTION_ENDS.size)
        answers = b""
        if kind == _ADDRESS:
            address = socket.inet_aton(self.address)
            answers = struct.pack("!HHHIH", _TO_THE_QUESTION, kind, of_internet, _SECONDS, len(address)) + address
        return _HEADER.pack(number, _RESPONSE, 1, 1 if answers else 0, 0, 0) + query[_HEADER.size : end] + answers
