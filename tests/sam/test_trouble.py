"""The API while the cache is in trouble: it answers, and the alarm learns of it."""

import json
from contextlib import ExitStack

import pytest

from momento_lambda.server import LocalServer
from momento_lambda.testing.invocation import Invocation
from tests.sam.application import CACHE, STACK, Application, answer, event, get, metrics, new_id


def breaches(application: Application, alarm_name: str, invocation: Invocation) -> bool:
    """Say whether the metrics that an invocation printed are at the threshold of an alarm, by every name it watches."""
    alarm = application.template["Resources"][alarm_name]["Properties"]
    assert {"Ref": "AWS::StackName"} == alarm["Namespace"]
    for line in metrics(invocation):
        (definition,) = line["_aws"]["CloudWatchMetrics"]
        watched = [each["Name"] for each in alarm["Dimensions"]]
        assert (STACK, [watched]) == (definition["Namespace"], definition["Dimensions"])
        assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {name: line[name] for name in watched}
        if line[alarm["MetricName"]] >= alarm["Threshold"]:
            return True
    return False


def refused(token: str) -> str:
    """Return a token that looks as it should and that the server did not sign."""
    head, claims, signature = token.split(".")
    return f"{head}.{claims}.{signature[::-1]}"


def test_the_cache_is_down(application: Application) -> None:
    """From the first request on the table answers; the errors are counted, and the breaker opens."""
    product_id = new_id()
    application.put(product_id, name="Mug")
    secret = application.store_secret("token-of-nobody", application.token_of_a_dead_server())
    with application.function("ReadFunction", MOMENTO_API_KEY_SECRET=secret) as function:
        invocations = [function.invoke(get(product_id)) for _ in range(3)]
    expected = (200, {"id": product_id, "name": "Mug"}, "loader")
    assert [expected] * 3 == [(*each[:2], each.headers["x-cache"]) for each in map(answer, invocations)]
    assert [True, True, False] == [breaches(application, "ErrorsAlarm", each) for each in invocations]
    assert [False, True, True] == [breaches(application, "BreakerAlarm", each) for each in invocations]


def test_every_function_of_the_api_answers_while_the_cache_is_down(application: Application) -> None:
    """Many products are read, and a product is written and deleted, as if nothing had happened."""
    product_id = new_id()
    secret = application.store_secret("token-of-no-one", application.token_of_a_dead_server())
    with application.function("WriteFunction", MOMENTO_API_KEY_SECRET=secret) as function:
        body = {"body": json.dumps({"name": "Mug"})}
        written = function.invoke(event("write/put") | {"pathParameters": {"id": product_id}} | body)
        assert 200 == answer(written).status
        assert breaches(application, "ErrorsAlarm", written)
        with application.function("BatchFunction", MOMENTO_API_KEY_SECRET=secret) as batch:
            read = batch.invoke(event("batch/three") | {"queryStringParameters": {"ids": product_id}})
        assert {product_id: {"id": product_id, "name": "Mug"}} == answer(read).body["products"]
        deleted = function.invoke(event("write/delete") | {"pathParameters": {"id": product_id}})
        assert 204 == answer(deleted).status
    assert application.get(product_id) is None


def test_the_cache_goes_down(application: Application) -> None:
    """A warm function that loses the cache in the middle answers from the table."""
    product_id = new_id()
    application.put(product_id, name="Mug")
    with LocalServer(caches=[CACHE], grace=0) as server, ExitStack() as stack:
        secret = application.store_secret("token-of-one-that-goes", server.create_token())
        function = stack.enter_context(application.function("ReadFunction", MOMENTO_API_KEY_SECRET=secret))
        before = [answer(function.invoke(get(product_id))).headers["x-cache"] for _ in range(2)]
        outliving = stack.pop_all()
    with outliving:
        after = [function.invoke(get(product_id)) for _ in range(2)]
    assert (["loader", "cache"], ["loader"] * 2) == (before, [answer(each).headers["x-cache"] for each in after])
    assert breaches(application, "ErrorsAlarm", after[0])


@pytest.mark.parametrize("kind", ["refused", "malformed", "missing"])
def test_the_token_is_wrong(application: Application, kind: str) -> None:
    """With a token that is refused, or is none, or is not there, the table answers, and the alarm learns of it."""
    product_id = new_id()
    application.put(product_id, name="Mug")
    tokens = {"refused": refused(application.server.create_token()), "malformed": "no token at all"}
    secret = application.store_secret(f"token-{kind}", tokens[kind]) if kind in tokens else "no-such-secret"
    with application.function("ReadFunction", MOMENTO_API_KEY_SECRET=secret) as function:
        invocation = function.invoke(get(product_id))
    found = answer(invocation)
    assert (200, "Mug", "loader") == (found.status, found.body["name"], found.headers["x-cache"])
    assert breaches(application, "ErrorsAlarm", invocation)
    assert "cannot be used" in invocation.log
    assert not any(token in invocation.log for token in tokens.values())
