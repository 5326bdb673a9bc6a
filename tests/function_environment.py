"""What the environment says to a function on Lambda."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from momento_lambda.runtime import persistent_loop
from momento_lambda.runtime.clients import close_shared_clients
from momento_lambda.server import LocalServer

_UNSET = ("MOMENTO_ENDPOINT", "MOMENTO_AUTH_TOKEN", "MOMENTO_CACHE_NAME", "AWS_LAMBDA_FUNCTION_NAME")


@contextmanager
def token_alone(server: LocalServer) -> Iterator[None]:
    """Let the environment name a token for a server and nothing else; what was built from it ends with the block."""
    with pytest.MonkeyPatch.context() as environment:
        for name in _UNSET:
            environment.delenv(name, raising=False)
        environment.setenv("MOMENTO_API_KEY", server.create_token())
        yield
        persistent_loop.close()
        close_shared_clients()
