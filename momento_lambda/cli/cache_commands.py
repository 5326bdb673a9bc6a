"""`momento-lambda cache ...`: caches themselves, on any server."""

from typing import Annotated, Final, TypeAlias

import typer

from momento_lambda.cli.connection import EndpointOption, TlsCa, TokenFile, connect
from momento_lambda.responses import AlreadyExists

app: Final = typer.Typer(help="Create, list, flush and delete caches.")

_Name: TypeAlias = Annotated[str, typer.Argument(metavar="CACHE", help="The cache's name.")]


@app.command()
def create(name: _Name, *, token_file: TokenFile = None, endpoint: EndpointOption = None, tls_ca: TlsCa = None) -> None:
    """Create a cache. One that exists stays as it is."""
    with connect(token_file, endpoint, tls_ca) as client:
        existed = isinstance(client.create_cache(name), AlreadyExists)
    typer.echo(f"the cache {name} exists already" if existed else f"created the cache {name}")


@app.command("list")
def list_all(*, token_file: TokenFile = None, endpoint: EndpointOption = None, tls_ca: TlsCa = None) -> None:
    """Print the names of all caches, one a line."""
    with connect(token_file, endpoint, tls_ca) as client:
        for cache in client.iter_caches():
            typer.echo(cache.name)


@app.command()
def flush(name: _Name, *, token_file: TokenFile = None, endpoint: EndpointOption = None, tls_ca: TlsCa = None) -> None:
    """Delete every item of a cache, and keep the cache."""
    with connect(token_file, endpoint, tls_ca) as client:
        client.flush_cache(name)
    typer.echo(f"flushed the cache {name}")


@app.command()
def delete(name: _Name, *, token_file: TokenFile = None, endpoint: EndpointOption = None, tls_ca: TlsCa = None) -> None:
    """Delete a cache with all its items."""
    with connect(token_file, endpoint, tls_ca) as client:
        client.delete_cache(name)
    typer.echo(f"deleted the cache {name}")
