import json
import os
import subprocess
import sys
from typing import Any

import pytest

from momento_lambda.server import LocalServer

CONSTRUCTED = """
import json, sys, threading
from momento_lambda import Cache
before = "grpc" in sys.modules
Cache("cache", connect_timeout=30)
Cache("cache", connect_timeout=30)
connecting = [thread for thread in threading.enumerate() if thread.name == "momento-lambda-connect"]
started = bool(connecting) or "grpc" in sys.modules
for thread in connecting:
    thread.join()
cache = Cache("cache", connect_timeout=30, timeout=30)
print(json.dumps({"before": before, "started": started, "grpc": "grpc" in sys.modules,
                  "asyncio": "asyncio" in sys.modules, "value": cache.get_or_load("key", lambda: 7)}))
"""


def construct(**environment: str) -> dict[str, Any]:
    """Return what a fresh process with this environment says of constructing caches."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MOMENTO_", "AWS_"))}
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", CONSTRUCTED], env=inherited | environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"stderr": done.stderr}


def test_on_lambda_construction_starts_connecting(server: LocalServer) -> None:
    """On Lambda a cache begins to connect when it is constructed, in the background; importing alone does nothing."""
    found = construct(AWS_LAMBDA_FUNCTION_NAME="users", MOMENTO_API_KEY=server.create_token())
    expected = {"before": False, "started": True, "grpc": True, "value": 7, "stderr": ""}
    assert expected == {name: found[name] for name in expected}


def test_elsewhere_construction_does_nothing(server: LocalServer) -> None:
    """Anywhere else nothing is imported and nothing connects until the cache is used."""
    found = construct(MOMENTO_API_KEY=server.create_token())
    expected = {"before": False, "started": False, "grpc": False, "asyncio": False, "value": 7, "stderr": ""}
    assert expected == found


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_without_a_token_construction_is_no_crash(token: str) -> None:
    """On Lambda without a token that could be used, the function starts, and the loader answers."""
    found = construct(AWS_LAMBDA_FUNCTION_NAME="users", MOMENTO_API_KEY=token)
    assert (True, 7) == (found["started"], found["value"])
    assert "cannot be used" in found["stderr"]
    assert "Traceback" not in found["stderr"]
