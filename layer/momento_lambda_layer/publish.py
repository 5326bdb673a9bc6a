"""The commands `publish` and `list`: layers on Lambda.

An unchanged layer is not published again. What is compared is the hash of the zip with the one that Lambda itself
computes from the bytes it holds and gives with every version: it is kept nowhere else, so it cannot be out of date,
and no machine needs to have published before. The same zip follows from the same inputs, so a build that changed
nothing publishes nothing.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer import arguments
from momento_lambda_layer.checks import DIRECT_UPLOAD_LIMIT
from momento_lambda_layer.publish_errors import PublishError
from momento_lambda_layer.publish_progress import say, uploading
from momento_lambda_layer.publish_region import open_regions
from momento_lambda_layer.publish_release import LICENCE, Release
from momento_lambda_layer.verify import verify_layer

if TYPE_CHECKING:
    from collections.abc import Callable

    from momento_lambda_layer.publish_region import LayerVersion, Region

PREFIX = "momento-lambda"
_FAILED = 1
_LICENCE_CHARACTERS = 512


def add_commands(subparsers: arguments.Commands) -> None:
    """Add the commands to a parser; each sets `run`, which takes the options and returns the exit code."""
    regions = argparse.ArgumentParser(add_help=False)
    regions.add_argument(
        "--region",
        action="append",
        default=[],
        type=_matching(r"[a-z]+(-[a-z]+)+-[0-9]+", "us-east-1"),
        help="a region, and more if repeated; the one that AWS_DEFAULT_REGION or the profile names, unless given",
    )
    name = _matching(r"[A-Za-z0-9_-]{1,140}", "momento-lambda-python313-arm64 (letters, digits, - and _)")
    _add_publish(subparsers, regions, name)
    _add_list(subparsers, regions, name)


def _add_publish(subparsers: arguments.Commands, regions: argparse.ArgumentParser, name: Callable[[str], str]) -> None:
    publish = subparsers.add_parser(
        "publish",
        parents=[regions],
        help="publish a layer's zip to Lambda, and print its ARN",
        description="Publish a layer's zip, unless the newest version for its target is the same already. Prints the "
        "ARN of the version in each region, alone on a line.",
    )
    publish.add_argument("zip", type=Path, metavar="ZIP", help="as built; its manifest or name tells the target")
    publish.add_argument("--name", type=name, help="of the layer on Lambda; the file's, unless given")
    publish.add_argument(
        "--runtime",
        action="append",
        default=[],
        type=arguments.runtime,
        metavar="3.13",
        help="3.13 or python3.13, and more if repeated; as its manifest or name tells, unless given",
    )
    publish.add_argument(
        "--arch",
        type=arguments.architecture,
        help="x86_64 or arm64; as its manifest or name tells, unless given",
    )
    publish.add_argument("--public", action="store_true", help="let every AWS account use it")
    publish.add_argument(
        "--bucket", help="where a zip over 50 MB is uploaded first; {region} in it becomes the region's name"
    )
    publish.add_argument(
        "--ssm",
        type=_matching(r"(/[A-Za-z0-9_.-]+)+|[A-Za-z0-9_.-]+", "/layers/momento-lambda"),
        metavar="NAME",
        help="an SSM parameter to write the ARN to, in each region",
    )
    publish.add_argument("--license", type=_licence, default=LICENCE, help="the licence that Lambda shows")
    publish.add_argument("--no-verify", action="store_true", help="publish even what verify would find faulty")
    publish.set_defaults(run=_publish)


def _add_list(subparsers: arguments.Commands, regions: argparse.ArgumentParser, name: Callable[[str], str]) -> None:
    versions = subparsers.add_parser(
        "list",
        parents=[regions],
        help="list the published versions of a layer",
        description="Print one line for each version, newest first: region, version, time of creation, size of the "
        "zip, first 12 digits of its SHA-256, ARN.",
    )
    versions.add_argument("--name", type=name, help=f"of the layer; every one that begins with {PREFIX}, unless given")
    versions.set_defaults(run=_list)


def _publish(options: argparse.Namespace) -> int:
    release = Release.of(
        options.zip,
        name=options.name,
        runtimes=[runtime.name for runtime in options.runtime],
        architecture=options.arch and options.arch.name,
        licence=options.license,
    )
    if not options.no_verify:
        _verify(release)
    return _each(open_regions(options.region), lambda region: _publish_in(region, release, options))


def _publish_in(region: Region, release: Release, options: argparse.Namespace) -> None:
    version = region.latest(release)
    if version and version.sha256 == release.sha256:
        say(f"{region.name}: unchanged since version {version.number} of {release.name}, so nothing was published")
    else:
        version = _upload(region, release, options.bucket)
        say(f"{region.name}: published version {version.number} of {release.name}")
    if options.public:
        region.make_public(version)
        say(f"{region.name}: version {version.number} may be used by every account")
    if options.ssm:
        region.write_parameter(options.ssm, version.arn)
        say(f"{region.name}: wrote the ARN to the parameter {options.ssm}")
    # Last, so that who reads it finds all of it done; at once, so that a failure elsewhere does not hide it.
    _print(version.arn)


def _upload(region: Region, release: Release, bucket: str | None) -> LayerVersion:
    what = f"{region.name}: uploading {release.path.name}, {_megabytes(release.size)}"
    if release.size <= DIRECT_UPLOAD_LIMIT:
        with uploading(what, None):
            return region.publish(release, {"ZipFile": release.path.read_bytes()})
    if bucket is None:
        raise PublishError(
            f"{release.path} has {_megabytes(release.size)}, and more than {_megabytes(DIRECT_UPLOAD_LIMIT)} must go "
            f"through S3: name a bucket in {region.name} with --bucket"
        )
    with uploading(what, release.size) as advance:
        content = region.upload(release, bucket.replace("{region}", region.name), advance)
    return region.publish(release, content)


def _verify(release: Release) -> None:
    findings = dict.fromkeys(finding for target in release.targets for finding in verify_layer(release.path, target))
    for finding in findings:
        say(f"{finding.place}\n  on Lambda  {finding.symptom}\n  to fix it  {finding.remedy}")
    if findings:
        raise PublishError(f"{release.path} has faults: {len(findings)}; mend them, or publish it so with --no-verify")


def _list(options: argparse.Namespace) -> int:
    return _each(open_regions(options.region), lambda region: _list_in(region, options.name))


def _list_in(region: Region, name: str | None) -> None:
    found = False
    for layer in [name] if name else region.layers(PREFIX):
        for version in region.versions(layer):
            found = True
            _print(
                f"{region.name}  {version.number:>3}  {version.created:%Y-%m-%dT%H:%M:%SZ}  "
                f"{_megabytes(version.size):>8}  {version.sha256[:12]}  {version.arn}"
            )
    if not found:
        say(f"{region.name}: no version of {name or f'a layer named {PREFIX}...'}")


def _each(regions: list[Region], act: Callable[[Region], None]) -> int:
    """Act in every region: what fails in one is said, and does not keep it from the others."""
    failed = 0
    for region in regions:
        try:
            act(region)
        except PublishError as error:
            say(f"error: {error}")
            failed = _FAILED
    return failed


def _matching(pattern: str, example: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"{text!r} is not of the form of {example}")
        return text

    return check


def _licence(text: str) -> str:
    if len(text) > _LICENCE_CHARACTERS:
        raise argparse.ArgumentTypeError(f"{len(text)} characters are too many: Lambda takes {_LICENCE_CHARACTERS}")
    return text


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
