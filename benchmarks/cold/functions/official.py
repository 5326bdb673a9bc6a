"""Reads a user with the official SDK."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from momento import CacheClient, Configurations, CredentialProvider
from momento.responses import CacheGet

authority = Path("/tmp", "authority.pem")  # noqa: S108  # it takes a file, and a function may write nowhere else
authority.write_text(os.environ["AUTHORITY"])
server = os.environ["SERVER"]
client = CacheClient(
    Configurations.Lambda.latest().with_root_certificates_pem(authority),
    # Port 443 is what it takes for TLS, and the address as it is then.
    CredentialProvider(os.environ["TOKEN"], server, server, server, 443),
    timedelta(seconds=60),
)


def handler(event: dict[str, str], context: Any) -> str | None:  # noqa: ARG001  # what Lambda passes
    """Answer with the user."""
    match client.get(os.environ["CACHE"], event["key"]):
        case CacheGet.Hit() as hit:
            return hit.value_string
        case _:
            return None
