"""What can go wrong with AWS, as one line that says what to do."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from momento_lambda_layer.errors import LayerError
from momento_lambda_layer.process import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGN_IN = "sign in again, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_ADVICE = {
    "AccessDenied": "allow it in the policy of this user or role",
    "AccessDeniedException": "allow it in the policy of this user or role",
    "CodeStorageExceededException": "delete old versions, or ask AWS for a higher quota",
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "InvalidClientTokenId": _SIGN_IN,
    "InvalidSignatureException": _SIGN_IN,
    "UnrecognizedClientException": f"{_SIGN_IN}; a region that the account has not enabled answers so too",
}


class PublishError(LayerError):
    """A layer could not be published, or what is published could not be read."""


@contextmanager
def explained(region: str | None = None) -> Iterator[None]:
    """Raise a `PublishError` in place of whatever boto3 raises.

    Args:
        region: Where it happens, which opens the message.
    """
    known = import_module("botocore.exceptions")
    place = f"{region}: " if region else ""
    try:
        yield
    except known.ClientError as error:
        raise PublishError(place + _refusal(error)) from error
    except (known.NoCredentialsError, known.PartialCredentialsError) as error:
        raise PublishError(f"{place}{one_line(str(error))}; {_SIGN_IN}") from error
    except (known.EndpointConnectionError, known.ConnectTimeoutError) as error:
        advice = "is it a region of AWS, and the network up?"
        raise PublishError(f"{place}{one_line(str(error))}; {advice}") from error
    # The roots of both packages' errors: an upload to S3 fails with one of boto3's own.
    except (known.BotoCoreError, import_module("boto3.exceptions").Boto3Error) as error:
        raise PublishError(place + one_line(str(error))) from error


def client_error() -> Any:
    """Return the class of what boto3 raises where AWS refuses, to be named after ``except``."""
    return import_module("botocore.exceptions").ClientError


def error_code(error: Any) -> str:
    """Return the code of a `ClientError`, such as ``AccessDeniedException``."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _refusal(error: Any) -> str:
    code = error_code(error)
    message = one_line(str(error.response.get("Error", {}).get("Message", "")))
    advice = f"; {_ADVICE[code]}" if code in _ADVICE else ""
    return f"{error.operation_name} was refused ({code}): {message}{advice}"
