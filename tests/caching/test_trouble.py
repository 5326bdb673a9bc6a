import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from momento_lambda import Cache, SimpleCacheClient
from momento_lambda.caching.breaker import Breaker
from momento_lambda.caching.trouble import Trouble
from momento_lambda.errors import (
    AuthenticationError,
    CacheNotFoundError,
    ClientStateError,
    DeadlineExceededError,
    InternalError,
    InvalidArgumentError,
    InvalidTokenError,
    LimitExceededError,
    MomentoError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
    UnknownError,
)
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side

Log: TypeAlias = Callable[[], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("kind", "level", "beginning"),
    [
        (AuthenticationError, "ERROR", "cache 'users' cannot be used: chosen"),
        (CacheNotFoundError, "ERROR", "cache 'users' cannot be used: chosen. Create it with: momento-lambda cache"),
        (ClientStateError, "ERROR", "cache 'users' cannot be used: chosen"),
        (InvalidArgumentError, "ERROR", "cache 'users' cannot be used: chosen"),
        (InvalidTokenError, "ERROR", "cache 'users' cannot be used: chosen"),
        (PermissionDeniedError, "ERROR", "cache 'users' cannot be used: chosen"),
        (DeadlineExceededError, "WARNING", "cache 'users' did not answer, going on without it: chosen"),
        (InternalError, "WARNING", "cache 'users' did not answer, going on without it: chosen"),
        (LimitExceededError, "WARNING", "cache 'users' did not answer, going on without it: chosen"),
        (NotFoundError, "WARNING", "cache 'users' did not answer, going on without it: chosen"),
        (UnavailableError, "WARNING", "cache 'users' did not answer, going on without it: chosen"),
        (UnknownError, "WARNING", "cache 'users' did not answer, going on without it: chosen"),
    ],
)
def test_what_a_person_must_mend_is_an_error(log: Log, kind: type[MomentoError], level: str, beginning: str) -> None:
    """What no retry mends is logged as an error, with the fix where there is one; what passes is a warning."""
    Trouble("users").failed("read", kind("chosen"))
    [(logged, message)] = log()
    assert level == logged
    assert message.startswith(beginning)


def test_each_kind_is_said_once(log: Log) -> None:
    """Each kind of trouble is logged the first time, and again after the operation worked in between."""
    trouble = Trouble("users")
    for _ in range(3):
        trouble.failed("read", UnavailableError("first"))
        trouble.failed("read", DeadlineExceededError("second"))
    assert ["first", "second"] == [message.rpartition(": ")[2] for _, message in log()]
    trouble.worked("write")
    trouble.failed("read", UnavailableError("still"))
    assert 2 == len(log())
    trouble.worked("read")
    trouble.failed("read", UnavailableError("again"))
    assert 3 == len(log())


def test_reading_and_writing_are_apart(log: Log) -> None:
    """Trouble with writing is said beside the same trouble with reading."""
    trouble = Trouble("users")
    trouble.failed("read", UnavailableError("read"))
    trouble.failed("write", UnavailableError("write"))
    assert 2 == len(log())


def test_a_remark_is_made_once(log: Log) -> None:
    """A remark is made once, whatever works in between."""
    trouble = Trouble("users")
    for _ in range(2):
        trouble.remark("one")
        trouble.worked("read")
        trouble.worked("write")
    trouble.remark("two")
    assert [("WARNING", "cache 'users': one"), ("WARNING", "cache 'users': two")] == log()


async def test_trouble_is_said_while_it_lasts(faults: "Faults", make_cache: "Make", side: "Side", log: Log) -> None:
    """A cache that stops answering is said once, and once more when it stops again after it was back."""
    cache = make_cache(breaker=Breaker(failures=9))
    for error in (DeadlineExceededError("one"),) * 3 + (None,) + (DeadlineExceededError("two"),) * 2:
        faults.on_read = error
        await side.get_or_load(cache, "key", lambda: 1)
    assert ["one", "two"] == [message.rpartition(": ")[2] for _, message in log()]


