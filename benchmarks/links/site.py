"""Where a function's cache is: a name, a network, a server; and what becomes of them while the function is frozen."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, final

from benchmarks.links.names import NameServer
from momento_lambda.server import LocalServer, SigningKey
from momento_lambda.testing import FaultProxy

CACHE: Final = "users"

_NETWORK, _SERVER = "127.0.0.1", "127.0.0.2"
_PATIENT = 30.0
_GLANCE = 0.005


@dataclass(frozen=True)
class Trouble:
    """What may become of a function's connection.

    Attributes:
        name: What it is called.
        strike: Brings it about.
        direct: Whether nothing may stand between the function and the server.
        empties: Whether the server that is there afterwards holds nothing.
        grace: Seconds that a server which is stopped waits for its clients.
        name_rests: Seconds that have to pass before gRPC looks a name up again.
    """

    name: str
    strike: "Callable[[Site], None]"
    direct: bool = False
    empties: bool = False
    grace: float = 0.0
    name_rests: float = 0.0


@final
class Site:
    """A server, a network before it that counts connections, and the name of both. A context manager.

    Server and network listen on one port of two addresses, so that the name may lead to either.

    Attributes:
        network: What is before the server.
        server: The server that there is at the moment.

    Args:
        trouble: What `strike` will bring about.
    """

    network: FaultProxy
    server: LocalServer

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._key = SigningKey.generate()
        self._closing = ExitStack()

    @property
    def environment(self) -> dict[str, str]:
        """What a function is told of it."""
        return {
            "MOMENTO_API_KEY": self.server.create_token(),
            "CACHE_NAME": CACHE,
            "CACHE_HOST": self._names.host,
            "CACHE_PORT": str(self.network.port),
        }

    def strike(self) -> None:
        """Bring the trouble about."""
        self._trouble.strike(self)

    def drain(self) -> None:
        """Have another server, an empty one, take the place of this, which says goodbye and waits for its clients."""
        before = self.network.bytes_from_upstream
        leaving = self.server
        self.server = self._closing.enter_context(self._new_server(0))
        self.network.point_to(_SERVER, self.server.port)
        thread = threading.Thread(target=leaving.__exit__, args=(None, None, None))
        thread.start()
        self._closing.callback(thread.join)
        self._wait_until(lambda: self.network.bytes_from_upstream > before)

    def restart(self) -> None:
        """Stop the server, and start it again on its port, with nothing in it."""
        self.server.__exit__(None, None, None)
        self.server.__enter__()

    def move(self) -> None:
        """Have the name lead to another address, while the old one resets and refuses every connection."""
        self._names.address = _SERVER
        self.network.reset()
        self.network.refuse()

    def drop(self) -> None:
        """Have the network forget its connections and say nothing; new ones work."""
        self.network.black_hole()
        self.network.heal()

    def __enter__(self) -> "Site":
        with ExitStack() as opening:
            self._names = opening.enter_context(NameServer(_SERVER if self._trouble.direct else _NETWORK))
            self.network = opening.enter_context(FaultProxy(_SERVER, 0))
            self.server = opening.enter_context(self._new_server(self.network.port))
            self.network.point_to(_SERVER, self.server.port)
            self._closing = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.close()

    def _new_server(self, port: int) -> LocalServer:
        return LocalServer(host=_SERVER, port=port, signing_key=self._key, caches=[CACHE], grace=self._trouble.grace)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        waiting = threading.Event()
        for _ in range(round(_PATIENT / _GLANCE)):
            if condition():
                return
            waiting.wait(_GLANCE)
        raise TimeoutError("the network did not carry the server's goodbye")


TROUBLES: Final = (
    Trouble("GOAWAY", Site.drain, empties=True, grace=_PATIENT),
    Trouble("FIN", lambda site: site.network.half_close()),
    Trouble("RST", lambda site: site.network.reset()),
    Trouble("silent drop", Site.drop),
    Trouble("server restarted", Site.restart, direct=True, empties=True),
    Trouble("address changed", Site.move, name_rests=35.0),
)
"""What may become of a connection while the function that has it is frozen."""
