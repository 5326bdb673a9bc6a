"""SnapStart: an environment that is copied, and each copy restored later, as the runtime client goes about it."""

import asyncio
import random
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import snapshot_restore_py  # type: ignore[import-untyped]  # it has no types
from awslambdaric import lambda_runtime_hooks_runner as runtime_client  # type: ignore[import-untyped]  # nor has this

from momento_lambda import Cache, Configuration, CredentialProvider, Miss
from momento_lambda.chance import system_chance
from momento_lambda.runtime import life_cycle, persistent_loop
from momento_lambda.runtime.clients import WarmClients, shared_clients, warm_clients

if TYPE_CHECKING:
    from tests.runtime.conftest import Network

PATIENT = 30.0
CONFIGURATION = Configuration(timeout=PATIENT)


@pytest.fixture(autouse=True)
def snap_start(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A function that Lambda starts from snapshots, in which nothing is registered yet."""
    registries = snapshot_restore_py.get_before_snapshot(), snapshot_restore_py.get_after_restore()
    before = [list(registry) for registry in registries]
    for registry in registries:
        registry.clear()
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    yield
    for registry, hooks in zip(registries, before, strict=True):
        registry[:] = hooks


def registered() -> int:
    """Return how many functions the runtime client would call."""
    return len(snapshot_restore_py.get_before_snapshot()) + len(snapshot_restore_py.get_after_restore())


class Finder:
    """Finds credentials, new ones each time."""

    def __init__(self, credentials: CredentialProvider) -> None:
        self._credentials = credentials
        self.asked = 0

    def __call__(self) -> CredentialProvider:
        """Return them."""
        self.asked += 1
        endpoint = self._credentials.cache_endpoint
        return CredentialProvider(self._credentials.auth_token, cache_endpoint=endpoint, control_endpoint=endpoint)


def test_connections_end_before_and_begin_after(credentials: CredentialProvider, network: "Network") -> None:
    """No connection and no token is in the snapshot; after the restore there are new ones before anybody asks."""
    find = Finder(credentials)
    clients = shared_clients(CONFIGURATION, PATIENT, find)
    held = clients.for_threads()
    assert Miss() == held.get("cache", "absent")

    runtime_client.run_before_snapshot()
    network.wait_until_closed()
    assert (1, 1) == (network.connections, find.asked)

    runtime_client.run_after_restore()
    assert (2, 2) == (network.connections, find.asked)
    assert Miss() == clients.for_threads().get("cache", "absent")
    assert 2 == network.connections
    assert Miss() == held.get("cache", "absent")


def test_what_init_began_is_over_before(
    credentials: CredentialProvider, network: "Network", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that INIT began in the background is waited for and closed, however late its thread comes to run."""
    release = threading.Event()

    class Delayed(threading.Thread):
        def run(self) -> None:
            assert release.wait(PATIENT)
            super().run()

    clients = shared_clients(CONFIGURATION, PATIENT, Finder(credentials))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: None).result()
        monkeypatch.setattr(threading, "Thread", Delayed)
        clients.start()
        snapshot = pool.submit(runtime_client.run_before_snapshot)
        release.set()
        snapshot.result(PATIENT)
    assert 1 == network.connections
    network.wait_until_closed()


def test_each_copy_is_restored(credentials: CredentialProvider, network: "Network") -> None:
    """One snapshot is restored many times; each time connections are made."""
    clients = shared_clients(CONFIGURATION, PATIENT, Finder(credentials))
    clients.for_threads()
    runtime_client.run_before_snapshot()
    for connections in (2, 3, 4):
        runtime_client.run_after_restore()
        assert connections == network.connections
        clients.close()


def test_coroutines_on_the_persistent_loop(credentials: CredentialProvider, network: "Network") -> None:
    """The client of the loop that handlers run on is disconnected too, and the loop goes on with another."""
    clients = shared_clients(CONFIGURATION, PATIENT, Finder(credentials))

    async def get() -> object:
        return await (await clients.for_loop()).get("cache", "absent")

    assert Miss() == persistent_loop.run(get())
    runtime_client.run_before_snapshot()
    network.wait_until_closed()
    runtime_client.run_after_restore()
    assert Miss() == persistent_loop.run(get())
    persistent_loop.close()


def test_a_handler_that_is_a_coroutine(credentials: CredentialProvider, network: "Network") -> None:
    """What began to connect for its loop is over before the snapshot, and what is made after the restore is for it."""
    clients = shared_clients(CONFIGURATION, PATIENT, Finder(credentials))

    async def get() -> object:
        return await (await clients.for_loop()).get("cache", "absent")

    clients.start_for_loop()
    runtime_client.run_before_snapshot()
    network.wait_until_closed()
    assert 1 == network.connections
    runtime_client.run_after_restore()
    assert 2 == network.connections
    assert Miss() == persistent_loop.run(get())
    assert 2 == network.connections
    persistent_loop.close()


def test_a_loop_that_was_closed(credentials: CredentialProvider) -> None:
    """A loop that was closed before the snapshot is nobody's concern."""
    clients = shared_clients(CONFIGURATION, PATIENT, Finder(credentials))

    async def get() -> object:
        return await (await clients.for_loop()).get("cache", "absent")

    assert Miss() == asyncio.run(get())
    runtime_client.run_before_snapshot()
    runtime_client.run_after_restore()
    assert Miss() == asyncio.run(get())


def test_a_server_that_is_away(credentials: CredentialProvider, network: "Network") -> None:
    """Neither hook raises when nothing can be reached: the runtime would count that as the end of the function."""
    clients = shared_clients(CONFIGURATION, 0.1, Finder(credentials))
    clients.for_threads()
    network.fall_silent_from_now()
    runtime_client.run_before_snapshot()
    runtime_client.run_after_restore()


def test_a_token_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do they raise without a token."""
    monkeypatch.delenv("MOMENTO_API_KEY")
    warm_clients()
    runtime_client.run_before_snapshot()
    runtime_client.run_after_restore()


def test_caches_are_followed() -> None:
    """A cache registers both hooks for its clients, once for all caches that share them."""
    Cache("cache")
    Cache("cache")
    assert 2 == registered()


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency", "lambda-managed-instances", None])
def test_without_snapshots(monkeypatch: pytest.MonkeyPatch, kind: str | None) -> None:
    """A function that is started in another way registers nothing."""
    if kind is None:
        monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE")
    else:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    warm_clients()
    assert 0 == registered()


def test_a_runtime_without_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime without the package is no error."""
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
    life_cycle.follow(WarmClients(CredentialProvider.for_local, CONFIGURATION, PATIENT))
    assert 0 == registered()


def test_chance_is_no_copy() -> None:
    """Copies whose generators are in one state still draw different numbers."""
    state = random.getstate()
    first = random.random(), system_chance()  # noqa: S311  # the generator that copies share
    random.setstate(state)
    second = random.random(), system_chance()  # noqa: S311  # as above
    assert first[0] == second[0]
    assert first[1] != second[1]
