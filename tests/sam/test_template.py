"""What becomes of the template, asserted on its translation."""

import json
import re
from typing import Any

import pytest

from momento_lambda.caching.metric_names import BREAKER_OPEN, COUNTS, TIMES
from momento_lambda_layer.target import ARCHITECTURES, RUNTIMES
from tests.sam.choices import EVERYTHING, every_choice, layer_name
from tests.sam.conftest import ROOT
from tests.sam.templates import Template, decide, keep_layers, read, translate, without_code

FUNCTIONS = {"ReadFunction", "BatchFunction", "WriteFunction", "StreamFunction", "OrdersFunction"}
STACK_NAME = {"Ref": "AWS::StackName"}
EMITTED = {name for names in COUNTS.values() for name in names} | set(TIMES.values()) | {BREAKER_OPEN}


@pytest.fixture
def usual(translated: Template) -> Template:
    """The stack of somebody who gave a token and took every default."""
    return decide(translated)


@pytest.fixture
def private(translated: Template) -> Template:
    """The stack of somebody who gave every parameter."""
    return decide(translated, **EVERYTHING)


def resources(template: Template, kind: str) -> dict[str, Any]:
    """Return the properties of all resources of a kind, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def functions(template: Template) -> dict[str, Any]:
    """Return the properties of the functions."""
    return resources(template, "AWS::Lambda::Function")


def test_what_may_be_chosen(translated: Template) -> None:
    """The runtimes and processors to choose from are those that there are layers for."""
    parameters = translated["Parameters"]
    assert [runtime.name for runtime in RUNTIMES] == parameters["Runtime"]["AllowedValues"]
    assert {architecture.name for architecture in ARCHITECTURES} == set(parameters["Architecture"]["AllowedValues"])


@pytest.mark.parametrize(("runtime", "architecture"), every_choice())
def test_each_choice_has_its_layer(translated: Template, runtime: str, architecture: str) -> None:
    """Each choice creates the one layer that is built for it, keeps its versions, and gives it to every function."""
    chosen = decide(translated, Runtime=runtime, Architecture=architecture)
    ((name, layer),) = resources(chosen, "AWS::Lambda::LayerVersion").items()
    assert ([runtime], [architecture]) == (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"])
    assert "Retain" == chosen["Resources"][name]["DeletionPolicy"]
    assert name.startswith(layer_name(runtime, architecture))
    assert FUNCTIONS == functions(chosen).keys()
    for function in functions(chosen).values():
        assert (runtime, [architecture], [{"Ref": name}]) == (
            function["Runtime"],
            function["Architectures"],
            function["Layers"],
        )


def test_what_is_kept_is_what_fits(translated: Template) -> None:
    """A template that kept one layer, as it suggests, becomes the same for that choice, and has no other layer."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    kept = translate(without_code(read(keep_layers(text, ["MomentoLayerPowertoolsPython313Arm64"]))), MomentoApiKey="t")
    assert decide(kept) == decide(translated)
    assert 1 == len(resources(kept, "AWS::Lambda::LayerVersion"))


def test_environment(usual: Template, private: Template) -> None:
    """Every function is told of the secret, never of the token, of the cache, the metrics' namespace and the table."""
    expected = {
        "MOMENTO_API_KEY_SECRET": {"Ref": "ApiKey"},
        "MOMENTO_CACHE_NAME": "products",
        "MOMENTO_METRICS_NAMESPACE": STACK_NAME,
        "TABLE_NAME": {"Ref": "Products"},
    }
    for function in functions(usual).values():
        assert expected == function["Environment"]["Variables"]
    for function in functions(private).values():
        assert expected | {"MOMENTO_ENDPOINT": "cell.example.com"} == function["Environment"]["Variables"]


def test_token(translated: Template) -> None:
    """The token stands in the secret and nowhere else, and no console shows what was given."""
    assert translated["Parameters"]["MomentoApiKey"]["NoEcho"] is True
    token = json.dumps({"Ref": "MomentoApiKey"})
    assert 1 == json.dumps(translated).count(token)
    assert {"Ref": "MomentoApiKey"} == translated["Resources"]["ApiKey"]["Properties"]["SecretString"]
    assert "${MomentoApiKey}" not in json.dumps(translated)


