"""Reads a user with this library's client."""

import os
from typing import Any

from momento_lambda import CredentialProvider, Hit, SimpleCacheClient

client = SimpleCacheClient(
    CredentialProvider.from_string(
        os.environ["TOKEN"], cache_endpoint=os.environ["SERVER"], root_certificates=os.environ["AUTHORITY"].encode()
    ),
    60,
)


def handler(event: dict[str, str], context: Any) -> str | None:  # noqa: ARG001  # what Lambda passes
    """Answer with the user."""
    match client.get(os.environ["CACHE"], event["key"]):
        case Hit() as hit:
            return hit.value_string
        case _:
            return None
