"""An AWS account in memory, and small layers to publish to it."""

import json
import shlex
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile, ZipInfo

import pytest
from moto import mock_aws

from momento_lambda_layer.cli import main

NAME = "momento-lambda-python3.13-arm64.zip"


class Outcome(NamedTuple):
    """What a command did: its exit code, and the lines that it wrote."""

    code: int
    out: list[str]
    err: list[str]


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty account with credentials of no worth; nothing of this machine's own configuration is read."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with mock_aws():
        yield


@pytest.fixture
def aws() -> Callable[..., Any]:
    """Make a client of the account for a service, in us-east-1 unless told otherwise."""

    def client(service: str, region: str = "us-east-1") -> Any:
        return import_module("boto3").client(service, region_name=region)

    return client


@pytest.fixture
def layer(tmp_path: Path) -> Callable[..., Path]:
    """Write a small layer, with a manifest that says what a build's does, and more if told to."""

    def write(source: bytes = b"ANSWER = 42\n", *, name: str = NAME, manifest: bool = True, **stated: object) -> Path:
        path = tmp_path / name
        with ZipFile(path, "w") as archive:
            entry = ZipInfo("python/example.py")
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, source)
        if manifest:
            digest = sha256(path.read_bytes()).hexdigest()
            content = {"name": "momento-lambda", "version": "1.2.3", "sha256": digest, **stated}
            path.with_suffix(".json").write_text(json.dumps(content))
        return path

    return write


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command line, whose paths stand apart from its options."""

    def run_command(command: str, *paths: Path) -> Outcome:
        code = main([*shlex.split(command), *map(str, paths)])
        said = capsys.readouterr()
        return Outcome(code, said.out.splitlines(), said.err.splitlines())

    return run_command


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Make one operation of AWS fail."""

    def fail_with(operation: str, error: Exception) -> None:
        base = import_module("botocore.client").BaseClient
        working = base._make_api_call  # noqa: SLF001  # the one place that every call of boto3 passes

        def call(client: Any, name: str, request: Any) -> Any:
            if name == operation:
                raise error
            return working(client, name, request)

        monkeypatch.setattr(base, "_make_api_call", call)

    return fail_with


@pytest.fixture
def refuse(fail: Callable[[str, Exception], None]) -> Callable[..., None]:
    """Make AWS refuse one operation with a code."""

    def refuse_with(operation: str, code: str, message: str = "AWS says why") -> None:
        refusal = import_module("botocore.exceptions").ClientError
        fail(operation, refusal({"Error": {"Code": code, "Message": message}}, operation))

    return refuse_with
