"""A remote cache as a first-class part of a Python AWS Lambda function.

Names are resolved when they are first asked for: importing this package, or a value such as `Hit`, loads no gRPC.
"""

import importlib
from typing import TYPE_CHECKING

from momento_lambda.version import __version__

if TYPE_CHECKING:
    from momento_lambda.caching.breaker import Breaker
    from momento_lambda.caching.cache import Cache
    from momento_lambda.caching.events import CacheEvent, Observer, Statistics
    from momento_lambda.caching.local_tier import LocalTier
    from momento_lambda.caching.outcomes import Cacheable, NoStore, Result
    from momento_lambda.caching.serializers import BYTES, JSON, TEXT, Serializer
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
        RateLimitExceededError,
        UnavailableError,
        UnknownError,
    )
    from momento_lambda.permissions import Permission
    from momento_lambda.responses import (
        AlreadyExists,
        CacheInfo,
        CachePage,
        Created,
        DisposableToken,
        Hit,
        Miss,
        NewSigningKey,
        NotStored,
        SigningKeyInfo,
        Stored,
        TtlUpdate,
    )
    from momento_lambda.runtime.clients import warm_clients

__all__ = [
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

_MODULES = {
    "BYTES": "caching.serializers",
    "Breaker": "caching.breaker",
    "Cache": "caching.cache",
    "CacheEvent": "caching.events",
    "Cacheable": "caching.outcomes",
    "Configuration": "configuration",
    "CredentialProvider": "credentials",
    "JSON": "caching.serializers",
    "LocalTier": "caching.local_tier",
    "NoStore": "caching.outcomes",
    "Observer": "caching.events",
    "Permission": "permissions",
    "Result": "caching.outcomes",
    "Serializer": "caching.serializers",
    "SimpleCacheClient": "client.sync_client",
    "SimpleCacheClientAsync": "client.async_client",
    "Statistics": "caching.events",
    "TEXT": "caching.serializers",
    "warm_clients": "runtime.clients",
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
