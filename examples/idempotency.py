"""A payment that is charged once, however often its event is delivered: run it, or copy the function out of it.

    python examples/idempotency.py

The function is the part above `main`. What is below invokes it on this machine, with the embedded server.
"""

import os
import sys
from typing import Any

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError

from momento_lambda.integrations.idempotency import MomentoPersistenceLayer
from momento_lambda.runtime.clients import close_shared_clients
from momento_lambda.server import LocalServer

records = MomentoPersistenceLayer("payments-cache")
config = IdempotencyConfig(event_key_jmespath="payment_id", expires_after_seconds=3600)


@idempotent(persistence_store=records, config=config)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Charge a card."""
    print(f"    the bank is asked for {event['amount']}")
    if event["amount"] > event["limit"]:
        raise ValueError("the bank refused")
    return {"charged": event["amount"]}


class Context:
    """What Lambda tells a handler, as far as idempotency asks: until when its claim on a payment holds."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left."""
        return 3000


def deliver(what: str, event: dict[str, Any]) -> None:
    """Invoke the function and print what came of it."""
    print(what)
    try:
        print(f"    {lambda_handler(event, Context())}")
    except (IdempotencyPersistenceLayerError, ValueError) as error:
        print(f"    {type(error).__name__}: {error}")


def main() -> int:
    """Deliver events: twice, after a failure, and while the cache is down."""
    with LocalServer(caches=["payments-cache"]) as server:
        os.environ["MOMENTO_API_KEY"] = server.create_token()
        payment = {"payment_id": "p-1", "amount": 5, "limit": 100}
        deliver("a payment", payment)
        deliver("its event, delivered again", payment)
        refused = {"payment_id": "p-2", "amount": 500, "limit": 100}
        deliver("a payment that fails", refused)
        deliver("its retry, which may run since the failure released the key", refused | {"limit": 1000})
    deliver("a payment while the cache is down, which must not be charged", {**payment, "payment_id": "p-3"})
    close_shared_clients()
    return 0


if __name__ == "__main__":
    sys.exit(main())
