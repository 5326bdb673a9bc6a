"""What is refused: before anything is sent where the client can know, and by the server where it cannot."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from momento_lambda import (
    AuthenticationError,
    CacheNotFoundError,
    CredentialProvider,
    InvalidArgumentError,
    InvalidTokenError,
    LimitExceededError,
    MomentoError,
    PermissionDeniedError,
    SimpleCacheClientAsync,
)
from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.server import LocalServer, SigningKey, TokenFormat
from momento_lambda.server.tokens import create_token

if TYPE_CHECKING:
    from tests.twins import Connect

CACHE = "users-cache"

Call: TypeAlias = Callable[[SimpleCacheClientAsync, Any], Awaitable[object]]
# What the types forbid is tried all the same.
WrongCall: TypeAlias = Callable[[Any, Any], Awaitable[object]]

# Tokens are checked before the store is asked, so one will do.
no_store_is_asked = pytest.mark.parametrize("store", ["memory", "memory with TLS"], indirect=True)

READS: dict[str, Call] = {
    "get": lambda client, cache: client.get(cache, "key"),
    "get_multi": lambda client, cache: client.get_multi(cache, ["key", "key"]),
    "keys_exist": lambda client, cache: client.keys_exist(cache, ["key"]),
    "item_get_ttl": lambda client, cache: client.item_get_ttl(cache, "key"),
}
WRITES: dict[str, Call] = {
    "set": lambda client, cache: client.set(cache, "key", "value"),
    "delete": lambda client, cache: client.delete(cache, "key"),
    "set_multi": lambda client, cache: client.set_multi(cache, {"key": "value"}),
    "set_if_absent": lambda client, cache: client.set_if_absent(cache, "key", "value"),
    "set_if_not_exists": lambda client, cache: client.set_if_not_exists(cache, "key", "value"),
    "set_if_present": lambda client, cache: client.set_if_present(cache, "key", "value"),
    "set_if_equal": lambda client, cache: client.set_if_equal(cache, "key", "value", "old"),
    "set_if_not_equal": lambda client, cache: client.set_if_not_equal(cache, "key", "value", "old"),
    "set_if_present_and_not_equal": lambda client, cache: client.set_if_present_and_not_equal(cache, "key", "v", "old"),
    "set_if_absent_or_equal": lambda client, cache: client.set_if_absent_or_equal(cache, "key", "value", "old"),
    "increment": lambda client, cache: client.increment(cache, "key"),
    "update_ttl": lambda client, cache: client.update_ttl(cache, "key", 5),
    "increase_ttl": lambda client, cache: client.increase_ttl(cache, "key", 5),
    "decrease_ttl": lambda client, cache: client.decrease_ttl(cache, "key", 5),
}
CONTROLS: dict[str, Call] = {
    "create_cache": lambda client, cache: client.create_cache(cache),
    "delete_cache": lambda client, cache: client.delete_cache(cache),
    "flush_cache": lambda client, cache: client.flush_cache(cache),
}
LISTINGS: dict[str, Call] = {"list_caches": lambda client, _: client.list_caches()}


@pytest.mark.parametrize("method", [*READS, *WRITES, "delete_cache", "flush_cache"])
async def test_unknown_cache(client: SimpleCacheClientAsync, method: str) -> None:
    """Every call to a cache that does not exist is a CacheNotFoundError that names it."""
    call = (READS | WRITES | CONTROLS)[method]

    with pytest.raises(CacheNotFoundError, match="'no-such-cache'") as caught:
        await call(client, "no-such-cache")

    assert "CACHE_NOT_FOUND" == caught.value.code


@no_store_is_asked
@pytest.mark.parametrize("method", [*READS, *WRITES, *CONTROLS, *LISTINGS])
async def test_token_of_another_server(
    connect: "Connect",
    server: LocalServer,
    credentials_for: Callable[[str], CredentialProvider],
    method: str,
) -> None:
    """Every call with a token that this server did not sign is an AuthenticationError, the unknown cache unsaid."""
    client = connect(credentials_for(create_token(SigningKey.generate(), endpoint=server.address)))
    call = (READS | WRITES | CONTROLS | LISTINGS)[method]

    for cache in (CACHE, "no-such-cache"):
        with pytest.raises(AuthenticationError, match="not signed by this server"):
            await call(client, cache)


@no_store_is_asked
@pytest.mark.parametrize("token", ["", "x.y.z", "Bearer"])
async def test_no_token_of_any_server(connect: "Connect", credentials: CredentialProvider, token: str) -> None:
    """A call without a token, or with something else in its place, is an AuthenticationError."""
    client = connect(_with_token(credentials, token))

    with pytest.raises(AuthenticationError, match="token"):
        await client.get(CACHE, "key")


@no_store_is_asked
async def test_expired_token(
    connect: "Connect",
    server: LocalServer,
    credentials: CredentialProvider,
    credentials_for: Callable[[str], CredentialProvider],
) -> None:
    """An expired token is refused by the client at construction, and by the server if it is sent all the same."""
    token = server.create_token(expires=timedelta(seconds=-1))

    with pytest.raises(InvalidTokenError, match="it expired at"):
        credentials_for(token)
    with pytest.raises(AuthenticationError, match="the token expired at"):
        await connect(_with_token(credentials, token)).get(CACHE, "key")


@no_store_is_asked
@pytest.mark.parametrize("format_", ["legacy", "v1", "v2"])
async def test_every_kind_of_token(
    connect: "Connect", server: LocalServer, credentials: CredentialProvider, format_: TokenFormat
) -> None:
    """The server accepts its tokens in each of the three forms."""
    token = server.create_token(format=format_)
    provider = CredentialProvider.from_string(
        token, endpoint=server.address, root_certificates=credentials.root_certificates
    )

    assert await connect(provider).keys_exist(CACHE, ["key"]) == (False,)


@no_store_is_asked
@pytest.mark.parametrize("method", [*WRITES, *CONTROLS, *LISTINGS])
async def test_token_that_reads(
    connect: "Connect",
    server: LocalServer,
    credentials_for: Callable[[str], CredentialProvider],
    method: str,
) -> None:
    """A token that allows reading is denied everything else."""
    client = connect(credentials_for(server.create_token(allow="read:*")))

    with pytest.raises(PermissionDeniedError, match="the token does not allow"):
        await (WRITES | CONTROLS | LISTINGS)[method](client, CACHE)


@pytest.mark.parametrize("method", READS)
async def test_token_that_reads_may_read(
    connect: "Connect",
    server: LocalServer,
    credentials_for: Callable[[str], CredentialProvider],
    method: str,
) -> None:
    """A token that allows reading may do just that."""
    client = connect(credentials_for(server.create_token(allow="read:*")))

    await READS[method](client, CACHE)


@no_store_is_asked
@pytest.mark.parametrize("method", [*CONTROLS, *LISTINGS])
async def test_token_that_writes(
    connect: "Connect",
    server: LocalServer,
    credentials_for: Callable[[str], CredentialProvider],
    method: str,
) -> None:
    """A token that allows writing is denied the control plane."""
    client = connect(credentials_for(server.create_token(allow="read-write:*")))

    with pytest.raises(PermissionDeniedError, match="the token does not allow"):
        await (CONTROLS | LISTINGS)[method](client, CACHE)


@pytest.mark.parametrize("method", [*READS, *WRITES, *CONTROLS])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("line\nbreak", "cannot be sent"),
        ("naïve", "cannot be sent"),
        (" ends with a space ", "cannot be sent"),
        ("", "has 0 characters"),
        ("n" * 1025, "has 1025 characters"),
        (b"bytes", "of type bytes"),
        (None, "of type NoneType"),
        (["list"], "of type list"),
    ],
    ids=["line break", "not ASCII", "space at an end", "empty", "too long", "bytes", "None", "unhashable"],
)
async def test_cache_names_that_cannot_be_sent(
    unconnected: SimpleCacheClientAsync, method: str, name: Any, reason: str
) -> None:
    """A cache name that cannot travel is refused in every call before anything is sent."""
    with pytest.raises(InvalidArgumentError, match=f"the cache name .*{reason}"):
        await (READS | WRITES | CONTROLS)[method](unconnected, name)


def _too_large() -> str:
    return "v" * 6_000_000


UNSENDABLE: dict[str, tuple[WrongCall, type[MomentoError], str]] = {
    "key of None": (lambda client, _: client.get(CACHE, None), InvalidArgumentError, "the key is of type NoneType"),
    "key of int": (lambda client, key: client.set(CACHE, key, "value"), InvalidArgumentError, "the key is of type int"),
    "value of dict": (
        lambda client, _: client.set(CACHE, "key", {}),
        InvalidArgumentError,
        "the value is of type dict",
    ),
    "compared value of int": (
        lambda client, wrong: client.set_if_equal(CACHE, "key", "value", wrong),
        InvalidArgumentError,
        "the value is of type int",
    ),
    "lone surrogate": (lambda client, _: client.get(CACHE, "\ud800"), InvalidArgumentError, "lone surrogates"),
    "text as keys": (lambda client, _: client.get_multi(CACHE, "keys"), InvalidArgumentError, "keys is a single str"),
    "bytes as keys": (
        lambda client, _: client.keys_exist(CACHE, b"keys"),
        InvalidArgumentError,
        "keys is a single bytes",
    ),
    "one wrong key of many": (
        lambda client, wrong: client.get_multi(CACHE, ["key", wrong]),
        InvalidArgumentError,
        "the key is of type int",
    ),
    "ttls of a stranger": (
        lambda client, _: client.set_multi(CACHE, {"a": "1"}, ttls={"b": 5}),
        InvalidArgumentError,
        "ttls names keys that are not among the items",
    ),
    "amount of text": (
        lambda client, _: client.increment(CACHE, "key", "1"),
        InvalidArgumentError,
        "the amount is of type str",
    ),
    "amount of 65 bits": (
        lambda client, _: client.increment(CACHE, "key", 2**63),
        InvalidArgumentError,
        "the amount is out of range",
    ),
    "item over the limit": (
        lambda client, _: client.set(CACHE, "key", _too_large()),
        LimitExceededError,
        "the item has 6000003 bytes",
    ),
    "item one byte over the limit": (
        lambda client, _: client.set(CACHE, "k", b"v" * MAX_ITEM_BYTES),
        LimitExceededError,
        "the item has 5000193 bytes",
    ),
    "one item of many over the limit": (
        lambda client, _: client.set_multi(CACHE, {"a": "1", "b": _too_large()}),
        LimitExceededError,
        "the item has 6000001 bytes",
    ),
    "conditional item over the limit": (
        lambda client, _: client.set_if_absent(CACHE, "key", _too_large()),
        LimitExceededError,
        "the item has 6000003 bytes",
    ),
}


@pytest.mark.parametrize("case", UNSENDABLE)
async def test_arguments_that_cannot_be_sent(unconnected: SimpleCacheClientAsync, case: str) -> None:
    """An argument that cannot be sent is refused before anything is, and the message says what was wrong."""
    call, error, message = UNSENDABLE[case]

    with pytest.raises(error, match=message):
        await call(unconnected, 7)


TTL_CALLS: dict[str, Call] = {
    "set": lambda client, ttl: client.set(CACHE, "key", "value", ttl),
    "set_multi": lambda client, ttl: client.set_multi(CACHE, {"key": "value"}, ttl),
    "set_multi of one key": lambda client, ttl: client.set_multi(CACHE, {"key": "value"}, ttls={"key": ttl}),
    "set_if_absent": lambda client, ttl: client.set_if_absent(CACHE, "key", "value", ttl),
    "set_if_equal": lambda client, ttl: client.set_if_equal(CACHE, "key", "value", "old", ttl),
    "increment": lambda client, ttl: client.increment(CACHE, "key", 1, ttl),
    "update_ttl": lambda client, ttl: client.update_ttl(CACHE, "key", ttl),
    "increase_ttl": lambda client, ttl: client.increase_ttl(CACHE, "key", ttl),
    "decrease_ttl": lambda client, ttl: client.decrease_ttl(CACHE, "key", ttl),
}


@pytest.mark.parametrize("method", TTL_CALLS)
@pytest.mark.parametrize("ttl", [0, -1, 0.999, timedelta(days=1, milliseconds=1), float("nan"), True, "soon"], ids=repr)
async def test_times_to_live_that_cannot_be(unconnected: SimpleCacheClientAsync, method: str, ttl: Any) -> None:
    """A TTL outside 1 second to 1 day is refused in every call before anything is sent."""
    with pytest.raises(InvalidArgumentError, match="a TTL is between 1 second and 1 day"):
        await TTL_CALLS[method](unconnected, ttl)


@pytest.mark.parametrize("ttl", [0, timedelta(days=2), None], ids=repr)
def test_default_time_to_live_that_cannot_be(connect: "Connect", ttl: Any) -> None:
    """A default TTL that no item may have is refused at construction."""
    with pytest.raises(InvalidArgumentError, match="a TTL is between 1 second and 1 day"):
        connect(CredentialProvider.for_local(port=1), ttl)


@pytest.mark.parametrize("token", [None, 7, b"bytes"], ids=repr)
def test_token_that_is_no_text(connect: "Connect", token: Any) -> None:
    """What is neither a token nor credentials, such as a variable that was not set, is an InvalidTokenError."""
    with pytest.raises(InvalidTokenError, match=f"it is of type {type(token).__name__}"):
        connect(token)


def _with_token(credentials: CredentialProvider, token: str) -> CredentialProvider:
    """Return credentials that send something else, which no token parser has seen."""
    return CredentialProvider(
        token,
        cache_endpoint=credentials.cache_endpoint,
        control_endpoint=credentials.control_endpoint,
        root_certificates=credentials.root_certificates,
    )
