"""Credentials that are looked up once, and again when there is a reason to."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import (
    ClientStateError,
    Configuration,
    CredentialProvider,
    InvalidTokenError,
    MomentoError,
    UnavailableError,
)
from momento_lambda.runtime.clients import WarmClients
from momento_lambda.runtime.credential_source import CredentialSource, environment_credentials
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.runtime.conftest import Time

PATIENT = 30.0


def test_once_for_all_threads(server: LocalServer) -> None:
    """Twenty threads that come at once are given what was looked up once."""
    asked: list[int] = []
    together = threading.Barrier(20)

    def find() -> CredentialProvider:
        asked.append(threading.get_ident())
        return server.credentials

    source = CredentialSource(find)

    def get(_: int) -> CredentialProvider:
        together.wait()
        return source.get()

    assert source.known is None
    with ThreadPoolExecutor(20) as pool:
        found = set(pool.map(get, range(20)))
    assert {source.known} == found
    assert 1 == len(asked)


def test_a_token_will_do(server: LocalServer) -> None:
    """A function may return credentials as they are, or a token that says where to connect."""
    token = server.create_token()
    assert token == CredentialSource(lambda: token).get().auth_token
    credentials = server.credentials
    assert credentials is CredentialSource(lambda: credentials).get()


def test_forgetting(server: LocalServer) -> None:
    """What was forgotten is looked up again."""
    source = CredentialSource(lambda: server.credentials)
    first = source.get()
    assert first is source.get()
    source.forget()
    assert first is not source.get()


@pytest.mark.parametrize("clock", ["monotonic", "wall"])
def test_when_refused_ones_are_forgotten(server: LocalServer, time: "Time", clock: str) -> None:
    """Refused credentials are forgotten when they are ten seconds old by either clock, and others have been found."""
    source = CredentialSource(lambda: server.credentials, time.clocks)
    first = source.get()
    assert not source.refused(first)
    setattr(time, clock, getattr(time, clock) + 9.9)
    assert not source.refused(first)
    setattr(time, clock, getattr(time, clock) + 0.2)
    assert source.refused(first)
    second = source.get()
    assert first is not second
    assert source.refused(first)
    assert second is source.get()


@pytest.mark.parametrize("kind", [InvalidTokenError, UnavailableError])
def test_a_failure_is_remembered(server: LocalServer, time: "Time", kind: type[MomentoError]) -> None:
    """A failed look-up is repeated after ten times as long as it took, so that failing takes a tenth of the time."""
    asked: list[float] = []
    failures = [kind("no token"), kind("no token yet")]

    def find() -> CredentialProvider:
        asked.append(time.wall)
        time.pass_by(2)
        if failures:
            raise failures.pop(0)
        return server.credentials

    source = CredentialSource(find, time.clocks)
    for expected, message in ((1, "no token$"), (2, "no token yet$")):
        for _ in range(3):
            with pytest.raises(kind, match=message):
                source.get()
            assert expected == len(asked)
            time.pass_by(9)
    assert server.credentials.cache_endpoint == source.get().cache_endpoint


def test_forgetting_a_failure(server: LocalServer, time: "Time") -> None:
    """A failure that was forgotten is no reason to wait."""
    failures = [InvalidTokenError("no token")]

    def find() -> CredentialProvider:
        time.pass_by(2)
        if failures:
            raise failures.pop()
        return server.credentials

    source = CredentialSource(find, time.clocks)
    with pytest.raises(InvalidTokenError):
        source.get()
    source.forget()
    assert source.get() is source.known


@pytest.mark.parametrize(
    ("find", "kind", "message"),
    [
        (lambda: os.environ["MY_SECRET"], ClientStateError, r"could not be looked up \(KeyError\)"),
        (lambda: None, InvalidTokenError, "of type NoneType"),
        (lambda: "nonsense", InvalidTokenError, "cannot be used"),
    ],
    ids=["raises", "returns nothing", "returns nonsense"],
)
def test_a_function_that_fails(find: Any, kind: type[MomentoError], message: str) -> None:
    """Whatever goes wrong in the given function is an error of ours, which a cache takes for its own trouble."""
    with pytest.raises(kind, match=message):
        CredentialSource(find).get()


def test_a_lock_held_in_the_parent(server: LocalServer) -> None:
    """In a child process nobody waits for a thread that looked them up in the parent."""
    looking, proceed = threading.Event(), threading.Event()

    def find() -> CredentialProvider:
        if not looking.is_set():
            looking.set()
            assert proceed.wait(PATIENT)
        return server.credentials

    source = CredentialSource(find)
    thread = threading.Thread(target=source.get)
    thread.start()
    assert looking.wait(PATIENT)
    source.after_fork()
    assert source.get() is source.known
    proceed.set()
    thread.join()


async def test_the_event_loop_goes_on(server: LocalServer) -> None:
    """While credentials are looked up for an event loop, its other tasks go on."""
    went_on = threading.Event()

    def find() -> CredentialProvider:
        assert went_on.wait(PATIENT)
        return server.credentials

    clients = WarmClients(find, Configuration(timeout=PATIENT), PATIENT)
    taking = asyncio.create_task(clients.for_loop())
    await asyncio.sleep(0)
    went_on.set()
    await (await taking).close()


def test_which_variable_comes_first(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token in the environment comes before one that AWS keeps, and MOMENTO_API_KEY before MOMENTO_AUTH_TOKEN."""
    first, second = server.create_token(), server.create_token(format="v1")
    monkeypatch.setenv("MOMENTO_API_KEY", first)
    monkeypatch.setenv("MOMENTO_AUTH_TOKEN", second)
    monkeypatch.setenv("MOMENTO_API_KEY_SECRET", "nowhere")
    assert CredentialProvider.from_string(first).auth_token == environment_credentials().auth_token
    monkeypatch.setenv("MOMENTO_API_KEY", "")
    assert CredentialProvider.from_string(second).auth_token == environment_credentials().auth_token


def test_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing says which token, the error names all that may be set."""
    monkeypatch.delenv("MOMENTO_API_KEY")
    names = "MOMENTO_API_KEY .*MOMENTO_AUTH_TOKEN.* MOMENTO_API_KEY_SECRET or MOMENTO_API_KEY_PARAMETER"
    with pytest.raises(InvalidTokenError, match=names):
        environment_credentials()
