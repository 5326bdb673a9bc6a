"""Tokens that AWS keeps, read with boto3 from a stand-in for AWS."""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3  # type: ignore[import-untyped]  # it has no types
import botocore.client  # type: ignore[import-untyped]  # nor has this
import pytest
from botocore.exceptions import (  # type: ignore[import-untyped]  # nor has this
    ClientError,
    ConnectTimeoutError,
    NoCredentialsError,
    ReadTimeoutError,
)
from moto import mock_aws

from momento_lambda import Configuration, InvalidTokenError, Miss, MomentoError, UnavailableError
from momento_lambda.runtime.clients import shared_clients
from momento_lambda.runtime.credential_source import environment_credentials
from momento_lambda.runtime.invocation import Invocation
from momento_lambda.server import LocalServer

PATIENT = 30.0
REGION = "eu-central-1"
PLACES = ["MOMENTO_API_KEY_SECRET", "MOMENTO_API_KEY_PARAMETER"]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account without anything in it, and a function's environment in which nothing says the token."""
    for name in ("MOMENTO_API_KEY", "MOMENTO_API_KEY_FIELD", *PLACES):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture(params=PLACES)
def variable(request: pytest.FixtureRequest) -> str:
    """The variable that names what AWS keeps."""
    return str(request.param)


def keep(variable: str, text: str, *, region: str = REGION) -> str:
    """Have AWS keep a text under the name "momento", in place of what it kept, and return its ARN."""
    if variable == "MOMENTO_API_KEY_SECRET":
        secrets = boto3.client("secretsmanager", region_name=region)
        known = secrets.list_secrets()["SecretList"]
        if known:
            return str(secrets.put_secret_value(SecretId="momento", SecretString=text)["ARN"])
        return str(secrets.create_secret(Name="momento", SecretString=text)["ARN"])
    parameters = boto3.client("ssm", region_name=region)
    parameters.put_parameter(Name="momento", Value=text, Type="SecureString", Overwrite=True)
    return str(parameters.get_parameter(Name="momento")["Parameter"]["ARN"])


def test_the_token_itself(server: LocalServer, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """What is kept may be the token as it is, space around it aside; parameters are decrypted."""
    token = server.create_token()
    keep(variable, f" {token}\n")
    monkeypatch.setenv(variable, "momento")
    assert token == environment_credentials().auth_token


def test_another_region(server: LocalServer, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """An ARN is looked up in the region that it is of."""
    token = server.create_token()
    monkeypatch.setenv(variable, keep(variable, token, region="us-west-2"))
    assert token == environment_credentials().auth_token


@pytest.mark.parametrize(
    ("field", "endpoint", "address"),
    [
        (None, "127.0.0.1:1", "127.0.0.1:1"),
        (None, None, "127.0.0.1:2"),
        (None, "", "127.0.0.1:2"),
        ("momento_key", "127.0.0.1:1", "127.0.0.1:1"),
    ],
    ids=["with an endpoint", "endpoint in the environment", "empty endpoint", "named field"],
)
def test_json(
    server: LocalServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    field: str | None,
    endpoint: str | None,
    address: str,
) -> None:
    """It may be a JSON object with the token in a field, and the endpoint of a v2 key in another."""
    token = server.create_token(format="v2")
    fields: dict[str, Any] = {field or "api_key": token, "password": "of something else"}
    keep(PLACES[0], json.dumps(fields if endpoint is None else fields | {"endpoint": endpoint}))
    monkeypatch.setenv(PLACES[0], "momento")
    monkeypatch.setenv("MOMENTO_ENDPOINT", "127.0.0.1:2")
    if field is not None:
        monkeypatch.setenv("MOMENTO_API_KEY_FIELD", field)
    found = environment_credentials()
    assert (token, address) == (found.auth_token, found.cache_endpoint.target)


SECRET = "s3cr3t-that-nobody-may-see"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SECRET, "was read, but the token cannot be used"),
        (f'"{SECRET}"', "was read, but the token cannot be used"),
        (json.dumps({"password": SECRET}), r"without text in 'api_key': name the field in MOMENTO_API_KEY_FIELD"),
        (json.dumps({"api_key": {"token": SECRET}}), "without text in 'api_key'"),
        (json.dumps({"api_key": SECRET, "endpoint": 7}), "'endpoint' is no text"),
        (json.dumps([SECRET]), "was read, but the token cannot be used"),
        (f'{{"api_key": "{SECRET}"', "was read, but the token cannot be used"),
        ("[" * 4_000, "was read, but the token cannot be used"),
    ],
    ids=["nonsense", "JSON text", "other fields", "no text", "endpoint", "array", "cut short", "deep"],
)
def test_nothing_that_could_be_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, text: str, message: str
) -> None:
    """What cannot be used is an error that names the variable and says what is wrong, and never what was read."""
    caplog.set_level(logging.DEBUG, logger="momento_lambda")
    keep(PLACES[0], text)
    monkeypatch.setenv(PLACES[0], "momento")
    with pytest.raises(InvalidTokenError, match=f"{PLACES[0]} names.*{message}") as caught:
        environment_credentials()
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "\n" not in caught.value.message


