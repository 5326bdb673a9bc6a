"""Functions in a local Lambda, with the library in their folder, on a network that counts connections."""

import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from benchmarks.links.bundle import bundle
from momento_lambda.server import LocalServer
from momento_lambda.testing import FaultProxy, LocalLambda, local_lambda_available
from tests.left_out import NO_RUNTIME_CLIENT

CACHE: Final = "users"

Deploy: TypeAlias = Callable[..., LocalLambda]


@pytest.fixture(scope="session", autouse=True)
def runtime_client() -> None:
    """What functions run on."""
    if not local_lambda_available():
        pytest.skip(NO_RUNTIME_CLIENT)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """The cache's server."""
    with LocalServer(caches=[CACHE], grace=0) as running:
        yield running


@pytest.fixture
def network(server: LocalServer) -> Iterator[FaultProxy]:
    """The way to the server."""
    with FaultProxy(server.host, server.port) as running:
        yield running


@pytest.fixture
def environment(server: LocalServer, network: FaultProxy) -> dict[str, str]:
    """What a function is told of the cache: where it is by way of the network, and a token."""
    return {
        "MOMENTO_API_KEY": server.create_token(format="v2"),
        "MOMENTO_CACHE_NAME": CACHE,
        "MOMENTO_ENDPOINT": network.address,
    }


@pytest.fixture
def deploy(tmp_path: Path, environment: dict[str, str]) -> Iterator[Deploy]:
    """Start functions from the source of a module with a `handler`; all of them end with the test."""
    with ExitStack() as running:

        def start(source: str, *distributions: str, variables: dict[str, str] | None = None, **options: Any) -> Any:
            folder = tmp_path / "function"
            if not folder.exists():
                folder.mkdir()
                bundle(folder, *distributions)
            (folder / "app.py").write_text(textwrap.dedent(source), encoding="utf-8")
            settings = environment | (variables or {})
            function = LocalLambda("app.handler", task_root=folder, environment=settings, **options)
            return running.enter_context(function)

        yield start
