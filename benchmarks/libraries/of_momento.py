"""momento-lambda, against a server on this machine."""

import itertools
import os
from collections.abc import Callable
from typing import Any, Final, final

from momento_lambda import Cache, SimpleCacheClient
from momento_lambda.runtime.clients import close_shared_clients
from momento_lambda.server import LocalServer
from momento_lambda.version import __version__

_names: Final = itertools.count(1)


@final
class Momento:
    """Decorators of momento-lambda.

    Args:
        server: A server that is running.
    """

    name = f"momento-lambda {__version__}"
    coroutines = True

    def __init__(self, server: LocalServer) -> None:
        self._server = server

    def cached(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached on the server."""
        return self.at(self._server.port, function)

    def shared(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose loads are shared, as they always are."""
        return self.cached(function)

    def batch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of ids by the decorator that is made for it."""
        many: Callable[..., Any] = self._cache(self._server.port).cached_many(key="{id}")(function)
        return many

    def at(self, port: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that is cached at a port of this machine."""
        decorated: Callable[..., Any] = self._cache(port).cached(function)
        return decorated

    def _cache(self, port: int) -> Cache:
        name = f"cache-{next(_names)}"
        with SimpleCacheClient(self._server.credentials, 60) as client:
            client.create_cache(name)
        # The client of each cache is made of the environment, as on Lambda; the one before was for another address.
        close_shared_clients()
        os.environ |= {
            "MOMENTO_API_KEY": self._server.create_token(format="v2"),
            "MOMENTO_ENDPOINT": f"127.0.0.1:{port}",
        }
        return Cache(name, default_ttl="1m")
