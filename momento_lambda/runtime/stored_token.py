"""A token that AWS keeps: in Secrets Manager, or as a parameter of Systems Manager.

What is kept is the token itself, or a JSON object with the token in the field `api_key` and, where it is a v2 key,
its endpoint in `endpoint`. A secret that has other fields names the token's in MOMENTO_API_KEY_FIELD.

Messages name the variable and never what it holds: somebody may have put the token itself there.
"""

import contextlib
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

from momento_lambda.credentials import API_KEY_VARIABLE, ENDPOINT_VARIABLE, CredentialProvider
from momento_lambda.errors import InvalidTokenError, MomentoError, UnavailableError
from momento_lambda.runtime.invocation import time_left

SECRET_VARIABLE: Final = "MOMENTO_API_KEY_SECRET"  # noqa: S105  # the name of a variable, not a token
PARAMETER_VARIABLE: Final = "MOMENTO_API_KEY_PARAMETER"
FIELD_VARIABLE: Final = "MOMENTO_API_KEY_FIELD"

_DEFAULT_FIELD = "api_key"
_ENDPOINT_FIELD = "endpoint"
# Seconds to connect, and again to read: the services answer within tens of milliseconds, or the network is closed.
_TIMEOUT = 1.0
_SHORTEST_TIMEOUT = 0.05
_ATTEMPTS = 2

_MISSING = {"ResourceNotFoundException", "ParameterNotFound"}
_DENIED = {"AccessDeniedException", "DecryptionFailure", "UnrecognizedClientException", "ExpiredTokenException"}
_PASSING = {"InternalServerError", "InternalServiceError", "ThrottlingException", "TooManyUpdates"}


class _Place(NamedTuple):
    """Somewhere that AWS keeps tokens."""

    variable: str
    noun: str
    service: str
    permission: str
    read: Callable[[Any, str], Any]


_PLACES = (
    _Place(
        SECRET_VARIABLE,
        "secret",
        "secretsmanager",
        "secretsmanager:GetSecretValue",
        lambda client, name: client.get_secret_value(SecretId=name).get("SecretString"),
    ),
    _Place(
        PARAMETER_VARIABLE,
        "parameter",
        "ssm",
        "ssm:GetParameter",
        lambda client, name: client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"],
    ),
)


def stored_credentials(variables: Mapping[str, str]) -> CredentialProvider | None:
    """Return the credentials that MOMENTO_API_KEY_SECRET or MOMENTO_API_KEY_PARAMETER names, by name or ARN.

    They are read with boto3, which Lambda's runtimes have.

    Returns:
        None where neither variable is set.

    Raises:
        InvalidTokenError: There is no such thing, it may not be read, or it holds no token that could be used.
        UnavailableError: AWS does not answer.
    """
    for place in _PLACES:
        name = variables.get(place.variable)
        if name:
            return _credentials(place, _read(place, name), variables)
    return None


def _read(place: _Place, name: str) -> object:
    try:
        # Here, since it costs a cold start more than all the rest, and few need it.
        boto3 = import_module("boto3")
        exceptions = import_module("botocore.exceptions")
        config = import_module("botocore.config")
    except ImportError as error:
        raise _refusal(place, f"is read with boto3: install it, or set {API_KEY_VARIABLE} instead") from error
    seconds = _timeout()
    options = config.Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": _ATTEMPTS})
    try:
        client = boto3.Session(region_name=_region(name)).client(place.service, config=options)
        with contextlib.closing(client):
            return place.read(client, name)
    except exceptions.ClientError as error:
        raise _answer(place, error.response["Error"].get("Code", "")) from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise UnavailableError(
            f"the {place.noun} that {place.variable} names could not be read ({type(error).__name__}): "
            f"does the function's network reach {place.service}?"
        ) from error
    except exceptions.BotoCoreError as error:
        raise _refusal(place, f"could not be asked for: {error}") from error


def _timeout() -> float:
    left = time_left()
    return _TIMEOUT if left is None else min(max(left, _SHORTEST_TIMEOUT), _TIMEOUT)


def _region(name: str) -> str | None:
    """Return the region that an ARN is of; None for the function's own."""
    parts = name.split(":")
    return parts[3] or None if parts[0] == "arn" and len(parts) > 3 else None  # noqa: PLR2004  # arn:aws:ssm:region


def _answer(place: _Place, code: str) -> MomentoError:
    if code in _PASSING:
        return UnavailableError(f"the {place.noun} that {place.variable} names could not be read ({code})")
    if code in _MISSING:
        return _refusal(place, f"does not exist: check the name, account and region ({code})")
    if code in _DENIED:
        return _refusal(
            place,
            f"may not be read: allow the function's role {place.permission}, "
            f"and kms:Decrypt where a key of your own encrypts it ({code})",
        )
    return _refusal(place, f"could not be read ({code})")


def _credentials(place: _Place, text: object, variables: Mapping[str, str]) -> CredentialProvider:
    if not isinstance(text, str):
        raise _refusal(place, "holds no text: store the token as a string")
    token, endpoint = text, None
    fields = _json_object(text)
    if fields is not None:
        field = variables.get(FIELD_VARIABLE) or _DEFAULT_FIELD
        token, endpoint = fields.get(field, ""), fields.get(_ENDPOINT_FIELD)
        if not (isinstance(token, str) and token):
            raise _refusal(place, f"is a JSON object without text in {field!r}: name the field in {FIELD_VARIABLE}")
        if not (endpoint is None or isinstance(endpoint, str)):
            raise _refusal(place, f"is a JSON object whose {_ENDPOINT_FIELD!r} is no text")
    try:
        return CredentialProvider.from_environment(
            {API_KEY_VARIABLE: token, ENDPOINT_VARIABLE: endpoint or variables.get(ENDPOINT_VARIABLE, "")}
        )
    except MomentoError as error:
        raise _refusal(place, f"was read, but {error.message}") from error


def _json_object(text: str) -> dict[str, Any] | None:
    """Return the object that text spells, or None.

    It does not raise, so that no error has the decoder's in its chain, which carries what was read.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refusal(place: _Place, what: str) -> InvalidTokenError:
    return InvalidTokenError(f"no token: the {place.noun} that {place.variable} names {what}")
