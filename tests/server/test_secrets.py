"""What a caller sends, and what tokens are signed with, stays out of logs, messages and representations."""

import base64
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from momento_lambda.errors import AuthenticationError
from momento_lambda.server import LocalServer, ManualClock, SigningKey, TokenLimits
from momento_lambda.server.handlers import PROCEDURES
from momento_lambda.server.key_folder import KeyFolder
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.procedure import Procedure
from momento_lambda.server.signing_key import SigningKeysInMemory
from momento_lambda.server.tokens import TokenVerifier, create_token

KEY = SigningKey.generate()
SECRET = b"what-nobody-else-may-see"
SECRETS = [
    SECRET.decode(),
    SECRET.hex(),
    KEY.secret.hex(),
    base64.urlsafe_b64encode(KEY.secret).decode()[:60],
    repr(KEY.secret)[2:40],
]


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A server with faults for those who ask, and a key that this test knows."""
    with LocalServer(signing_key=KEY, clock=ManualClock(), faults=True, caches=["cache"]) as server:
        yield server


@pytest.fixture
def tokens(server: LocalServer) -> dict[str, str]:
    """A token of each kind, from none at all to one that may do everything."""
    exhausted = server.create_token(limits=TokenLimits(1, 1, 1))
    ask(server, PROCEDURES[0], b"", exhausted)
    return {
        "none": "",
        "junk": SECRET.decode(),
        "of another key": create_token(SigningKey.generate(), endpoint="localhost"),
        "changed": server.create_token()[:-4],
        "with a scheme": f"Bearer {server.create_token()}",
        "expired": server.create_token(expires=timedelta(seconds=-1)),
        "for another cache": server.create_token(allow="read-write:other"),
        "for another key": server.create_token(allow="read-write:cache/other"),
        "for smaller items": server.create_token(limits=TokenLimits(item_bytes=1)),
        "exhausted": exhausted,
        "for everything": server.create_token(),
    }


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Say what was logged, at the most talkative level, or written to standard output and error."""
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text + "".join(capfd.readouterr())


def ask(server: LocalServer, procedure: Procedure, request: bytes, token: str, **headers: str) -> str:
    """Ask a procedure, and return everything that its failure tells; nothing where there is none."""
    metadata = [("authorization", token), *((name.replace("_", "-"), value) for name, value in headers.items())]
    with grpc.insecure_channel(server.address) as channel:
        kind: Any = channel.unary_stream if procedure.rpc.streams else channel.unary_unary
        try:
            reply = kind(procedure.rpc.path)(request, metadata=(("cache", "cache"), *metadata), timeout=20)
            _ = list(reply) if procedure.rpc.streams else reply
        except grpc.RpcError as error:
            failure: Any = error
            return f"{failure.details()} {failure.trailing_metadata()} {failure}"
    return ""


def with_secrets(message: Message) -> Message:
    """Return a message with a secret wherever it holds bytes or a token."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None:
            within = getattr(message, field.name)
            with_secrets(within.add() if field.is_repeated else within)
            if not field.is_repeated:
                within.SetInParent()
        elif field.type == FieldDescriptor.TYPE_BYTES:
            if field.is_repeated:
                getattr(message, field.name).append(SECRET)
            else:
                setattr(message, field.name, SECRET)
        elif field.type == FieldDescriptor.TYPE_UINT64:
            setattr(message, field.name, 60_000)
        elif field.name in {"auth_token", "token_id"}:
            setattr(message, field.name, SECRET.decode())
    return message


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.rpc.name)
def test_no_failure_tells_one(
    server: LocalServer,
    tokens: dict[str, str],
    procedure: Procedure,
    heard: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither answers nor the log hold a token, a key or a value, however a call fails."""
    requests = [with_secrets(procedure.rpc.request()).SerializeToString(), SECRET, b""]
    told = [ask(server, procedure, request, token) for request in requests for token in tokens.values()]
    name = next(iter(procedure.fault_names))
    told += [ask(server, procedure, requests[0], tokens["for everything"], error_rpcs=name, return_error="aborted")]
    told += [ask(server, procedure, requests[0], tokens["for everything"], error_rpcs=name, return_error="\x7f?")]
    told += [ask(server, procedure, requests[0], tokens["for everything"], cache=SECRET.decode()[:4])]

    def fail(*_: object) -> None:
        raise RuntimeError("the store is broken")

    for method in ("open", "create_cache", "delete_cache", "flush_cache", "cache_names"):
        monkeypatch.setattr(MemoryStore, method, fail)
    monkeypatch.setattr(SigningKeysInMemory, "add", fail)
    told += [ask(server, procedure, request, tokens["for everything"]) for request in requests]

    everything = "\n".join(told) + heard()
    assert any(told) or "Ping" in procedure.rpc.path
    for secret in [*SECRETS, *(part for token in tokens.values() for part in token.split(".") if len(part) > 40)]:
        assert secret not in everything


def test_no_representation_shows_one(server: LocalServer) -> None:
    """Nothing that a server is made of shows what tokens are signed with, or a token that it has seen."""
    token = server.create_token()
    ask(server, PROCEDURES[0], b"", token)
    seen: set[int] = set()
    shown = "".join(representations(server, seen))
    assert len(seen) > 20
    for secret in [*SECRETS, *token.split(".")[1:]]:
        assert secret not in shown


def representations(thing: object, seen: set[int], depth: int = 6) -> Iterator[str]:
    """Yield how a thing and what it holds are shown."""
    if id(thing) in seen or not depth:
        return
    seen.add(id(thing))
    yield repr(thing)
    slots = (name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()))
    held = [*vars(thing).values()] if hasattr(thing, "__dict__") else []
    held += [getattr(thing, name, None) for name in slots if name != "_secret"]
    for part in held:
        if type(part).__module__.startswith("momento_lambda"):
            yield from representations(part, seen, depth - 1)
        else:
            yield repr(part)
            seen.add(id(part))


@pytest.mark.parametrize(
    "content", [SECRET, b'{"k": "' + SECRET + b'"}', SECRET.hex().encode()], ids=["text", "JSON", "hex"]
)
@pytest.mark.parametrize("name", ["signing-key", "signing-keys/one.json"])
def test_a_damaged_key_is_not_shown(tmp_path: Path, content: bytes, name: str, heard: Callable[[], str]) -> None:
    """A running server that finds one says where it is, and not what it holds."""
    clock = ManualClock()
    verifier = TokenVerifier(KeyFolder(tmp_path, clock=clock))
    (tmp_path / "signing-keys").mkdir()
    (tmp_path / name).write_bytes(content)
    clock.advance("1s")
    with pytest.raises(AuthenticationError, match="not signed by this server"):
        verifier.verify(create_token(KEY, endpoint="localhost"))
    said = heard()
    assert name in said
    for secret in (SECRET.decode(), SECRET.hex()):
        assert secret not in said
