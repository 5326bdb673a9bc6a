"""The application from its sources to a stack: built and packaged by sam, created on moto, with a cache beside it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from momento_lambda.server import LocalServer
from momento_lambda.testing import local_lambda_available
from tests.left_out import NO_RUNTIME_CLIENT, NO_WHEELS
from tests.sam.application import CACHE, SECRET, STACK, Application
from tests.sam.aws import REGION, Aws
from tests.sam.choices import built_choices, layer_name, this_machine
from tests.sam.templates import Template, decide, keep_layers, read, translate, without_code

ROOT: Final = Path(__file__).parents[2]
TOOLS: Final = ROOT / "build" / "sam-tools" / "bin"
BUCKET: Final = "artifacts"
PATIENCE: Final = 300
KEPT: Final = "kept.yaml"
TOLD: Final = ("AWS::Lambda::Function", "AWS::DynamoDB::Table")
# What a make that runs these tests tells the makes below it.
OUTER_MAKE: Final = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "MOMENTO_LAYER_PYTHON")

RunTool: TypeAlias = Callable[..., str]


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An account with an empty bucket in it."""
    with Aws(tmp_path_factory.mktemp("aws") / "notes") as account:
        account.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield account


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a user deploys, and beside the template one that has kept the layers that are tested alone."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, tree)
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    (tree / KEPT).write_text(keep_layers(template, [layer_name(*choice) for choice in built_choices()]))
    for name in ("layer", "examples/sam_app"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


@pytest.fixture(scope="session")
def run_tool(tree: Path, aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> RunTool:
    """Run sam or cfn-lint on the copy, from where nothing but this machine can be reached, and return what it said."""
    if not (TOOLS / "sam").exists():
        pytest.skip("the SAM application needs build/sam-tools, which `make test` prepares")
    settings = tmp_path_factory.mktemp("sam")
    # It would ask for a newer version once a week.
    (settings / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time()}), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in OUTER_MAKE} | {
        "PATH": os.pathsep.join((str(TOOLS), str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHON": sys.executable,
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(settings),
        "UV_OFFLINE": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        **aws.variables("administrator"),
    }

    def run(*command: str) -> str:
        done = subprocess.run(  # noqa: S603  # tools of ours
            command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def build(run_tool: RunTool, tree: Path) -> Path:
    """What `sam build` makes: a folder for each function and layer, and the template that names them."""
    if sys.platform != "linux":
        pytest.skip(NO_WHEELS)
    run_tool("sam", "build", "--template", KEPT)
    return tree / ".aws-sam" / "build"


@pytest.fixture(scope="session")
def packaged(run_tool: RunTool, build: Path) -> Template:
    """The template whose code lies in the account's bucket."""
    packaged = build.parent / "packaged.yaml"
    run_tool("sam", "package", "--s3-bucket", BUCKET, "--output-template-file", str(packaged))
    return read(packaged.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def translated() -> Template:
    """The template as it stands in the repository, translated."""
    template = without_code(read((ROOT / "template.yaml").read_text(encoding="utf-8")))
    return translate(template, MomentoApiKey="token")


@pytest.fixture(scope="session")
def server() -> Iterator[LocalServer]:
    """The cache."""
    with LocalServer(caches=[CACHE], grace=0) as running:
        yield running


@pytest.fixture(scope="session")
def application(packaged: Template, build: Path, aws: Aws, server: LocalServer) -> Iterator[Application]:
    """The stack for this machine's Python and processor, created from what was built."""
    if not local_lambda_available():
        pytest.skip(NO_RUNTIME_CLIENT)
    runtime, architecture = this_machine()
    parameters = {"Runtime": runtime, "Architecture": architecture, "MomentoApiKey": server.create_token()}
    template = decide(translate(packaged, **parameters), **parameters)
    create_stack(aws, template, parameters)
    with Application(build, template, aws, server) as running:
        yield running


def create_stack(aws: Aws, template: Template, parameters: dict[str, str]) -> None:
    """Create the stack as far as moto knows its kinds: the secret stands beside it, and the API has no address.

    It tells by its outputs what became of each function and table, since moto cannot list resources of other kinds.
    """
    secret = aws.client("secretsmanager").create_secret(Name=SECRET, SecretString=parameters["MomentoApiKey"])["ARN"]
    resources = {name: resource for name, resource in template["Resources"].items() if name != "ApiKey"}
    outputs = {name: output for name, output in template["Outputs"].items() if name != "ApiUrl"}
    outputs |= {name: {"Value": {"Ref": name}} for name, resource in resources.items() if resource["Type"] in TOLD}
    created = template | {"Resources": resources, "Outputs": outputs}
    body = json.dumps(_replaced(created, {"Ref": "ApiKey"}, secret))
    aws.client("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=body,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )


def _replaced(part: Any, old: object, new: object) -> Any:
    if part == old:
        return new
    if isinstance(part, dict):
        return {name: _replaced(inner, old, new) for name, inner in part.items()}
    if isinstance(part, list):
        return [_replaced(inner, old, new) for inner in part]
    return part
