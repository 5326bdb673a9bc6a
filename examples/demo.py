"""One Lambda function with a cache beside it, run on this machine from cold start to expiry.

Builds the layer for this machine, starts the embedded server, and runs `examples/demo_function` on the runtime
client that AWS runs functions on. The function's path holds its own folder and the unzipped layer, as on Lambda.
"""

import argparse
import importlib
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from momento_lambda.client.sync_client import SimpleCacheClient
from momento_lambda.errors import MomentoError
from momento_lambda.runtime.clients import close_shared_clients
from momento_lambda.server import LocalServer
from momento_lambda.testing import LocalLambda, LocalLambdaError, local_lambda_available
from momento_lambda.testing.interruption import interrupted_once
from momento_lambda.testing.invocation import Invocation
from momento_lambda_layer import LayerError, build_layer

FUNCTION = Path(__file__).parent / "demo_function"
CACHE = "demo-cache"
FLASH_SALE = "lamp"
SLOW_MS = 150
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Row:
    """One invocation as the table shows it.

    Attributes:
        phase: What the function's environment was like.
        asked: The products asked for.
        loaded: Those of them that the cache did not hold.
        milliseconds: What the invocation took.
    """

    phase: str
    asked: list[str]
    loaded: list[str]
    milliseconds: float

    @property
    def answer(self) -> str:
        """Whether the cache held what was asked for."""
        hits = len(self.asked) - len(self.loaded)
        if len(self.asked) == 1:
            return "hit" if hits else "MISS"
        return f"{hits} of {len(self.asked)} hit"

    @property
    def source(self) -> str:
        """Where the values came from."""
        if not self.loaded:
            return "cache"
        return "catalogue" if len(self.loaded) == len(self.asked) else "cache + catalogue"


class Function(Protocol):
    """What runs the handler."""

    def invoke(self, event: dict[str, Any]) -> Invocation:
        """Hand it an event and wait for what comes of it."""


class PlainFunction:
    """The handler called in this interpreter, where there is no Lambda runtime client."""

    def __init__(self, environment: dict[str, str]) -> None:
        started = time.perf_counter()
        os.environ.update(environment)
        sys.path.insert(0, str(FUNCTION))
        self._handler = importlib.import_module("app").handler
        self._init_ms: float | None = (time.perf_counter() - started) * 1000

    def invoke(self, event: dict[str, Any]) -> Invocation:
        """Call the handler."""
        started = time.perf_counter()
        payload = self._handler(event, None)
        took_ms = (time.perf_counter() - started) * 1000
        init_ms, self._init_ms = self._init_ms, None
        return Invocation("-", payload, None, took_ms, init_ms is not None, init_ms)


def say(label: str, text: str) -> None:
    """Print one line of what is being set up."""
    print(f"  {label:<10}{text}", flush=True)


def unzipped_layer(folder: Path) -> Path:
    """Build the layer for this machine and return the folder it was unzipped into."""
    layer = build_layer(folder)
    sizes = f"{layer.zipped_bytes / MEGABYTE:.1f} MB zipped, {layer.unzipped_bytes / MEGABYTE:.1f} MB unzipped"
    say("layer", f"{layer.path.name}: built and verified, {sizes}")
    unzipped = folder / "opt"
    with zipfile.ZipFile(layer.path) as archive:
        archive.extractall(unzipped)
    return unzipped


@contextmanager
def function(environment: dict[str, str], *, plain: bool) -> Iterator[Function]:
    """Run the handler as Lambda would, or in this interpreter."""
    if plain:
        say("function", "called in this interpreter: the Lambda runtime client exists for Linux alone")
        try:
            yield PlainFunction(environment)
        finally:
            close_shared_clients()
        return
    with tempfile.TemporaryDirectory(prefix="momento-lambda-demo-") as folder:
        layer = unzipped_layer(Path(folder))
        running = LocalLambda("app.handler", task_root=FUNCTION, layers=[layer], environment=environment)
        with running as started:
            client = f"awslambdaric {version('awslambdaric')}"
            say("function", f"examples/demo_function under {client}, the unzipped layer on its path")
            yield started


