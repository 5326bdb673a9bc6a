"""What an HTTP API is answered with."""

import json
from decimal import Decimal
from typing import Any


def answer(status: int, body: object = None, **headers: str) -> dict[str, Any]:
    """Return an answer with a JSON body; headers are named as in `x_cache`."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"} | {name.replace("_", "-"): headers[name] for name in headers},
        "body": "" if body is None else json.dumps(body, default=_number),
    }


def _number(value: object) -> int | float:
    """Return the number that DynamoDB has as a Decimal."""
    if not isinstance(value, Decimal):
        raise TypeError(f"a {type(value).__name__} cannot be part of an answer")
    return int(value) if value == value.to_integral_value() else float(value)
