"""For testing functions: a local Lambda without Docker, fixtures for pytest, and a network that fails on demand.

Names are resolved on first use, so that importing one thing does not load all the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from momento_lambda.testing.errors import (
        FunctionExitError,
        FunctionGoneError,
        FunctionInitError,
        FunctionResponseError,
        FunctionRestoreError,
        FunctionTimeoutError,
        LocalLambdaError,
        LocalLambdaUnavailableError,
    )
    from momento_lambda.testing.fault_proxy import FaultProxy
    from momento_lambda.testing.invocation import Failure, Invocation
    from momento_lambda.testing.lambda_context import LambdaContext
    from momento_lambda.testing.local_lambda import LocalLambda, local_lambda_available

__all__ = [
    "Failure",
    "FaultProxy",
    "FunctionExitError",
    "FunctionGoneError",
    "FunctionInitError",
    "FunctionResponseError",
    "FunctionRestoreError",
    "FunctionTimeoutError",
    "Invocation",
    "LambdaContext",
    "LocalLambda",
    "LocalLambdaError",
    "LocalLambdaUnavailableError",
    "local_lambda_available",
]

_MODULES = {
    "Failure": "invocation",
    "FaultProxy": "fault_proxy",
    "FunctionExitError": "errors",
    "FunctionGoneError": "errors",
    "FunctionInitError": "errors",
    "FunctionResponseError": "errors",
    "FunctionRestoreError": "errors",
    "FunctionTimeoutError": "errors",
    "Invocation": "invocation",
    "LambdaContext": "lambda_context",
    "LocalLambda": "local_lambda",
    "LocalLambdaError": "errors",
    "LocalLambdaUnavailableError": "errors",
    "local_lambda_available": "local_lambda",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
