"""A server, and the process's clients as they are before anything asked for them."""

from collections.abc import Iterator

import pytest

from momento_lambda.runtime.clients import close_shared_clients
from momento_lambda.server import LocalServer


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    """The server of all these tests, with one cache."""
    with LocalServer(caches=["cache"], grace=0) as running:
        yield running


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, server: LocalServer) -> Iterator[None]:
    """What a function's environment says: a token, and nothing else."""
    for name in ("MOMENTO_ENDPOINT", "MOMENTO_AUTH_TOKEN", "MOMENTO_CACHE_NAME", "AWS_LAMBDA_FUNCTION_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOMENTO_API_KEY", server.create_token())
    yield
    close_shared_clients()
