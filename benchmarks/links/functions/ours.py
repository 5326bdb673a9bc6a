"""A user looked up through this library's cache."""

import os
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from momento_lambda import Cache, CredentialProvider

if TYPE_CHECKING:
    from momento_lambda.endpoint import Endpoint

loaded: list[str] = []


class NamedEndpoint(NamedTuple):
    """An endpoint whose name is looked up in a place of its own, as no token could say."""

    target: str
    tls: bool = False


def credentials() -> CredentialProvider:
    """Return what leads to the cache."""
    endpoint = cast("Endpoint", NamedEndpoint(f"{os.environ['CACHE_HOST']}:{os.environ['CACHE_PORT']}"))
    return CredentialProvider(os.environ["MOMENTO_API_KEY"], cache_endpoint=endpoint, control_endpoint=endpoint)


cache = Cache(
    os.environ["CACHE_NAME"],
    default_ttl="1d",
    early_refresh=None,
    timeout=float(os.environ.get("CACHE_TIMEOUT", "0.25")),
    credentials=credentials,
)


@cache.cached
def user(id_: str) -> dict[str, str]:
    """Look a user up where that is slow."""
    loaded.append(id_)
    return {"id": id_}


@cache.handler
def handler(event: dict[str, str], context: Any) -> dict[str, Any]:  # noqa: ARG001  # what Lambda passes
    """Answer with the user, and say whether it had to be loaded."""
    loaded.clear()
    return {"user": user(event["id"]), "loaded": bool(loaded)}