def test_private_network(usual: Template, private: Template) -> None:
    """With subnets the functions are in them, with the cache's endpoint service there is an endpoint; else neither."""
    assert all("VpcConfig" not in function for function in functions(usual).values())
    assert ({}, {}) == (resources(usual, "AWS::EC2::VPCEndpoint"), resources(usual, "AWS::EC2::SecurityGroup"))
    subnets, groups = EVERYTHING["SubnetIds"].split(","), EVERYTHING["SecurityGroupIds"].split(",")
    for function in functions(private).values():
        assert {"SubnetIds": subnets, "SecurityGroupIds": groups} == function["VpcConfig"]
    (endpoint,) = resources(private, "AWS::EC2::VPCEndpoint").values()
    assert ("Interface", True, subnets, EVERYTHING["VpcEndpointServiceName"]) == tuple(
        endpoint[name] for name in ("VpcEndpointType", "PrivateDnsEnabled", "SubnetIds", "ServiceName")
    )
    (group,) = resources(private, "AWS::EC2::SecurityGroup").values()
    (rule,) = group["SecurityGroupIngress"]
    assert (443, 443, {"Fn::Select": [0, groups]}) == (
        rule["FromPort"],
        rule["ToPort"],
        rule["SourceSecurityGroupId"],
    )


def test_tracing_and_logs(usual: Template) -> None:
    """Every function is traced, and logs to the one group, which keeps what it is given for a time."""
    ((name, group),) = resources(usual, "AWS::Logs::LogGroup").items()
    assert 14 == group["RetentionInDays"]
    for function in functions(usual).values():
        assert ({"Mode": "Active"}, {"LogGroup": {"Ref": name}}) == (
            function["TracingConfig"],
            function["LoggingConfig"],
        )


def test_table(usual: Template) -> None:
    """The table is billed by request, outlives the stack once it has been made, and has a stream of new images."""
    ((name, table),) = resources(usual, "AWS::DynamoDB::Table").items()
    assert ("PAY_PER_REQUEST", "NEW_IMAGE") == (table["BillingMode"], table["StreamSpecification"]["StreamViewType"])
    resource = usual["Resources"][name]
    assert ("RetainExceptOnCreate", "Retain") == (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])


def test_event_sources(usual: Template) -> None:
    """Stream and queue are told which records failed, and what fails for good is kept as a dead letter."""
    sources = {
        source["FunctionName"]["Ref"]: source for source in resources(usual, "AWS::Lambda::EventSourceMapping").values()
    }
    assert {"StreamFunction", "OrdersFunction"} == sources.keys()
    assert all(["ReportBatchItemFailures"] == source["FunctionResponseTypes"] for source in sources.values())
    letters = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    stream = sources["StreamFunction"]
    assert ({"Fn::GetAtt": ["Products", "StreamArn"]}, {"OnFailure": {"Destination": letters}}) == (
        stream["EventSourceArn"],
        stream["DestinationConfig"],
    )
    assert 0 < stream["MaximumRetryAttempts"] < 100
    orders = usual["Resources"]["Orders"]["Properties"]
    assert {"Fn::GetAtt": ["Orders", "Arn"]} == sources["OrdersFunction"]["EventSourceArn"]
    assert {"deadLetterTargetArn": letters, "maxReceiveCount": 3} == orders["RedrivePolicy"]


def test_no_order_is_delivered_while_it_may_be_worked_on(usual: Template) -> None:
    """A message is out of sight for six times as long as the function may take, as Lambda asks."""
    orders = usual["Resources"]["Orders"]["Properties"]
    assert 6 * functions(usual)["OrdersFunction"]["Timeout"] <= orders["VisibilityTimeout"]


def test_routes(usual: Template) -> None:
    """Reading is open to everyone; what changes a product asks for a signed request."""
    (api,) = resources(usual, "AWS::ApiGatewayV2::Api").values()
    routes = {
        (method.upper(), path): (
            re.findall(r"\$\{(\w+)\.Arn\}", operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]),
            operation.get("security"),
        )
        for path, methods in api["Body"]["paths"].items()
        for method, operation in methods.items()
    }
    signed: list[dict[str, list[str]]] = [{"AWS_IAM": []}]
    assert {
        ("GET", "/products/{id}"): (["ReadFunction"], None),
        ("GET", "/products"): (["BatchFunction"], None),
        ("PUT", "/products/{id}"): (["WriteFunction"], signed),
        ("DELETE", "/products/{id}"): (["WriteFunction"], signed),
    } == routes


