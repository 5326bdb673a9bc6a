"""`momento-lambda serve`: the embedded server, until it is told to stop."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from momento_lambda.cli.own_server import DEFAULT_HOST, DEFAULT_PORT, DataFolder, LimitBytes, LimitItem, LimitRequests
from momento_lambda.cli.worker_processes import serve_with_workers
from momento_lambda.endpoint import Endpoint
from momento_lambda.server.admin_server import AdminAddress
from momento_lambda.server.data_folder import default_data_folder
from momento_lambda.server.key_folder import KeyFolder
from momento_lambda.server.logs import LogFormat, LogLevel, start_logging
from momento_lambda.server.server import CacheServer
from momento_lambda.server.serving import GRACE_SECONDS
from momento_lambda.server.serving import serve as serve_until_stopped
from momento_lambda.server.store import Store
from momento_lambda.server.stores import MEMORY, open_store
from momento_lambda.server.tls import TlsIdentity
from momento_lambda.server.token_limits import TokenLimits

SETTINGS: Final = {"auto_envvar_prefix": "MOMENTO_SERVER"}
"""Every option may come from the environment: `--tls-cert` from MOMENTO_SERVER_TLS_CERT. What is typed wins."""


def serve(
    context: typer.Context,
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = DEFAULT_HOST,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 for one that is free.")] = DEFAULT_PORT,
    store: Annotated[
        str, typer.Option(help="Where the caches are: memory://, valkey://HOST:PORT or valkey-cluster://HOST:PORT,...")
    ] = MEMORY,
    data_dir: DataFolder = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Ask for no token; on loopback alone.")] = False,
    tls_cert: Annotated[
        Path | None, typer.Option(help="The PEM certificate to show; with --tls-key.", exists=True, dir_okay=False)
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="Its PEM private key; with --tls-cert.", exists=True, dir_okay=False)
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let others reach it in plaintext, where a proxy encrypts.")
    ] = False,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="HOST[:PORT]",
            help="Where clients reach it, for the tokens that it makes.",
            show_default="where the token leads that they are made with",
        ),
    ] = None,
    limit_requests: LimitRequests = None,
    limit_bytes: LimitBytes = None,
    limit_item: LimitItem = None,
    faults: Annotated[bool, typer.Option("--faults", help="Let calls ask to be failed or delayed.")] = False,
    drain_delay: Annotated[
        float, typer.Option(min=0, help="Seconds between saying that no more calls should come and taking no more.")
    ] = 0.0,
    grace: Annotated[float, typer.Option(min=0, help="Seconds that calls in flight then have to finish.")] = (
        GRACE_SECONDS
    ),
    admin_host: Annotated[str, typer.Option(help="The address of the admin port, which asks for no token.")] = (
        DEFAULT_HOST
    ),
    admin_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Serve a status page, metrics and probes over HTTP there.", show_default="off"
        ),
    ] = None,
    log_format: Annotated[LogFormat, typer.Option(help="How the log on standard error is written.")] = LogFormat.TEXT,
    log_level: Annotated[LogLevel, typer.Option(help="From which level on it is written.")] = LogLevel.WARNING,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that serve; more than one need a store that they can share.")
    ] = 1,
    worker: Annotated[bool, typer.Option("--worker", hidden=True)] = False,
) -> None:
    """Serve caches until interrupted.

    The address is printed on standard output once calls are answered. Every option may be given in the environment
    too, as MOMENTO_SERVER_ and its name; what is typed wins.
    """
    start_logging(log_format, log_level)
    server = CacheServer(
        _store(store),
        host=host,
        port=port,
        keys=None if no_auth else KeyFolder.with_a_key(data_dir or default_data_folder()),
        tls=_tls(tls_cert, tls_key),
        insecure=insecure,
        public_endpoint=endpoint,
        limits=TokenLimits(limit_requests, limit_bytes, limit_item),
        faults=faults,
        shares_port=worker,
    )
    if workers > 1:
        serve_with_workers(context, workers, store=store, host=host, port=port, admin_port=admin_port)
        return
    admin = None if admin_port is None else AdminAddress(admin_host, admin_port)
    lifeline = sys.stdin.fileno() if worker else None
    asyncio.run(
        serve_until_stopped(server, _announce, admin=admin, drain_delay=drain_delay, grace=grace, lifeline=lifeline)
    )


def _store(url: str) -> Store:
    try:
        return open_store(url)
    except ModuleNotFoundError as missing:
        raise typer.BadParameter(str(missing)) from missing


def _tls(certificate: Path | None, key: Path | None) -> TlsIdentity | None:
    if certificate is not None and key is not None:
        return TlsIdentity.load(certificate, key)
    if certificate is not None or key is not None:
        raise typer.BadParameter("TLS needs both: give --tls-cert and --tls-key, or neither")
    return None


def _announce(endpoint: Endpoint, status_page: str | None) -> None:
    # Flushed, since whoever started this reads it from a pipe to know that it may call.
    print(f"serving on {endpoint.target}{' with TLS' if endpoint.tls else ''}", flush=True)  # noqa: T201  # see above
    if status_page is not None:
        print(f"status on {status_page}", flush=True)  # noqa: T201  # see above
