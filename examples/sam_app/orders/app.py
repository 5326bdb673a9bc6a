"""Orders from a queue: each is carried out once, however often it is delivered.

The records of what was carried out are in the cache. Where the cache does not answer nobody knows, so an order waits in
the queue and is delivered again.
"""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function

from momento_lambda.integrations.idempotency import MomentoPersistenceLayer

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
processor = BatchProcessor(event_type=EventType.SQS)
records = MomentoPersistenceLayer()
# Within minutes a message was delivered for the last time.
config = IdempotencyConfig("order_id", raise_on_no_idempotency_key=True, expires_after_seconds=3600)


def handler(event: dict[str, Any], context: Any) -> Any:
    """Carry out the orders of a batch, and name those that failed, which alone are delivered again."""
    config.register_lambda_context(context)
    return process_partial_response(event, _receive, processor, context)


def _receive(record: SQSRecord) -> None:
    take_from_stock(order=record.json_body)


@idempotent_function(data_keyword_argument="order", persistence_store=records, config=config)
def take_from_stock(order: dict[str, Any]) -> dict[str, Any]:
    """Take the products of an order from the stock, once."""
    table.update_item(
        Key={"id": order["product_id"]},
        UpdateExpression="SET stock = stock - :quantity",
        ConditionExpression="stock >= :quantity",
        ExpressionAttributeValues={":quantity": order["quantity"]},
    )
    return {"order_id": order["order_id"], "taken": order["quantity"]}
