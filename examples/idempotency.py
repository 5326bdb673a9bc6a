"""A payment that is charged once, however often its event is delivered.

    $ python examples/idempotency.py
    a payment
        the bank is asked for 5
        {'charged': 5}
    its event, delivered again
        {'charged': 5}
    a payment that fails
        the bank is asked for 500
        ValueError: the bank refused
    its retry, which may run since the failure released the key
        the bank is asked for 500
        {'charged': 500}
    a payment while the cache is down, which must not be charged
        IdempotencyPersistenceLayerError: Failed to save in progress record to idempotency store

It needs Powertools: pip install 'momento-lambda[powertools]'. The function is the part above `nobody_listens`.
"""

import uuid
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyPersistenceLayerError

from momento_lambda import CredentialProvider, SimpleCacheClient
from momento_lambda.integrations.idempotency import MomentoPersistenceLayer

records = MomentoPersistenceLayer()  # in the cache that MOMENTO_CACHE_NAME names
config = IdempotencyConfig(event_key_jmespath="payment_id", expires_after_seconds=3600)


def charge(payment: dict[str, Any]) -> dict[str, Any]:
    """Charge a card: what must not happen twice."""
    print(f"    the bank is asked for {payment['amount']}")
    if payment["amount"] > payment["limit"]:
        raise ValueError("the bank refused")
    return {"charged": payment["amount"]}


@idempotent(persistence_store=records, config=config)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Answer the event of a payment, the second time from the record."""
    return charge(event)


def nobody_listens() -> SimpleCacheClient:
    """Return a client for a cache that is down."""
    return SimpleCacheClient(CredentialProvider.for_local(port=1), default_ttl=60)


@idempotent(persistence_store=MomentoPersistenceLayer(client=nobody_listens), config=config)
def handler_without_a_cache(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  # see above
    """Do the same as `lambda_handler` while the cache is down."""
    return charge(event)


class Context:
    """What Lambda tells a handler, as far as idempotency asks: until when its claim on a payment holds."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left."""
        return 3000


def deliver(what: str, event: dict[str, Any], handler: Callable[[dict[str, Any], Any], Any] = lambda_handler) -> None:
    """Invoke the function and print what came of it."""
    print(what)
    try:
        print(f"    {handler(event, Context())}")
    except (IdempotencyPersistenceLayerError, ValueError) as error:
        reason = str(error).partition(" - ")[0]
        print(f"    {type(error).__name__}: {reason}")


def payment(amount: int) -> dict[str, Any]:
    """Return the event of a payment that no earlier run has made."""
    return {"payment_id": uuid.uuid4().hex, "amount": amount, "limit": 100}


def main() -> None:
    """Deliver events: twice, after a failure, and while the cache is down."""
    small, large = payment(5), payment(500)
    deliver("a payment", small)
    deliver("its event, delivered again", small)
    deliver("a payment that fails", large)
    deliver("its retry, which may run since the failure released the key", large | {"limit": 1000})
    deliver("a payment while the cache is down, which must not be charged", payment(5), handler_without_a_cache)


if __name__ == "__main__":
    main()
