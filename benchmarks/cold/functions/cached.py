"""Reads a user through a decorated function, which begins to connect while the rest of the module is loaded."""

import os
from typing import Any

from momento_lambda import TEXT, Cache, CredentialProvider


def credentials() -> CredentialProvider:
    """Return what says where the server is, and whom to trust."""
    return CredentialProvider.from_string(
        os.environ["TOKEN"], cache_endpoint=os.environ["SERVER"], root_certificates=os.environ["AUTHORITY"].encode()
    )


cache = Cache(os.environ["CACHE"], credentials=credentials, serializer=TEXT, connect_timeout=10, timeout=10)


@cache.cached(key="{key}", raw=True)
def user(key: str) -> str:
    """Return what is not in the cache."""
    return f"loaded {key}"


@cache.handler
def handler(event: dict[str, str], context: Any) -> str:  # noqa: ARG001  # what Lambda passes
    """Answer with the user."""
    return user(event["key"])
