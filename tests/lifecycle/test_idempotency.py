"""Payments that are charged once, by environments of their own that share nothing but the cache."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda.testing import FaultProxy, LocalLambda
from momento_lambda.testing.invocation import Invocation

if TYPE_CHECKING:
    from tests.lifecycle.conftest import Deploy

PATIENT = 30.0

SOURCE = """
import os
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from momento_lambda.integrations.idempotency import MomentoPersistenceLayer

records = MomentoPersistenceLayer(timeout=20, connect_timeout=20)

@idempotent(persistence_store=records, config=IdempotencyConfig(event_key_jmespath="payment"))
def handler(event, context):
    with open(event["charged"], "a") as charged:
        charged.write(event["payment"])
    if "wait" in event:
        # A pipe, which is read to its end when whoever writes to it closes it.
        open(event["wait"]).read()
    if "fail" in event:
        raise ValueError("the bank refused")
    return {"paid": event["payment"]}
"""


@pytest.fixture
def event(tmp_path: Path) -> dict[str, Any]:
    """A payment, and the file in which each charge is noted."""
    return {"payment": "7", "charged": str(tmp_path / "charged")}


def pay(deploy: "Deploy", **options: Any) -> LocalLambda:
    """Start another environment of the function."""
    function: LocalLambda = deploy(SOURCE, "aws-lambda-powertools", "jmespath", **options)
    return function


def charges(event: dict[str, Any]) -> str:
    """Return the payments that were charged, in order."""
    file = Path(event["charged"])
    return file.read_text(encoding="utf-8") if file.exists() else ""


def error_of(invocation: Invocation) -> str:
    """Return the type of what an invocation raised."""
    assert invocation.error is not None
    return invocation.error.type


def test_two_environments_at_once(deploy: "Deploy", event: dict[str, Any], tmp_path: Path) -> None:
    """While one environment charges a payment another is refused it; afterwards that has the first one's answer."""
    os.mkfifo(tmp_path / "wait")
    first, second = pay(deploy), pay(deploy)
    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(first.invoke, event | {"wait": str(tmp_path / "wait")})
        with (tmp_path / "wait").open("w"):
            assert "IdempotencyAlreadyInProgressError" == error_of(second.invoke(event))
        assert {"paid": "7"} == paying.result(PATIENT).payload
    assert [{"paid": "7"}] * 2 == [function.invoke(event).payload for function in (first, second)]
    assert "7" == charges(event)


def test_a_body_that_fails(deploy: "Deploy", event: dict[str, Any]) -> None:
    """A body that raises releases its key: a retry runs, in whichever environment, and is answered from then on."""
    first, second = pay(deploy), pay(deploy)
    assert "ValueError" == error_of(first.invoke(event | {"fail": True}))
    assert [{"paid": "7"}] * 2 == [function.invoke(event).payload for function in (second, first)]
    assert "77" == charges(event)


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_cache_that_is_down(deploy: "Deploy", event: dict[str, Any], network: FaultProxy, *, warm: bool) -> None:
    """Where the cache cannot be reached an invocation fails and charges nothing; once it is back, the payment is."""
    function = pay(deploy, movable_clock=True) if warm else None
    network.refuse()
    network.reset()
    function = function or pay(deploy, movable_clock=True)
    assert "IdempotencyPersistenceLayerError" == error_of(function.invoke(event))
    assert "" == charges(event)
    network.heal()
    with function.frozen("5m"):
        pass
    assert {"paid": "7"} == function.invoke(event).payload
    assert "7" == charges(event)
