"""`momento-lambda token ...`: making tokens and explaining them."""

import json
import time
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import typer

from momento_lambda.cli.durations import milliseconds
from momento_lambda.cli.own_server import DEFAULT_HOST, DEFAULT_PORT, DataFolder, LimitBytes, LimitItem, LimitRequests
from momento_lambda.cli.token_kinds import TokenContents, TokenKind, contents_of
from momento_lambda.cli.token_source import STANDARD_INPUT, read_token
from momento_lambda.credentials import API_KEY_VARIABLE, ENDPOINT_VARIABLE, LEGACY_TOKEN_VARIABLE
from momento_lambda.errors import InvalidTokenError
from momento_lambda.server.data_folder import default_data_folder
from momento_lambda.server.key_folder import KeyFolder
from momento_lambda.server.signing_key import newest
from momento_lambda.server.token_limits import TokenLimits
from momento_lambda.server.tokens import create_token

app: Final = typer.Typer(help="Make and explain tokens.")

# Any other may be part of what makes the token a secret, as far as anyone here knows.
_SHOWN_CLAIMS: Final = ("sub", "jti", "iat", "nbf", "access", "limits")


@app.command()
def create(
    *,
    data_dir: DataFolder = None,
    endpoint: Annotated[
        str, typer.Option(metavar="HOST[:PORT]", help="Where clients with this token go.")
    ] = f"{DEFAULT_HOST}:{DEFAULT_PORT}",
    format: Annotated[  # noqa: A002  # typer names the option after it
        Literal["legacy", "v1", "v2"], typer.Option(help="How the token is written.")
    ] = "legacy",
    expires: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long it is accepted.", show_default="for ever")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PERMISSION",
            help="What it allows, such as read:users-cache, write:users-cache/key or read-write:*/prefix*. May be "
            "given several times.",
            show_default="everything",
        ),
    ] = None,
    limit_requests: LimitRequests = None,
    limit_bytes: LimitBytes = None,
    limit_item: LimitItem = None,
) -> None:
    """Make a token for the server that has this data folder, and print it."""
    lifetime = None if expires is None else _lifetime(expires)
    key = newest(KeyFolder.with_a_key(data_dir or default_data_folder()), time.time())
    token = create_token(
        key,
        endpoint=endpoint,
        format=format,
        expires=lifetime,
        allow=allow or None,
        limits=TokenLimits(limit_requests, limit_bytes, limit_item),
    )
    typer.echo(token)


@app.command()
def inspect(
    token: Annotated[
        str | None,
        typer.Argument(
            help="The token, or - for standard input. As an argument, everyone on the machine can see it.",
            show_default=f"{API_KEY_VARIABLE} or {LEGACY_TOKEN_VARIABLE}",
        ),
    ] = None,
) -> None:
    """Say what a token is, where it leads and when it expires, without its secret."""
    text = token or read_token(None)
    if text == str(STANDARD_INPUT):
        text = read_token(STANDARD_INPUT)
    if not text:
        raise InvalidTokenError(
            f"no token: give - and pipe it in, or set {API_KEY_VARIABLE} or {LEGACY_TOKEN_VARIABLE}"
        )
    contents = contents_of(text)
    lines = {"kind": contents.kind.value, **_endpoints(contents), **_expiry(contents.claims.get("exp"))}
    lines |= {name: _shown(contents.claims[name]) for name in _SHOWN_CLAIMS if name in contents.claims}
    for name, value in lines.items():
        typer.echo(f"{name + ':':<10}{value}")


def _lifetime(text: str) -> timedelta:
    try:
        return timedelta(milliseconds=milliseconds(text))
    except OverflowError:
        raise typer.BadParameter(f"{text[:40]!r} is too long: leave out --expires for a token without end") from None


def _endpoints(contents: TokenContents) -> dict[str, str]:
    match contents.kind:
        case TokenKind.LEGACY:
            return {"cache": _shown(contents.claims.get("c")), "control": _shown(contents.claims.get("cp"))}
        case TokenKind.V1:
            return {"endpoint": _shown(contents.endpoint)}
        case TokenKind.V2:
            return {"endpoint": f"told apart, in {ENDPOINT_VARIABLE}"}


def _expiry(expiry: object) -> dict[str, str]:
    if expiry is None:
        return {"expires": "never"}
    if isinstance(expiry, bool) or not isinstance(expiry, (int, float)):
        return {"expires": "its `exp` claim is not a number of seconds"}
    try:
        moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(expiry))
    except (ValueError, OverflowError, OSError):
        moment = f"{expiry} seconds after 1970"
    return {"expired" if expiry <= time.time() else "expires": moment}


def _shown(value: Any) -> str:
    """Return a claim as text that no terminal takes for a command."""
    if value is None:
        return "none"
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else json.dumps(value)
