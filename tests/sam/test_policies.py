"""Who may do what, in full: a permission more is a failure, and so is a wildcard that nobody gave a reason for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sam.application import EVENTS, Application, event
from tests.sam.choices import EVERYTHING
from tests.sam.templates import Template, decide
from tests.sam.test_template import FUNCTIONS, resources

Permission = tuple[str, str]

TABLE, STREAM, ORDERS, LETTERS = "Products.Arn", "Products.StreamArn", "Orders.Arn", "DeadLetters.Arn"
# The ARN of a log group ends in a star of its own, for its streams.
EVERYONE = {
    ("logs:CreateLogStream", "Logs.Arn"),
    ("logs:PutLogEvents", "Logs.Arn"),
    ("secretsmanager:GetSecretValue", "ApiKey"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
}
IN_A_VPC = {
    ("ec2:CreateNetworkInterface", "*"),
    ("ec2:DescribeNetworkInterfaces", "*"),
    ("ec2:DescribeSubnets", "*"),
    ("ec2:DeleteNetworkInterface", "*"),
    ("ec2:AssignPrivateIpAddresses", "*"),
    ("ec2:UnassignPrivateIpAddresses", "*"),
}
OWN = {
    "ReadFunction": {("dynamodb:GetItem", TABLE)},
    "BatchFunction": {("dynamodb:BatchGetItem", TABLE)},
    "WriteFunction": {("dynamodb:PutItem", TABLE), ("dynamodb:DeleteItem", TABLE)},
    "StreamFunction": {
        ("dynamodb:DescribeStream", STREAM),
        ("dynamodb:GetRecords", STREAM),
        ("dynamodb:GetShardIterator", STREAM),
        ("dynamodb:ListStreams", STREAM),
        ("sqs:SendMessage", LETTERS),
    },
    "OrdersFunction": {
        ("dynamodb:UpdateItem", TABLE),
        ("sqs:ReceiveMessage", ORDERS),
        ("sqs:DeleteMessage", ORDERS),
        ("sqs:GetQueueAttributes", ORDERS),
    },
}
EVENTS_OF = {
    "ReadFunction": "read",
    "BatchFunction": "batch",
    "WriteFunction": "write",
    "StreamFunction": "stream",
    "OrdersFunction": "orders",
}
WILDCARDS = {
    ("xray:PutTraceSegments", "*"): "traces are no resources, so X-Ray takes no other",
    ("xray:PutTelemetryRecords", "*"): "as above",
    ("ec2:CreateNetworkInterface", "*"): "Lambda makes the interface, so nobody can name it before",
    ("ec2:DeleteNetworkInterface", "*"): "as above",
    ("ec2:AssignPrivateIpAddresses", "*"): "as above",
    ("ec2:UnassignPrivateIpAddresses", "*"): "as above",
    ("ec2:DescribeNetworkInterfaces", "*"): "EC2 knows no resources when it describes",
    ("ec2:DescribeSubnets", "*"): "as above",
    ("lambda:InvokeFunction", "Api/*/GET/products"): "the one star is the API's stage",
    ("lambda:InvokeFunction", "Api/*/GET/products/*"): "as above, and the id of a product",
    ("lambda:InvokeFunction", "Api/*/PUT/products/*"): "as above",
    ("lambda:InvokeFunction", "Api/*/DELETE/products/*"): "as above",
}


def short(resource: Any) -> str:
    """Return what a statement is about, in few words."""
    match resource:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": [str(text), {"__ApiId__": {"Ref": str(name)}, "__Stage__": "*"}]}:
            return name + text.partition("${__ApiId__}")[2].replace("${__Stage__}", "*")
        case _:
            return str(resource)


def permissions(document: dict[str, Any]) -> Iterator[Permission]:
    """Yield each action of a policy with each resource; a statement that says more than those two is refused."""
    for statement in document["Statement"]:
        assert {"Effect", "Action", "Resource"} == statement.keys()
        assert "Allow" == statement["Effect"]
        actions, about = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            for resource in about if isinstance(about, list) else [about]:
                yield action, short(resource)


def of_role(template: Template, role: dict[str, Any]) -> set[Permission]:
    """Return all that a role may do."""
    # A policy of AWS's would be a text here, and no reference.
    managed = [template["Resources"][each["Ref"]]["Properties"] for each in role.get("ManagedPolicyArns", [])]
    policies = [*role.get("Policies", []), *managed]
    return {permission for policy in policies for permission in permissions(policy["PolicyDocument"])}


def invokers(template: Template) -> set[Permission]:
    """Return from where the API may invoke functions."""
    allowed = resources(template, "AWS::Lambda::Permission").values()
    assert {"apigateway.amazonaws.com"} == {permission["Principal"] for permission in allowed}
    return {(permission["Action"], short(permission["SourceArn"])) for permission in allowed}


def everything(template: Template) -> set[Permission]:
    """Return whatever anybody may do."""
    roles = resources(template, "AWS::IAM::Role").values()
    return invokers(template).union(*(of_role(template, role) for role in roles))


@pytest.mark.parametrize(("parameters", "network"), [({}, set()), (EVERYTHING, IN_A_VPC)], ids=["usual", "in a VPC"])
def test_every_permission(translated: Template, parameters: dict[str, str], network: set[Permission]) -> None:
    """Each function has a role of its own, which may do what is listed here and nothing else."""
    template = decide(translated, **parameters)
    functions = resources(template, "AWS::Lambda::Function")
    roles = {name: function["Role"]["Fn::GetAtt"][0] for name, function in functions.items()}
    assert (FUNCTIONS, len(FUNCTIONS)) == (set(roles), len(set(roles.values())))
    assert set(roles.values()) == resources(template, "AWS::IAM::Role").keys()
    granted = {name: of_role(template, template["Resources"][role]["Properties"]) for name, role in roles.items()}
    assert {name: own | EVERYONE | network for name, own in OWN.items()} == granted


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_need_what_they_may(application: Application, name: str) -> None:
    """What a function asks of the table and of the secret, over all its events, is what it may, and all of that.

    The rest is Lambda's: it writes the log, sends the traces, and reads the stream and the queue for the function.
    """
    for each in sorted((EVENTS / EVENTS_OF[name]).glob("*.json")):
        application.invoke(name, event(f"{EVENTS_OF[name]}/{each.stem}"))
    kinds = {application.physical_id("Products"): TABLE}
    asked = {(call.action, kinds.get(call.resource, "ApiKey")) for call in application.aws.calls if call.caller == name}
    assert {permission for permission in OWN[name] | EVERYONE if permission[1] in {TABLE, "ApiKey"}} == asked


def test_every_wildcard_has_its_reason(translated: Template) -> None:
    """No action and no resource has a star in it but those that are listed with a reason, and all of those are used."""
    found = everything(decide(translated, **EVERYTHING))
    assert WILDCARDS.keys() == {permission for permission in found if "*" in "".join(permission)}
    assert [] == [permission for permission in found if "*" in permission[0]]


def test_roles_are_for_lambda_alone(translated: Template) -> None:
    """Nobody but Lambda may take a role of the application."""
    for role in resources(translated, "AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        } == statement


def test_nothing_else_grants(translated: Template) -> None:
    """There is no other kind of resource that lets somebody do something."""
    granting = [name for name, each in translated["Resources"].items() if "Policy" in each["Type"]]
    assert ["FunctionPolicy"] == granting
    assert "arn:aws:iam::aws:policy" not in json.dumps(translated)
