"""What stands here of Powertools' idempotency, in the one place that says how to install it."""

try:
    from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, IdempotencyConfig
    from aws_lambda_powertools.utilities.idempotency.exceptions import (
        IdempotencyItemAlreadyExistsError,
        IdempotencyItemNotFoundError,
    )
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
except ModuleNotFoundError as missing:
    # Its own idempotency imports boto3, which a Lambda function has and other machines may not.
    raise ModuleNotFoundError(
        f"no module named {missing.name!r}: idempotency needs Powertools for AWS Lambda, "
        "so pip install 'momento-lambda[powertools]' boto3",
        name=missing.name,
    ) from missing

__all__ = [
    "BasePersistenceLayer",
    "DataRecord",
    "IdempotencyConfig",
    "IdempotencyItemAlreadyExistsError",
    "IdempotencyItemNotFoundError",
]
