"""Clients side by side: each in a process of its own, all with the same servers, asked by turns."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, final

from benchmarks.clients.client import Place
from benchmarks.clients.servers import cache_server, prompt_server, redis_server
from momento_lambda.testing.redis_server import is_installed

ON_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "measured"}
# What this library sets on Lambda; a bare stub is told so by hand.
TUNED = {"GRPC_EXPERIMENTS": "-event_engine_client"} | ON_LAMBDA


@dataclass(frozen=True, eq=False)
class Contestant:
    """One client.

    Attributes:
        name: What tables call it.
        module: Where its classes are, below `benchmarks.clients`.
        style: Which of them: "Threads" or "Coroutines".
        environment: What the environment of its process has.
    """

    name: str
    module: str
    style: str = "Threads"
    environment: Mapping[str, str] = field(default_factory=dict)


OURS = Contestant("momento-lambda", "of_momento_lambda")
STUB = Contestant("bare gRPC stub", "of_grpc")
OFFICIAL = Contestant("official SDK", "of_momento")
REDIS = Contestant("redis-py", "of_redis")
OURS_ON_LAMBDA = Contestant("momento-lambda", "of_momento_lambda", environment=ON_LAMBDA)
STUB_TUNED = Contestant("bare gRPC stub, tuned", "of_grpc", environment=TUNED)
OFFICIAL_ON_LAMBDA = Contestant("official SDK", "of_momento", environment=ON_LAMBDA)


def coroutines(contestant: Contestant) -> Contestant:
    """Return the same client's twin for asyncio."""
    return replace(contestant, style="Coroutines")


@final
class Running:
    """A client that is running and waits for what to do."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def do(self, what: str, **details: Any) -> dict[str, Any]:
        """Have it do something, and return what that took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what} | details) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"a client ended: {self._process.args!r}")
        taken: dict[str, Any] = json.loads(answer)
        return taken


@contextmanager
def running(contestants: Iterable[Contestant], *, prompt: bool = False) -> Iterator[dict[str, Running]]:
    """Run clients, by name, and the servers they need; one whose server is not installed is left out.

    Args:
        contestants: The clients.
        prompt: Whether the cache's server is the one that takes next to no time.
    """
    cache = prompt_server if prompt else cache_server
    with ExitStack() as stack:
        places: dict[bool, Place] = {}
        found = {}
        for each in contestants:
            of_redis = each.module == REDIS.module
            if of_redis and not is_installed():
                continue
            if of_redis not in places:
                places[of_redis] = stack.enter_context(redis_server() if of_redis else cache())
            found[each.name] = stack.enter_context(_process(each, places[of_redis]))
        yield found


def by_turns(
    clients: Mapping[str, Running], rounds: int, ask: Callable[[Running], dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Ask every client the same, by turns, and return what each took in each round; the first round warms up."""
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in clients}
    for number in range(rounds + 1):
        for name, client in clients.items():
            found = ask(client)
            if number:
                taken[name].append(found)
    return taken


@contextmanager
def _process(contestant: Contestant, place: Place) -> Iterator[Running]:
    command = [sys.executable, "-m", "benchmarks.clients.process", contestant.module, contestant.style]
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GRPC_", "MOMENTO_"))
    }
    with subprocess.Popen(  # noqa: S603  # our own program
        [*command, str(place.port), place.token],
        env=inherited | dict(contestant.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Running(process)
        process.communicate()
