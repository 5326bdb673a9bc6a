"""A remote cache as a first-class part of a Python AWS Lambda function.

Names are resolved when they are first asked for: importing this package, or a value such as `Hit`, loads no gRPC.
"""

import importlib
from typing import TYPE_CHECKING

from momento_lambda.version import __version__

if TYPE_CHECKING:
    from momento_lambda.caching.cache import Cache
    from momento_lambda.caching.outcomes import Cacheable, NoStore, Result
    from momento_lambda.client.async_client import SimpleCacheClientAsync
    from momento_lambda.client.sync_client import SimpleCacheClient
    from momento_lambda.configuration import Configuration
    from momento_lambda.credentials import CredentialProvider
    from momento_lambda.errors import (
        AlreadyExistsError,
        AuthenticationError,
        CacheNotFoundError,
        CancelledError,
        ClientStateError,
        DeadlineExceededError,
        FailedPreconditionError,
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
    from momento_lambda.responses import (
        AlreadyExists,
        CacheInfo,
        CachePage,
        Created,
        Hit,
        Miss,
        NotStored,
        Stored,
        TtlUpdate,
    )

__all__ = [
    "AlreadyExists",
    "AlreadyExistsError",
    "AuthenticationError",
    "Cache",
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
    "FailedPreconditionError",
    "Hit",
    "InternalError",
    "InvalidArgumentError",
    "InvalidTokenError",
    "LimitExceededError",
    "Miss",
    "MomentoError",
    "NoStore",
    "NotFoundError",
    "NotStored",
    "PermissionDeniedError",
    "Result",
    "SimpleCacheClient",
    "SimpleCacheClientAsync",
    "Stored",
    "TtlUpdate",
    "UnavailableError",
    "UnknownError",
    "__version__",
]

_MODULES = {
    "Cache": "caching.cache",
    "Cacheable": "caching.outcomes",
    "Configuration": "configuration",
    "CredentialProvider": "credentials",
    "NoStore": "caching.outcomes",
    "Result": "caching.outcomes",
    "SimpleCacheClient": "client.sync_client",
    "SimpleCacheClientAsync": "client.async_client",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _MODULES.get(name) or ("errors" if name.endswith("Error") else "responses")
    value: object = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
