import subprocess
import sys

import pytest

import momento_lambda

NAMES = [
    "BYTES",
    "JSON",
    "TEXT",
    "AlreadyExists",
    "AlreadyExistsError",
    "AuthenticationError",
    "Breaker",
    "Cache",
    "CacheEvent",
    "CacheInfo",
    "CacheNotFoundError",
    "CachePage",
    "Cacheable",
    "CancelledError",
    "ClientStateError",
    "Configuration",
    "Created",
    "CredentialProvider",
    "DeadlineExceededError",
    "DisposableToken",
    "FailedPreconditionError",
    "Hit",
    "InternalError",
    "InvalidArgumentError",
    "InvalidTokenError",
    "LimitExceededError",
    "LocalTier",
    "Miss",
    "MomentoError",
    "NewSigningKey",
    "NoStore",
    "NotFoundError",
    "NotStored",
    "Observer",
    "Permission",
    "PermissionDeniedError",
    "RateLimitExceededError",
    "Result",
    "Serializer",
    "SigningKeyInfo",
    "SimpleCacheClient",
    "SimpleCacheClientAsync",
    "Statistics",
    "Stored",
    "TtlUpdate",
    "UnavailableError",
    "UnknownError",
    "__version__",
    "warm_clients",
]


def test_the_names_are_these() -> None:
    """What the package offers is this list, in order; a change of it is a change of the contract."""
    assert NAMES == momento_lambda.__all__
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name: str) -> None:
    """Each name resolves to what is called so, the same object every time."""
    found = getattr(momento_lambda, name)
    assert found is getattr(momento_lambda, name)
    assert name in {"BYTES", "JSON", "TEXT", "__version__", getattr(found, "__name__", None)}


def test_dir_shows_the_names() -> None:
    """`dir()` lists the names that are offered, whether or not they were asked for yet."""
    assert sorted(NAMES) == dir(momento_lambda)


@pytest.mark.parametrize("name", ["Chache", "importlib_", "HitError", "Error", "_MODULE", "__wrapped__"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    """A name that is not offered is refused as by any module, also where it looks like one of ours."""
    with pytest.raises(AttributeError, match=f"module 'momento_lambda' has no attribute '{name}'"):
        getattr(momento_lambda, name)
    with pytest.raises(ImportError):
        exec(f"from momento_lambda import {name}", {})  # noqa: S102  # the statement is the subject


def test_a_star_brings_the_names() -> None:
    """`from momento_lambda import *` brings what is offered and nothing else."""
    namespace: dict[str, object] = {}
    exec("from momento_lambda import *", namespace)  # noqa: S102  # the statement is the subject
    assert set(NAMES) == set(namespace) - {"__builtins__"}


EFFECTS = """
import os, signal, sys, threading, warnings, logging
def state():
    return (dict(os.environ), os.getcwd(), list(sys.path), threading.enumerate(), list(warnings.filters),
            list(logging.root.handlers), logging.root.level, signal.getsignal(signal.SIGTERM), sys.excepthook)
import grpc
before = state()
import momento_lambda
for name in momento_lambda.__all__:
    getattr(momento_lambda, name)
assert before == state()
"""


def test_importing_does_nothing_else() -> None:
    """Resolving every name changes nothing of the process: no thread, handler, filter, signal, path or variable."""
    done = subprocess.run([sys.executable, "-c", EFFECTS], capture_output=True, check=False, text=True)  # noqa: S603  # our own interpreter
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
