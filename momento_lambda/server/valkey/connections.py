"""Connections to the nodes of a store, as its URL says."""

import ssl
from pathlib import Path
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server.store_url import Address, StoreUrl
from momento_lambda.server.valkey.link import Connect


def connections(url: StoreUrl) -> Connect:
    """Return what makes a connection to a node of this store.

    Raises:
        InvalidArgumentError: The file of the authority cannot be read, or holds none.
    """
    options: dict[str, Any] = {
        "db": url.database,
        "username": url.username,
        "password": url.password,
        # The older of the protocols: with the newer one, nodes say things that nobody asked for.
        "protocol": 2,
        # Whoever shares a connection watches over it.
        "socket_timeout": None,
        "socket_keepalive": True,
        "client_name": "momento-lambda",
    }
    if url.tls:
        options |= {"ssl_ca_certs": _checked(url.authority), "ssl_check_hostname": True}
    kind = SSLConnection if url.tls else Connection

    def connect(address: Address) -> AbstractConnection:
        return kind(host=address.host, port=address.port, **options)

    return connect


def _checked(authority: Path | None) -> str | None:
    if authority is None:
        return None
    try:
        ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise InvalidArgumentError(
            f"the store's authority {authority} cannot be used ({error.strerror or error}): name a PEM file"
        ) from error
    return str(authority)
