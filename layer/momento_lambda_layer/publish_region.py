"""What publishing asks of AWS, in one region."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from momento_lambda_layer.errors import MissingExtraError
from momento_lambda_layer.publish_errors import PublishError, client_error, error_code, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from momento_lambda_layer.publish_release import Release

# An upload over a slow line takes minutes, and asking again would publish twice.
_READ_SECONDS = 900
_CONNECT_SECONDS = 10
_PUBLIC = "public"


class LayerClient(Protocol):
    """What is used of boto3's client for Lambda."""

    def get_paginator(self, operation_name: str, /) -> Any:
        """Return what walks all pages of a list."""

    def get_layer_version(self, **request: Any) -> Mapping[str, Any]:
        """Return one version with its size and hash."""

    def publish_layer_version(self, **request: Any) -> Mapping[str, Any]:
        """Make a new version."""

    def add_layer_version_permission(self, **request: Any) -> Mapping[str, Any]:
        """Let others use a version."""


class ObjectClient(Protocol):
    """What is used of boto3's client for S3."""

    def upload_file(self, path: str, bucket: str, key: str, /, **options: Any) -> None:
        """Store a file as an object."""


class ParameterClient(Protocol):
    """What is used of boto3's client for SSM."""

    def put_parameter(self, **request: Any) -> Mapping[str, Any]:
        """Write a parameter."""


@dataclass(frozen=True, kw_only=True)
class LayerVersion:
    """A version of a layer on Lambda.

    Attributes:
        name: Of the layer.
        number: Of the version.
        arn: What a function's configuration names.
        created: When it was published.
        size: Of the zip, in bytes.
        sha256: Of the zip, in hexadecimal, as Lambda computed it from the bytes it holds.
    """

    name: str
    number: int
    arn: str
    created: datetime
    size: int
    sha256: str


class Region:
    """Lambda, S3 and SSM in one region, as an account sees them. Every method may raise `PublishError`.

    Args:
        name: ``us-east-1``.
        session: A ``boto3.Session``.
    """

    def __init__(self, name: str, session: Any) -> None:
        self.name = name
        self._session = session

    def versions(self, layer: str) -> Iterator[LayerVersion]:
        """Return the versions of a layer, newest first; none if there is no such layer."""
        with explained(self.name):
            for listed in self._listed(layer):
                yield self._version(layer, listed["Version"])

    def latest(self, release: Release) -> LayerVersion | None:
        """Return the newest version of a layer for the same runtimes and architectures, or None.

        One layer may hold the versions of several targets, and each of them has a newest of its own.
        """
        wanted = (set(release.runtimes), set(release.architectures))
        with explained(self.name):
            for listed in self._listed(release.name):
                stated = (set(listed.get("CompatibleRuntimes", ())), set(listed.get("CompatibleArchitectures", ())))
                if stated == wanted:
                    return self._version(release.name, listed["Version"])
        return None

    def layers(self, prefix: str) -> list[str]:
        """Return the names of the layers that begin with a prefix, sorted."""
        with explained(self.name):
            pages = self._lambda.get_paginator("list_layers").paginate()
            names = sorted(layer["LayerName"] for page in pages for layer in page["Layers"])
        return [name for name in names if name.startswith(prefix)]

    def publish(self, release: Release, content: Mapping[str, object]) -> LayerVersion:
        """Make a new version, and check that Lambda holds the very bytes that were meant.

        Args:
            release: What to publish.
            content: The zip itself as ``ZipFile``, or the object it is as ``S3Bucket`` and ``S3Key``.
        """
        with explained(self.name):
            answer = self._lambda.publish_layer_version(
                LayerName=release.name,
                Description=release.description,
                Content=content,
                CompatibleRuntimes=release.runtimes,
                CompatibleArchitectures=release.architectures,
                LicenseInfo=release.licence,
            )
        version = _read(release.name, answer)
        if version.sha256 != release.sha256:
            raise PublishError(
                f"{self.name}: {version.arn} holds other bytes than {release.path} had: something changed the file "
                "meanwhile; delete this version and publish again"
            )
        return version

    def upload(self, release: Release, bucket: str, advance: Callable[[int], object]) -> Mapping[str, object]:
        """Store a zip in S3, under a key that its hash makes, and return where, as `publish` takes it.

        Args:
            release: What to store.
            bucket: The bucket, in this region.
            advance: Told the number of bytes sent since it was last told.
        """
        key = f"{release.name}/{release.sha256}.zip"
        with explained(self.name):
            self._s3.upload_file(str(release.path), bucket, key, Callback=advance)
        return {"S3Bucket": bucket, "S3Key": key}

    def make_public(self, version: LayerVersion) -> None:
        """Let every account use a version; it may be so already."""
        with explained(self.name):
            try:
                self._lambda.add_layer_version_permission(
                    LayerName=version.name,
                    VersionNumber=version.number,
                    StatementId=_PUBLIC,
                    Action="lambda:GetLayerVersion",
                    Principal="*",
                )
            except client_error() as error:
                if error_code(error) != "ResourceConflictException":
                    raise

    def write_parameter(self, name: str, value: str) -> None:
        """Write a parameter, in place of what it held."""
        with explained(self.name):
            self._ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def _listed(self, layer: str) -> list[Mapping[str, Any]]:
        try:
            pages = list(self._lambda.get_paginator("list_layer_versions").paginate(LayerName=layer))
        except client_error() as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            pages = []
        listed = (version for page in pages for version in page["LayerVersions"])
        return sorted(listed, key=lambda version: int(version["Version"]), reverse=True)

    def _version(self, layer: str, number: int) -> LayerVersion:
        return _read(layer, self._lambda.get_layer_version(LayerName=layer, VersionNumber=number))

    @cached_property
    def _lambda(self) -> LayerClient:
        client: LayerClient = self._client("lambda")
        return client

    @cached_property
    def _s3(self) -> ObjectClient:
        client: ObjectClient = self._client("s3")
        return client

    @cached_property
    def _ssm(self) -> ParameterClient:
        client: ParameterClient = self._client("ssm")
        return client

    def _client(self, service: str) -> Any:
        config = import_module("botocore.config").Config(
            connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, retries={"mode": "standard"}
        )
        return self._session.client(service, region_name=self.name, config=config)


def open_regions(names: Sequence[str] = ()) -> list[Region]:
    """Return regions by their names, or the one that boto3 is configured for.

    Raises:
        MissingExtraError: boto3 is not installed.
        PublishError: There are no credentials, or no region is named or configured.
    """
    try:
        boto3 = import_module("boto3")
    except ModuleNotFoundError as error:
        raise MissingExtraError("boto3") from error
    with explained():
        session = boto3.Session()
        # Asked once, in advance: otherwise it is said of every region.
        if session.get_credentials() is None:
            raise import_module("botocore.exceptions").NoCredentialsError
    chosen = list(dict.fromkeys(names)) or [session.region_name]
    if chosen == [None]:
        raise PublishError("no region: name one with --region, or set AWS_DEFAULT_REGION")
    return [Region(name, session) for name in chosen]


def _read(layer: str, answer: Mapping[str, Any]) -> LayerVersion:
    content = answer["Content"]
    return LayerVersion(
        name=layer,
        number=answer["Version"],
        arn=answer["LayerVersionArn"],
        created=datetime.strptime(answer["CreatedDate"], "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC),
        size=content["CodeSize"],
        sha256=base64.b64decode(content["CodeSha256"]).hex(),
    )
