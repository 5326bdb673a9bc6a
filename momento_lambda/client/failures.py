"""A failed gRPC call put into the words of this library."""

from typing import TYPE_CHECKING, Any, cast

import grpc

from momento_lambda.errors import MomentoError
from momento_lambda.wire.rpc import Rpc
from momento_lambda.wire.status import ERROR_TRAILER, error_for_status

if TYPE_CHECKING:
    from collections.abc import Iterable


def call_error(rpc: Rpc[Any, Any], target: str, failure: grpc.RpcError) -> MomentoError:
    """Return the error that a failed call stands for, with what was called and where."""
    # The stubs know neither that the trailers may be absent nor that they are pairs. They are no dict's argument: it
    # would take those of older releases of grpc.aio for a mapping of keys, and fail.
    trailers = cast("Iterable[tuple[str, str]]", failure.trailing_metadata() or ())
    err = next((value for name, value in trailers if name == ERROR_TRAILER), None)
    details = f"{failure.details() or 'no reason given'} ({rpc.name} at {target})"
    return error_for_status(failure.code().name, details, err)