def invoke(running: Function, phase: str, *asked: str) -> Row:
    """Ask the function for products and print the row."""
    event: dict[str, Any] = {"id": asked[0]} if len(asked) == 1 else {"ids": list(asked)}
    outcome = running.invoke(event)
    if outcome.error is not None:
        raise LocalLambdaError(f"the function raised {outcome.error}")
    row = Row(phase, list(asked), outcome.payload["loaded"], outcome.duration_ms)
    init = f"   + {outcome.init_duration_ms:.0f} ms init" if outcome.init_duration_ms is not None else ""
    print_columns(row.phase, " ".join(row.asked), row.answer, row.source, f"{row.milliseconds:.1f}{init}")
    return row


def print_columns(*columns: str) -> None:
    """Print one line of the table."""
    phase, asked, answer, source, milliseconds = columns
    print(f"  {phase:<14}{asked:<20}{answer:<13}{source:<20}{milliseconds:>7}", flush=True)


def wait_for_expiry(client: SimpleCacheClient) -> None:
    """Wait until the product of the flash sale has lived its second."""
    left = client.item_get_ttl(CACHE, f"product:{FLASH_SALE}")
    print(f"  ... one second passes, which is as long as the {FLASH_SALE} lives ...", flush=True)
    while left is not None:
        time.sleep(left.total_seconds())
        left = client.item_get_ttl(CACHE, f"product:{FLASH_SALE}")


def play(running: Function, client: SimpleCacheClient) -> list[Row]:
    """Invoke the function from cold start to expiry and return what happened."""
    print(f"""
Each line is one invocation. The function looks products up in a catalogue that needs {SLOW_MS} ms, and keeps what
it found in the cache: for 5 minutes, or for 1 second while a product is on flash sale.
""")
    print_columns("phase", "key", "hit or miss", "source", "ms")
    rows = [
        invoke(running, "cold", "mug"),
        invoke(running, "warm", "mug"),
        invoke(running, "warm", "teapot"),
        invoke(running, "warm", "teapot"),
        invoke(running, "warm, batch", "mug", "teapot", "kettle"),
        invoke(running, "warm, batch", "mug", "teapot", "kettle"),
        invoke(running, "warm, own TTL", FLASH_SALE),
        invoke(running, "warm, own TTL", FLASH_SALE),
    ]
    wait_for_expiry(client)
    return [*rows, invoke(running, "warm, expired", FLASH_SALE), invoke(running, "warm", "mug")]


def conclude(rows: list[Row]) -> None:
    """Print what the table shows and what to do next."""
    hit = statistics.median(row.milliseconds for row in rows if not row.loaded)
    miss = statistics.median(row.milliseconds for row in rows if row.loaded)
    print(f"""
A miss went to the slow catalogue: {miss:.0f} ms. A hit did not: {hit:.1f} ms, {miss / hit:.0f} times faster (medians).
A batch read all its keys in one round trip and loaded only those that were missing.

Next:
  look at the function     examples/demo_function/app.py
  keep a server running    .venv/bin/momento-lambda serve
  build the layer to keep  make layer
  use the library          README.md""")


def main() -> int:
    """Run the demonstration; on Ctrl-C, stop all that it started."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--plain", action="store_true", help="call the handler in this interpreter, without a layer")
    plain = parser.parse_args().plain or not local_lambda_available()
    print("momento-lambda: a Lambda function with a cache beside it, all on this machine\n", flush=True)
    try:
        with interrupted_once(), ExitStack() as stack:
            server = stack.enter_context(LocalServer())
            say("server", f"embedded, in memory, on {server.address}")
            token = server.create_token()
            client = stack.enter_context(SimpleCacheClient(token, default_ttl=60))
            client.create_cache(CACHE)
            say("cache", f"{CACHE}: created, with a token minted by the server")
            environment = {"MOMENTO_API_KEY": token, "MOMENTO_CACHE_NAME": CACHE}
            running = stack.enter_context(function(environment, plain=plain))
            rows = play(running, client)
        conclude(rows)
    except KeyboardInterrupt:
        print("\nstopped; nothing was left behind", file=sys.stderr)
        return 130
    except (LayerError, LocalLambdaError, MomentoError) as error:
        print(f"the demonstration failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
