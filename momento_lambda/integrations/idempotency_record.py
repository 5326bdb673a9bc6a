"""An idempotency record as the bytes that a cache holds: JSON, its names those of Powertools' own layers."""

import json
from typing import Any, Final

from momento_lambda.errors import FailedPreconditionError
from momento_lambda.integrations.powertools import DataRecord

_NO_RECORD: Final = (
    "what the cache holds under an idempotency key is no idempotency record: "
    "give MomentoPersistenceLayer a namespace, or a cache, that nobody else writes to"
)


def pack(record: DataRecord, claim: str = "") -> bytes:
    """Return the bytes of a record.

    Args:
        record: The record, as Powertools made it.
        claim: What tells the bytes of one invocation's claim from those of any other; empty where nobody claims.
    """
    item = {
        "status": record.status,
        "expiration": record.expiry_timestamp,
        "in_progress_expiration": record.in_progress_expiry_timestamp,
        "data": record.response_data,
        "validation": record.payload_hash,
        "claim": claim,
    }
    held = {name: value for name, value in item.items() if value not in {None, ""}}
    return json.dumps(held, separators=(",", ":")).encode()


def unpack(idempotency_key: str, stored: bytes) -> DataRecord:
    """Return the record that bytes stand for.

    Raises:
        FailedPreconditionError: They are none.
    """
    item = _json(stored)
    match item:
        case {"status": str(status), "expiration": int(expiration)}:
            return DataRecord(
                idempotency_key,
                status=status,
                expiry_timestamp=expiration,
                in_progress_expiry_timestamp=item.get("in_progress_expiration"),
                response_data=item.get("data", ""),
                payload_hash=item.get("validation", ""),
            )
        case _:
            raise FailedPreconditionError(_NO_RECORD)


def _json(stored: bytes) -> Any:
    try:
        return json.loads(stored)
    except ValueError:
        raise FailedPreconditionError(_NO_RECORD) from None