async def test_a_missing_cache_is_said_with_the_command_that_creates_it(
    side: "Side", log: Log, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """A cache that does not exist is one ERROR with the command that mends it; once created, all works."""
    cache = Cache("missing", timeout=30, connect_timeout=30)
    assert [1, 1] == [await side.get_or_load(cache, "key", lambda: 1) for _ in range(2)]
    [(level, message)] = log()
    assert "ERROR" == level
    assert message.endswith("Create it with: momento-lambda cache create missing")
    client.create_cache("missing")
    assert [2, 2] == [await side.get_or_load(cache, "key", calls.loader(value)) for value in (2, 3)]
    assert 1 == len(log())
    client.delete_cache("missing")


async def test_a_token_without_permission_is_said(
    server: LocalServer, side: "Side", log: Log, *, cache_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that allows reading alone is one ERROR on the first write, and the loader answers."""
    monkeypatch.setenv("MOMENTO_API_KEY", server.create_token(allow="read:*"))
    cache = Cache(cache_name, timeout=30, connect_timeout=30)
    assert [1, 1] == [await side.get_or_load(cache, "key", lambda: 1) for _ in range(2)]
    assert ["ERROR"] == [level for level, _ in log()]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MOMENTO_CACHE_NAME", None, "no cache is named: set MOMENTO_CACHE_NAME"),
        ("MOMENTO_CACHE_NAME", "", "no cache is named: set MOMENTO_CACHE_NAME"),
        ("MOMENTO_CACHE_NAME", "users\n", "the cache name"),
        ("MOMENTO_API_KEY", None, "MOMENTO_API_KEY"),
        ("MOMENTO_API_KEY", "hidden-token", "token"),
    ],
    ids=["no name", "empty name", "bad name", "no token", "bad token"],
)
async def test_a_slip_in_the_environment_is_no_crash(
    monkeypatch: pytest.MonkeyPatch,
    side: "Side",
    log: Log,
    *,
    cache_name: str,
    name: str,
    value: str | None,
    said: str,
) -> None:
    """What the environment lacks stops neither import nor construction: it is one ERROR on first use."""
    monkeypatch.setenv("MOMENTO_CACHE_NAME", cache_name)
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    cache = Cache.from_env()
    assert [] == log()
    for _ in range(2):
        assert 1 == await side.get_or_load(cache, "key", lambda: 1)
        assert {"a": 1} == await side.get_or_load_many(cache, ["a"], lambda _: {"a": 1}, key="{}")
    [(level, message)] = log()
    assert "ERROR" == level
    assert said in message
    assert "hidden" not in message


async def test_without_a_name_nothing_connects(side: "Side", calls: "Calls") -> None:
    """Where no cache is named no client is built: that would cost time and lead nowhere."""
    cache = Cache(client=calls.loader(None))
    assert 1 == await side.get_or_load(cache, "key", lambda: 1)
    assert [] == calls


async def test_the_environment_names_the_cache(
    monkeypatch: pytest.MonkeyPatch, side: "Side", log: Log, client: SimpleCacheClient, cache_name: str
) -> None:
    """`from_env` takes the cache's name from the environment, as the constructor does without a name."""
    monkeypatch.setenv("MOMENTO_CACHE_NAME", cache_name)
    cache = Cache(timeout=30, connect_timeout=30)
    await side.get_or_load(cache, "key", lambda: 1)
    assert (True,) == client.keys_exist(cache_name, ["key"])
    assert [cache_name] * 2 == [cache.name, Cache.from_env(default_ttl=5).name]
    assert [] == log()


async def test_nobody_listening(monkeypatch: pytest.MonkeyPatch, side: "Side", log: Log) -> None:
    """Where no server answers, the loader does, and it is said once."""
    with LocalServer() as gone:
        monkeypatch.setenv("MOMENTO_API_KEY", gone.create_token())
    cache = Cache("users", timeout=0.05, connect_timeout=0.05)
    assert [1, 1] == [await side.get_or_load(cache, "key", lambda: 1) for _ in range(2)]
    assert {"WARNING"} == {level for level, _ in log()}


async def test_nothing_confidential_is_logged(
    server: LocalServer,
    side: "Side",
    caplog: pytest.LogCaptureFixture,
    *,
    calls: "Calls",
    monkeypatch: pytest.MonkeyPatch,
    cache_name: str,
) -> None:
    """Whatever is logged on the way, at any level: no key, no value and no token."""
    caplog.set_level(logging.DEBUG)
    token = server.create_token(allow="read:*")
    monkeypatch.setenv("MOMENTO_API_KEY", token)
    cache = Cache(cache_name, timeout=30, connect_timeout=30)
    unnamed = Cache(timeout=30, connect_timeout=30)
    secret: Any = "hidden-value"
    for each in (cache, unnamed):
        for value in (secret, object(), {1: secret}, secret * 1_000_000):
            await side.get_or_load(each, "hidden-key", calls.loader(value))
            await side.get_or_load_many(each, ["hidden-id"], calls.loader({"hidden-id": value}), key="{}")
    logged = " ".join(str(vars(record)) + record.getMessage() for record in caplog.records)
    assert 4 <= len(caplog.records)
    assert (False, False) == ("hidden" in logged, token in logged)
