"""What the fixtures of the plugin give to the tests of a project."""

import sys
from collections.abc import Callable

import pytest

from tests.left_out import NO_RUNTIME_CLIENT

PluginRun = Callable[..., tuple[dict[str, int], str]]

on_linux = pytest.mark.skipif(sys.platform != "linux", reason=NO_RUNTIME_CLIENT)

CACHES = """
import os
import pytest
from momento_lambda import Cache, Hit, Miss, SimpleCacheClient

names = []

@pytest.mark.parametrize("turn", [1, 2])
def test_each_starts_empty(momento_cache, turn):
    names.append(momento_cache.name)
    calls = []
    assert momento_cache.get_or_load("key", lambda: calls.append(turn) or turn) == turn
    assert momento_cache.get_or_load("key", lambda: calls.append(turn) or turn) == turn
    assert calls == [turn]

def test_each_is_a_cache_of_its_own():
    assert len(set(names)) == 2

def test_it_is_gone_afterwards(momento_server):
    with SimpleCacheClient(momento_server.credentials, 60) as client:
        assert {cache.name for cache in client.iter_caches()}.isdisjoint(names)

def test_the_environment_names_it(momento_cache, momento_server):
    assert os.environ["MOMENTO_CACHE_NAME"] == momento_cache.name
    with SimpleCacheClient(os.environ["MOMENTO_API_KEY"], 60) as client:
        assert client.get(momento_cache.name, "a") == Miss()
        client.set(momento_cache.name, "a", "1")
        assert client.get(momento_cache.name, "a") == Hit(b"1")

def test_other_caches_of_the_code_use_it(momento_cache):
    @Cache.from_env().cached
    def double(number): return 2 * number
    assert double(2) == 4
    assert double.result(2).source == "cache"

def test_the_environment_is_as_before():
    assert os.environ["MOMENTO_API_KEY"] == "the developer's own"
    assert os.environ["MOMENTO_ENDPOINT"] == "the.real.service"
    assert "MOMENTO_CACHE_NAME" not in os.environ
"""

SERVERS = """
servers = []

def test_one(momento_server): servers.append(momento_server)

def test_other(momento_server): assert servers == [momento_server]
"""

CONTEXTS = """
def test_it_has_time(lambda_context):
    assert 29_000 < lambda_context.get_remaining_time_in_millis() <= 30_000
    assert lambda_context.aws_request_id
"""

RUNTIMES = """
import os
from pathlib import Path

pids = []

def test_it_runs(lambda_runtime):
    one, other = (lambda_runtime("app.handler", task_root=Path.cwd(), memory_size=size) for size in (128, 256))
    seen = [function.invoke({}).payload for function in (one, other)]
    pids.extend(pid for pid, _ in seen)
    assert [size for _, size in seen] == ["128", "256"]
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)

def test_it_is_over_afterwards():
    assert len(set(pids)) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
"""

APP = """
import os

def handler(event, context):
    return [os.getpid(), context.memory_limit_in_mb]
"""


def test_a_cache_for_each_test(plugin_run: PluginRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is empty, alone, named by the environment, and gone when the test is; the environment is as it was."""
    monkeypatch.setenv("MOMENTO_API_KEY", "the developer's own")
    monkeypatch.setenv("MOMENTO_ENDPOINT", "the.real.service")
    monkeypatch.delenv("MOMENTO_CACHE_NAME", raising=False)
    outcomes, printed = plugin_run(CACHES)
    assert {"passed": 7} == outcomes, printed


def test_a_server_for_the_run(plugin_run: PluginRun) -> None:
    """All tests share it."""
    outcomes, printed = plugin_run(SERVERS)
    assert {"passed": 2} == outcomes, printed


def test_a_context_for_a_handler(plugin_run: PluginRun) -> None:
    """It has half a minute left."""
    outcomes, printed = plugin_run(CONTEXTS)
    assert {"passed": 1} == outcomes, printed


@on_linux
def test_functions_that_end_with_the_test(plugin_run: PluginRun) -> None:
    """As many as a test starts, each with arguments of its own, and none that is left over."""
    outcomes, printed = plugin_run(RUNTIMES, app=APP)
    assert {"passed": 2} == outcomes, printed


@on_linux
def test_functions_that_end_with_a_test_that_failed(plugin_run: PluginRun) -> None:
    """Failing leaves nothing behind either."""
    failing = RUNTIMES.replace('== ["128", "256"]', '== ["256", "128"]').replace(
        "assert all(", "raise NotImplementedError; assert all("
    )
    outcomes, printed = plugin_run(failing, app=APP)
    assert {"failed": 1, "passed": 1} == outcomes, printed
