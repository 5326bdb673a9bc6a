"""What `sam build` makes, and the stack that is created from it."""

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda_layer import Target, diagnose, verify_layer
from tests.sam.application import STACK, Application
from tests.sam.choices import built_choices, layer_name, this_machine
from tests.sam.conftest import BUCKET, ROOT
from tests.sam.templates import Template

if TYPE_CHECKING:
    from tests.sam.aws import Aws

SOURCES = ROOT / "examples" / "sam_app"
FOLDERS = dict.fromkeys(("ReadFunction", "BatchFunction", "WriteFunction", "StreamFunction"), "products")
FOLDERS["OrdersFunction"] = "orders"


def files(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize(("function", "folder"), FOLDERS.items())
def test_functions(build: Path, function: str, folder: str) -> None:
    """A function is its folder and nothing else: all that it needs besides is in the layer or in Lambda."""
    assert files(SOURCES / folder) == files(build / function)


@pytest.mark.parametrize(("runtime", "architecture"), built_choices())
def test_layers(packaged: Template, aws: "Aws", tmp_path: Path, *, runtime: str, architecture: str) -> None:
    """A layer is built by the Makefile, and the zip that is deployed passes `layer verify` for what it is for."""
    bucket, _, key = (
        packaged["Resources"][layer_name(runtime, architecture)]["Properties"]["ContentUri"]
        .removeprefix("s3://")
        .partition("/")
    )
    archive = tmp_path / "layer.zip"
    aws.client("s3").download_file(bucket, key, str(archive))
    # Its code is run where it could be run at all.
    runs_here = (runtime, architecture) == this_machine()
    assert () == verify_layer(archive, Target.of(runtime, architecture), run=runs_here)


@pytest.mark.parametrize("function", FOLDERS)
def test_functions_fit_their_layer(build: Path, function: str) -> None:
    """`layer doctor` finds nothing wrong with a function and its layer together."""
    choice = this_machine()
    assert () == diagnose([build / function, build / layer_name(*choice)], Target.of(*choice))


def test_stack(application: Application) -> None:
    """The stack of this machine's choice is created from what was built."""
    (stack,) = application.aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert "CREATE_COMPLETE" == stack["StackStatus"]


def test_code(application: Application) -> None:
    """What each function runs is the artifact that was put into the bucket, for this machine's choice."""
    runtime, _ = this_machine()
    s3, functions = application.aws.client("s3"), application.aws.client("lambda")
    for name in FOLDERS:
        created = functions.get_function_configuration(FunctionName=application.physical_id(name))
        code = application.template["Resources"][name]["Properties"]["Code"]
        artifact = s3.get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])["Body"].read()
        assert BUCKET == code["S3Bucket"]
        assert (digest(artifact), runtime) == (created["CodeSha256"], created["Runtime"])


def test_event_sources(application: Application) -> None:
    """The stream and the queue of the stack lead to their functions."""
    sources = application.aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    led = {service(source): source["FunctionArn"].rpartition(":")[2] for source in sources}
    expected = {"dynamodb": "StreamFunction", "sqs": "OrdersFunction"}
    assert {kind: application.physical_id(name) for kind, name in expected.items()} == led


def service(source: dict[str, Any]) -> str:
    """Return the service that a source is of."""
    return str(source["EventSourceArn"]).split(":")[2]


def digest(content: bytes) -> str:
    """Return a digest as Lambda tells it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
