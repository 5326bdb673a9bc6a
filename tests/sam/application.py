"""The application as it was built and created, each of its functions ready to be run."""

import itertools
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple, final

from momento_lambda.server import LocalServer
from momento_lambda.testing import LocalLambda
from momento_lambda.testing.invocation import Invocation
from tests.sam.aws import Aws
from tests.sam.choices import layer_name, this_machine
from tests.sam.templates import Template

STACK: Final = "shop"
CACHE: Final = "products"
SECRET: Final = "momento-api-key"

EVENTS: Final = Path(__file__).parents[2] / "examples" / "sam_app" / "events"

_ids = itertools.count(1)


class Answer(NamedTuple):
    """What the API's caller gets."""

    status: int
    body: Any
    headers: dict[str, str]


def event(name: str) -> dict[str, Any]:
    """Return an event of the application's own: `read/mug`, say."""
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def new_id() -> str:
    """Return the id of a product that no other test knows."""
    return f"product-{next(_ids)}"


def get(product_id: str) -> dict[str, Any]:
    """Return the request for a product."""
    return event("read/mug") | {"pathParameters": {"id": product_id}}


def answer(invocation: Invocation) -> Answer:
    """Return what an invocation answered the API's caller."""
    assert None is invocation.error, invocation.log
    payload = invocation.payload
    return Answer(payload["statusCode"], json.loads(payload["body"] or "null"), payload["headers"])


def metrics(invocation: Invocation) -> list[dict[str, Any]]:
    """Return the lines of metrics that an invocation printed."""
    lines = invocation.log.splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"_aws"')]


@final
class Application:
    """One deployed stack.

    Args:
        build: What `sam build` made: a folder for each function and layer.
        template: The template that the stack was created from, with nothing conditional left in it.
        aws: The account that it was created in.
        server: The cache.
    """

    def __init__(self, build: Path, template: Template, aws: Aws, server: LocalServer) -> None:
        self._build = build
        self.template = template
        self.aws = aws
        self.server = server
        (stack,) = aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        self._outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in stack["Outputs"]}
        self._running: dict[str, LocalLambda] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Application":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def physical_id(self, name: str) -> str:
        """Return what a resource is called in the account."""
        return self._outputs[name]

    def function(self, name: str, **environment: str) -> LocalLambda:
        """Return a function as it was created, from its folder of the build, with the built layer.

        Args:
            name: Its logical id, by which AWS knows who calls.
            environment: Variables that are to be others than the stack's.
        """
        created = self.aws.client("lambda").get_function_configuration(FunctionName=self.physical_id(name))
        return LocalLambda(
            created["Handler"],
            task_root=self._build / name,
            layers=[self._build / layer_name(*this_machine())],
            environment=created["Environment"]["Variables"] | self.aws.variables(name) | environment,
            timeout=created["Timeout"],
            memory_size=created["MemorySize"],
            function_name=created["FunctionName"],
        )

    def invoke(self, name: str, event: dict[str, Any]) -> Invocation:
        """Have a function handle an event, in an environment that all tests share."""
        if name not in self._running:
            self._running[name] = self._stack.enter_context(self.function(name))
        return self._running[name].invoke(event)

    def token_of_a_dead_server(self) -> str:
        """Return a token that leads to where nobody listens."""
        with LocalServer(grace=0) as gone:
            return gone.create_token()

    def store_secret(self, name: str, token: str) -> str:
        """Keep a token in a secret of its own, and return what the function is to be told of it."""
        return str(self.aws.client("secretsmanager").create_secret(Name=name, SecretString=token)["ARN"])

    def put(self, product_id: str, **fields: str | int | bool) -> None:
        """Put a product into the table, past the application."""
        self.aws.client("dynamodb").put_item(TableName=self.physical_id("Products"), Item=image(product_id, **fields))

    def get(self, product_id: str) -> dict[str, Any] | None:
        """Return a product as the table has it, or None."""
        key = {"id": {"S": product_id}}
        found = self.aws.client("dynamodb").get_item(TableName=self.physical_id("Products"), Key=key)
        item: dict[str, Any] | None = found.get("Item")
        return item

    def asked(self, name: str) -> list[str]:
        """Return what a function has asked of DynamoDB so far, in order."""
        return [call.action for call in self.aws.calls if call.caller == name and call.action.startswith("dynamodb:")]


def image(product_id: str, **fields: str | int | bool) -> dict[str, Any]:
    """Return a product as DynamoDB writes it."""
    return {"id": {"S": product_id}} | {name: _attribute(value) for name, value in fields.items()}


def _attribute(value: str | int | bool) -> dict[str, Any]:  # noqa: FBT001  # the value of a field
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}
