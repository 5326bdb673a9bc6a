import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda_layer import publish
from momento_lambda_layer.archive import hash_file

if TYPE_CHECKING:
    from tests.layer_publish.conftest import Outcome

LAYER = "momento-lambda-python313-arm64"

Aws = Callable[..., Any]
MakeLayer = Callable[..., Path]
Run = Callable[..., "Outcome"]


def versions(client: Any, layer: str = LAYER) -> list[int]:
    """Return the numbers of a layer's versions, newest first."""
    return [version["Version"] for version in client.list_layer_versions(LayerName=layer)["LayerVersions"]]


def test_first_publish(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """A layer is published with its target, licence, version and hash, and its ARN stands alone on standard output."""
    path = layer()
    outcome = run("publish --region us-east-1", path)
    (found,) = aws("lambda").list_layer_versions(LayerName=LAYER)["LayerVersions"]
    assert (0, [found["LayerVersionArn"]]) == (outcome.code, outcome.out)
    assert outcome.err == [
        f"us-east-1: uploading {path.name}, 0.0 MB ...",
        f"us-east-1: published version 1 of {LAYER}",
    ]
    assert found["CompatibleRuntimes"] == ["python3.13"]
    assert found["CompatibleArchitectures"] == ["arm64"]
    assert found["LicenseInfo"].startswith("Apache-2.0")
    assert found["Description"] == f"momento-lambda 1.2.3 for python3.13 on arm64, sha256 {hash_file(path)}"


def test_published_bytes(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """What Lambda holds is the zip, byte for byte."""
    path = layer()
    run("publish --region us-east-1", path)
    held = aws("lambda").get_layer_version(LayerName=LAYER, VersionNumber=1)["Content"]
    assert hash_file(path) == b64decode(held["CodeSha256"]).hex()
    assert path.stat().st_size == held["CodeSize"]


def test_unchanged_layer(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """The same bytes, built again, publish nothing and print the ARN that they have."""
    first = run("publish --region us-east-1", layer())
    second = run("publish --region us-east-1", layer())
    assert (0, first.out) == (second.code, second.out)
    assert second.err == [f"us-east-1: unchanged since version 1 of {LAYER}, so nothing was published"]
    assert [1] == versions(aws("lambda"))


def test_changed_layer(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """Other bytes are a new version; the bytes of an older version too, since the newest is what counts."""
    arns = [
        run("publish --region us-east-1", layer(source)).out for source in (b"first = 1", b"second = 2", b"first = 1")
    ]
    assert [3, 2, 1] == versions(aws("lambda"))
    assert [[f"arn:aws:lambda:us-east-1:123456789012:layer:{LAYER}:{number}"] for number in (1, 2, 3)] == arns


def test_one_name_for_several_targets(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """Under one name, every target has a newest version of its own, and publishing all again publishes nothing."""
    targets = ("python3.12-arm64", "python3.13-arm64", "python3.13-x86_64")
    paths = [layer(name=f"momento-lambda-{target}.zip") for target in targets]
    first = [run("publish --region us-east-1 --name momento", path).out for path in paths]
    second = [run("publish --region us-east-1 --name momento", path).out for path in paths]
    assert first == second
    assert [3, 2, 1] == versions(aws("lambda"), "momento")


def test_several_regions(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """Every region named gets the layer, once, in the order named."""
    outcome = run("publish --region eu-west-1 --region us-east-1 --region eu-west-1", layer())
    assert ["eu-west-1", "us-east-1"] == [arn.split(":")[3] for arn in outcome.out]
    assert [[1], [1]] == [versions(aws("lambda", region)) for region in ("eu-west-1", "us-east-1")]


def test_configured_region(run: Run, layer: MakeLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a region named, it is the one of the environment."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    (arn,) = run("publish", layer()).out
    assert "ap-south-1" == arn.split(":")[3]


def test_failure_in_one_region(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """What fails in one region does not keep the layer from the next; the exit code tells, and a rerun repairs."""
    aws("s3").create_bucket(Bucket="layers-us-east-1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "DIRECT_UPLOAD_LIMIT", 10)
        outcome = run("publish --region eu-west-1 --region us-east-1 --bucket layers-{region}", layer())
    assert 1 == outcome.code
    assert ["us-east-1"] == [arn.split(":")[3] for arn in outcome.out]
    (error,) = (line for line in outcome.err if line.startswith("error: "))
    assert error.startswith("error: eu-west-1: ")
    assert "NoSuchBucket" in error
    again = run("publish --region eu-west-1 --region us-east-1", layer())
    assert (0, 2) == (again.code, len(again.out))
    assert [1] == versions(aws("lambda"))


def test_large_layer(run: Run, layer: MakeLayer, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer too large for one request goes through the bucket of its region, under a key that its hash makes."""
    monkeypatch.setattr(publish, "DIRECT_UPLOAD_LIMIT", 10)
    aws("s3").create_bucket(Bucket="layers-us-east-1")
    path = layer()
    outcome = run("publish --region us-east-1 --bucket layers-{region}", path)
    assert 0 == outcome.code
    (stored,) = aws("s3").list_objects_v2(Bucket="layers-us-east-1")["Contents"]
    assert f"{LAYER}/{hash_file(path)}.zip" == stored["Key"]
    held = aws("lambda").get_layer_version(LayerName=LAYER, VersionNumber=1)["Content"]
    assert hash_file(path) == b64decode(held["CodeSha256"]).hex()


def test_large_layer_without_a_bucket(run: Run, layer: MakeLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer too large for one request asks for a bucket."""
    monkeypatch.setattr(publish, "DIRECT_UPLOAD_LIMIT", 10)
    outcome = run("publish --region us-east-1", layer())
    assert (1, []) == (outcome.code, outcome.out)
    assert "must go through S3: name a bucket in us-east-1 with --bucket" in outcome.err[-1]


def test_bytes_that_changed_on_the_way(run: Run, layer: MakeLayer, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file changed between the check and the upload, the version that it became is named as wrong."""
    path = layer()
    monkeypatch.setattr(publish, "verify_layer", lambda *_: path.write_bytes(b"other bytes") and ())
    outcome = run("publish --region us-east-1", path)
    assert (1, []) == (outcome.code, outcome.out)
    assert f":{LAYER}:1 holds other bytes than {path} had" in outcome.err[-1]
    assert [1] == versions(aws("lambda"))


def test_public(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """A public layer may be used by every account, and by none otherwise."""
    run("publish --region us-east-1 --name private", layer())
    assert 0 == run("publish --region us-east-1 --public", layer()).code
    policy = json.loads(aws("lambda").get_layer_version_policy(LayerName=LAYER, VersionNumber=1)["Policy"])
    (statement,) = policy["Statement"]
    assert ("lambda:GetLayerVersion", "*") == (statement["Action"], statement["Principal"])
    with pytest.raises(aws("lambda").exceptions.ClientError, match="ResourceNotFoundException"):
        aws("lambda").get_layer_version_policy(LayerName="private", VersionNumber=1)


def test_already_public(run: Run, layer: MakeLayer, refuse: Callable[..., None]) -> None:
    """A version that is public already stays so, which is no failure."""
    run("publish --region us-east-1 --public", layer())
    refuse("AddLayerVersionPermission", "ResourceConflictException")
    outcome = run("publish --region us-east-1 --public", layer())
    assert 0 == outcome.code
    assert "us-east-1: version 1 may be used by every account" == outcome.err[-1]


def test_parameter(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """The ARN is written to the parameter, in place of what it held, whether or not a version was published."""
    aws("ssm").put_parameter(Name="/layers/momento", Value="old", Type="String")
    for source in (b"first = 1", b"second = 2", b"second = 2"):
        outcome = run("publish --region us-east-1 --ssm /layers/momento", layer(source))
        assert outcome.out == [aws("ssm").get_parameter(Name="/layers/momento")["Parameter"]["Value"]]
        assert "us-east-1: wrote the ARN to the parameter /layers/momento" == outcome.err[-1]


def test_several_runtimes(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """A layer whose file name tells several runtimes is published for each of them."""
    path = layer(name="momento-lambda-python3.12-python3.13-arm64.zip")
    assert 0 == run("publish --region us-east-1 --name multi", path).code
    (found,) = aws("lambda").list_layer_versions(LayerName="multi")["LayerVersions"]
    assert ["python3.12", "python3.13"] == found["CompatibleRuntimes"]
    assert ["arm64"] == found["CompatibleArchitectures"]


def test_target_by_manifest(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """The manifest says what a layer of any name is for."""
    targets = [{"runtime": runtime, "architecture": "x86_64"} for runtime in ("python3.11", "python3.14")]
    assert 0 == run("publish --region us-east-1", layer(name="mine.zip", targets=targets)).code
    (found,) = aws("lambda").list_layer_versions(LayerName="mine")["LayerVersions"]
    assert ["python3.11", "python3.14"] == found["CompatibleRuntimes"]
    assert ["x86_64"] == found["CompatibleArchitectures"]


def test_target_by_options(run: Run, layer: MakeLayer, aws: Aws) -> None:
    """Options say what a layer of any name is for, and it need have no manifest."""
    path = layer(name="mine.zip", manifest=False)
    assert 0 == run("publish --region us-east-1 --runtime 3.12 --runtime python3.13 --arch aarch64", path).code
    (found,) = aws("lambda").list_layer_versions(LayerName="mine")["LayerVersions"]
    assert ["python3.12", "python3.13"] == found["CompatibleRuntimes"]
    assert f"python3.12, python3.13 on arm64, sha256 {hash_file(path)}" == found["Description"]


def test_faulty_layer(run: Run, tmp_path: Path, aws: Aws) -> None:
    """A layer with a fault is not published, and the fault is told; unless that is what the user wants."""
    path = tmp_path / "layer-python3.13-arm64.zip"
    path.write_bytes(b"PK\5\6" + bytes(18))
    outcome = run("publish --region us-east-1", path)
    assert (1, []) == (outcome.code, outcome.out)
    assert "  on Lambda  ModuleNotFoundError for every import: nothing in it is importable" in outcome.err
    assert f"error: {path} has faults: 1; mend them, or publish it so with --no-verify" == outcome.err[-1]
    assert [] == versions(aws("lambda"), "layer-python313-arm64")
    assert 0 == run("publish --region us-east-1 --no-verify", path).code