def widgets(template: Template) -> list[dict[str, Any]]:
    """Return the widgets of the dashboard, the names in it as they stand in the template."""
    (dashboard,) = resources(template, "AWS::CloudWatch::Dashboard").values()
    body: dict[str, list[dict[str, Any]]] = json.loads(dashboard["DashboardBody"]["Fn::Sub"])
    return body["widgets"]


def test_dashboard(usual: Template) -> None:
    """Hit rate, percentiles of latency, errors and the breaker are on it, from metrics that the library emits."""
    metrics = [metric for widget in widgets(usual) for metric in widget["properties"]["metrics"]]
    ours = [metric for metric in metrics if metric[0] == "${AWS::StackName}"]
    assert all(["CacheName", "${CacheName}"] == metric[2:4] for metric in ours)
    shown = {metric[1] for metric in ours}
    assert shown <= EMITTED
    assert {"CacheHits", "CacheMisses", "CacheErrors", "CacheLoadErrors", "CacheSkips", "CacheBreakerOpen"} <= shown
    percentiles = {(metric[1], metric[-1].get("stat")) for metric in ours}
    assert {(name, p) for name in ("CacheReadTime", "CacheLoadTime") for p in ("p50", "p90", "p99")} <= percentiles
    rates = [metric[0]["expression"] for metric in metrics if isinstance(metric[0], dict)]
    assert ["100 * hits / (hits + misses)"] == rates


def test_dashboard_shows_every_function_and_queue(usual: Template) -> None:
    """Whatever works or waits is on it, and nothing overlaps."""
    text = json.dumps(widgets(usual))
    for name in FUNCTIONS:
        assert 2 == text.count(f"${{{name}}}")
    assert "${Orders.QueueName}" in text
    assert "${DeadLetters.QueueName}" in text
    places = [tuple(widget[side] for side in ("x", "y", "width", "height")) for widget in widgets(usual)]
    squares = [
        (x + right, y + down) for x, y, width, height in places for right in range(width) for down in range(height)
    ]
    assert (len(squares), 24) == (len(set(squares)), max(x for x, _ in squares) + 1)


def watched(alarm: dict[str, Any]) -> list[tuple[Any, str, dict[str, Any]]]:
    """Return namespace, name and dimensions of what an alarm watches."""
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query] or [alarm]
    return [
        (metric["Namespace"], metric["MetricName"], {each["Name"]: each["Value"] for each in metric["Dimensions"]})
        for metric in metrics
    ]


def test_alarms(usual: Template) -> None:
    """They watch what the library emits, under its namespace and dimension, and the dead letters."""
    alarms = resources(usual, "AWS::CloudWatch::Alarm")
    metrics = [metric for alarm in alarms.values() for metric in watched(alarm)]
    ours = [(name, dimensions) for namespace, name, dimensions in metrics if namespace == STACK_NAME]
    assert {"CacheHits", "CacheMisses", "CacheErrors", "CacheBreakerOpen", "CacheReadTime"} == {
        name for name, _ in ours
    }
    assert EMITTED >= {name for name, _ in ours}
    assert all({"CacheName": "products"} == dimensions for _, dimensions in ours)
    letters = {"QueueName": {"Fn::GetAtt": ["DeadLetters", "QueueName"]}}
    assert [("AWS/SQS", "ApproximateNumberOfMessagesVisible", letters)] == [
        metric for metric in metrics if metric[0] != STACK_NAME
    ]
    assert all("notBreaching" == alarm["TreatMissingData"] for alarm in alarms.values())


def test_alarms_are_sent_where_somebody_wants_them(usual: Template, private: Template) -> None:
    """With a topic every alarm is sent to it, and without one to nobody."""
    assert all("AlarmActions" not in alarm for alarm in resources(usual, "AWS::CloudWatch::Alarm").values())
    for alarm in resources(private, "AWS::CloudWatch::Alarm").values():
        assert [EVERYTHING["AlarmTopicArn"]] == alarm["AlarmActions"]


def test_outputs(usual: Template) -> None:
    """What a user needs next is told: where the products are, where orders go, and how it is all doing."""
    assert {
        "ApiUrl",
        "TableName",
        "OrdersQueueUrl",
        "DeadLettersQueueUrl",
        "ApiKeySecretArn",
        "DashboardUrl",
    } == usual["Outputs"].keys()


def test_everything_is_described(translated: Template) -> None:
    """`sam deploy --guided` asks for nothing that the template does not explain."""
    assert [] == [name for name, parameter in translated["Parameters"].items() if not parameter.get("Description")]
