"""`momento-lambda get`, `set` and `delete`: single items, on any server."""

import os
import sys
from typing import Annotated, TypeAlias

import typer

from momento_lambda.cli.connection import DEFAULT_TTL, EndpointOption, TlsCa, TokenFile, connect
from momento_lambda.cli.durations import milliseconds
from momento_lambda.responses import Hit

_Cache: TypeAlias = Annotated[str, typer.Argument(metavar="CACHE", help="The cache's name.")]
_Key: TypeAlias = Annotated[str, typer.Argument(metavar="KEY", help="The item's key.")]


def get(
    cache: _Cache,
    key: _Key,
    *,
    token_file: TokenFile = None,
    endpoint: EndpointOption = None,
    tls_ca: TlsCa = None,
) -> None:
    """Write an item's value to standard output, as it is. A miss exits with 1."""
    with connect(token_file, endpoint, tls_ca) as client:
        found = client.get(cache, os.fsencode(key))
    if not isinstance(found, Hit):
        typer.echo(f"momento-lambda: miss: the cache {cache} has no such item", err=True)
        raise typer.Exit(1)
    sys.stdout.buffer.write(found.value_bytes)
    if sys.stdout.isatty():
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def set_item(
    cache: _Cache,
    key: _Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="The value, or - to read it from standard input.")],
    *,
    ttl: Annotated[str, typer.Option(metavar="DURATION", help='How long it lives: "90s", "1h30m".')] = DEFAULT_TTL,
    token_file: TokenFile = None,
    endpoint: EndpointOption = None,
    tls_ca: TlsCa = None,
) -> None:
    """Store an item, in place of what was there."""
    seconds = milliseconds(ttl) / 1000
    content = sys.stdin.buffer.read() if value == "-" else os.fsencode(value)
    with connect(token_file, endpoint, tls_ca) as client:
        client.set(cache, os.fsencode(key), content, seconds)


def delete(
    cache: _Cache,
    key: _Key,
    *,
    token_file: TokenFile = None,
    endpoint: EndpointOption = None,
    tls_ca: TlsCa = None,
) -> None:
    """Remove an item, if there is one."""
    with connect(token_file, endpoint, tls_ca) as client:
        client.delete(cache, os.fsencode(key))
