"""The cache server: the protocol served from this process, for tests, development and self-hosting.

What it raises of its own, beside `InvalidArgumentError` for what it is told:

    MomentoError
    ├── ServerStateError    it is not running, or is running already
    ├── ListenError         it cannot listen where it was told to
    └── SigningKeyError     a signing key cannot be read, written or used
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from momento_lambda.server.clock import ManualClock
    from momento_lambda.server.local_server import LocalServer
    from momento_lambda.server.server import ListenError, ServerStateError
    from momento_lambda.server.signing_key import SigningKey, SigningKeyError
    from momento_lambda.server.token_limits import TokenLimits
    from momento_lambda.server.tokens import TokenFormat

__all__ = [
    "ListenError",
    "LocalServer",
    "ManualClock",
    "ServerStateError",
    "SigningKey",
    "SigningKeyError",
    "TokenFormat",
    "TokenLimits",
]

for _needed in ("jwt", "platformdirs", "grpc_health", "grpc_reflection", "prometheus_client"):
    if find_spec(_needed) is None:
        raise ModuleNotFoundError(
            f"the server needs the package {_needed}, which is not installed: pip install 'momento-lambda[server]'",
            name=_needed,
        )

# Resolved when asked for: whoever only makes a token has no use for a transport.
_MODULES = {
    "ListenError": "server",
    "LocalServer": "local_server",
    "ManualClock": "clock",
    "ServerStateError": "server",
    "SigningKey": "signing_key",
    "SigningKeyError": "signing_key",
    "TokenFormat": "tokens",
    "TokenLimits": "token_limits",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