def test_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of bytes holds no token."""
    boto3.client("secretsmanager").create_secret(Name="momento", SecretBinary=b"token")
    monkeypatch.setenv("MOMENTO_API_KEY_SECRET", "momento")
    with pytest.raises(InvalidTokenError, match="holds no text"):
        environment_credentials()


def test_nothing_there(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """A name that AWS does not know is an error that does not repeat it: it may be a token in the wrong place."""
    monkeypatch.setenv(variable, SECRET)
    with pytest.raises(InvalidTokenError, match=rf"{variable} names does not exist: check the name") as caught:
        environment_credentials()
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(
    ("failure", "kind", "message"),
    [
        ("AccessDeniedException", InvalidTokenError, r"may not be read: allow the function's role (secretsm|ssm:Get)"),
        ("ThrottlingException", UnavailableError, r"could not be read \(ThrottlingException\)"),
        ("ValidationException", InvalidTokenError, r"could not be read \(ValidationException\)"),
        (ConnectTimeoutError(endpoint_url="https://aws"), UnavailableError, r".*does the function's network reach "),
        (ReadTimeoutError(endpoint_url="https://aws"), UnavailableError, r".* \(ReadTimeoutError\)"),
        (NoCredentialsError(), InvalidTokenError, "could not be asked for: Unable to locate credentials"),
    ],
    ids=["denied", "throttled", "invalid", "no way there", "no answer", "no role"],
)
def test_aws_refuses(
    monkeypatch: pytest.MonkeyPatch, variable: str, *, failure: str | Exception, kind: type[MomentoError], message: str
) -> None:
    """Whatever AWS answers is an error of ours: what passes by itself is unavailable, the rest names the fix."""
    monkeypatch.setenv(variable, "momento")

    def refuse(_: object, operation: str, __: object) -> None:
        raise ClientError({"Error": {"Code": failure}}, operation) if isinstance(failure, str) else failure

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
    with pytest.raises(kind, match=f"{variable} names {message}") as caught:
        environment_credentials()
    assert caught.value.__cause__ is not None


def test_without_boto3(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Where there is no boto3 the error says to install it, or which variable to set instead."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setenv(variable, "momento")
    with pytest.raises(
        InvalidTokenError, match=rf"{variable} names is read with boto3: install .*MOMENTO_API_KEY inst"
    ):
        environment_credentials()


@pytest.mark.parametrize(("seconds", "timeout"), [(None, 1.0), (60.0, 1.0), (0.55, 0.5), (0.01, 0.05)])
def test_patience(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch, *, seconds: float | None, timeout: float
) -> None:
    """AWS is given a second to connect and one to answer, twice, or what the invocation has left if that is less."""
    monkeypatch.setenv(PLACES[0], "momento")
    with patch.object(botocore.client.BaseClient, "_make_api_call", autospec=True) as call, Invocation(seconds):
        call.return_value = {"SecretString": server.create_token(), "Parameter": {"Value": server.create_token()}}
        environment_credentials()
    config = call.call_args.args[0].meta.config
    assert pytest.approx(timeout, abs=0.1) == config.connect_timeout == config.read_timeout
    assert 2 == config.retries["total_max_attempts"]


def test_read_once(server: LocalServer, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """AWS is asked once in the life of an environment, however many sets of clients there are."""
    keep(variable, server.create_token())
    monkeypatch.setenv(variable, "momento")
    original, asked = botocore.client.BaseClient._make_api_call, []  # noqa: SLF001  # where every request goes through

    def count(client: Any, operation: str, arguments: Any) -> Any:
        asked.append(operation)
        return original(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", count)
    for retries in range(3):
        clients = shared_clients(Configuration(timeout=PATIENT, retries=retries), PATIENT)
        assert Miss() == clients.for_threads().get("cache", "absent")
    assert 1 == len(asked)


def test_boto3_is_imported_only_for_this(monkeypatch: pytest.MonkeyPatch, server: LocalServer) -> None:
    """A token in the environment needs no boto3."""
    monkeypatch.setenv("MOMENTO_API_KEY", server.create_token())
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert environment_credentials().auth_token
