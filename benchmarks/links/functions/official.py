"""A user looked up with the official SDK, in its configuration for Lambda, as its documentation would have it."""

import json
import os
from datetime import timedelta
from typing import Any

from momento import CacheClient, Configurations, CredentialProvider
from momento.responses import CacheGet

CACHE, HOST = os.environ["CACHE_NAME"], os.environ["CACHE_HOST"]

loaded: list[str] = []

client = CacheClient.create(
    Configurations.Lambda.latest(),
    # A port other than 443 is what it takes for plaintext.
    CredentialProvider(os.environ["MOMENTO_API_KEY"], HOST, HOST, HOST, int(os.environ["CACHE_PORT"])),
    timedelta(days=1),
)


def user(id_: str) -> Any:
    """Return a user from the cache; where that has none, or fails, look it up where that is slow."""
    key = f"user:{id_}"
    found = client.get(CACHE, key)
    if isinstance(found, CacheGet.Hit):
        return json.loads(found.value_string)
    loaded.append(id_)
    value = {"id": id_}
    client.set(CACHE, key, json.dumps(value))
    return value


def handler(event: dict[str, str], context: Any) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Answer with the user, and say whether it had to be loaded."""
    loaded.clear()
    return {"user": user(event["id"]), "loaded": bool(loaded)}
