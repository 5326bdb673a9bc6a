"""Tests of a handler, to copy: beside a real cache server in this process, and on Lambda's runtime on this machine.

    $ pytest examples/test_quickstart.py

The fixtures `momento_cache`, `lambda_context` and `lambda_runtime` come with the package:
pip install 'momento-lambda[server,layer]' pytest awslambdaric
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from momento_lambda import Cache
from momento_lambda.server import LocalServer
from momento_lambda.testing import LambdaContext, LocalLambda
from momento_lambda_layer import build_layer

EVENT = {"city": "Oslo"}
ANSWER = {"city": "Oslo", "sky": "clear"}


@pytest.fixture
def function(momento_cache: Cache) -> Any:
    """The function's module, imported anew, since the cache that it finds in the environment is each test's own."""
    assert momento_cache.name == os.environ["MOMENTO_CACHE_NAME"]
    sys.modules.pop("quickstart", None)
    return importlib.import_module("quickstart")


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer that the function will be deployed with."""
    return build_layer(tmp_path_factory.mktemp("layer")).path


def test_a_city_is_asked_for_once(function: Any, lambda_context: LambdaContext) -> None:
    """The first event loads and stores, the second is answered by the cache."""
    with function.cache.observe() as seen:
        answers = [function.lambda_handler(EVENT, lambda_context) for _ in range(2)]
    assert answers == [ANSWER, ANSWER]
    assert seen.kinds == ["miss", "load", "store", "hit"]


def test_the_cache_is_down(function: Any, lambda_context: LambdaContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its cache the function still answers, and the metrics say so."""
    with LocalServer() as gone:
        monkeypatch.setenv("MOMENTO_API_KEY", gone.create_token())
    assert function.lambda_handler(EVENT, lambda_context) == ANSWER
    assert function.cache.stats.counts["error"] == 1


def test_on_the_runtime(lambda_runtime: Callable[..., LocalLambda], momento_cache: Cache, layer: Path) -> None:
    """Deployed as a folder and the layer, it starts cold, stays warm, and leaves what it loaded in the cache."""
    names = ("MOMENTO_API_KEY", "MOMENTO_CACHE_NAME")
    deployed = lambda_runtime(
        "quickstart.lambda_handler",
        task_root=Path(__file__).parent,
        layers=[layer],
        environment={name: os.environ[name] for name in names},
    )
    cold, warm = deployed.invoke(EVENT), deployed.invoke(EVENT)
    assert (cold.cold, warm.cold) == (True, False)
    assert cold.payload == warm.payload == momento_cache.get("weather:Oslo") == ANSWER
