"""What the first invocations after a freeze are like where the connection did not outlive it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from benchmarks.links.bundle import function_folder
from benchmarks.links.site import TROUBLES, Site, Trouble
from momento_lambda.testing import LocalLambda
from momento_lambda.testing.invocation import Invocation

OURS = Path(__file__).resolve().parents[2] / "benchmarks" / "links" / "functions" / "ours.py"
OF_COROUTINES = {"\ndef user": "\nasync def user", "\ndef handler": "\nasync def handler", ": user(": ": await user("}
TIMEOUT = 2.0
"""Seconds that an operation of the cache may take: half of them for a dead connection, half for a new one."""

SILENT_DROP = next(trouble for trouble in TROUBLES if trouble.name == "silent drop")

Run: TypeAlias = Callable[[Trouble], AbstractContextManager[tuple[Site, LocalLambda]]]


@pytest.fixture(params=["functions", "coroutines"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Run the benchmark's function, which looks a user up, as it is and as coroutines; it is warm."""
    folder = function_folder(tmp_path / "function", OURS)
    source = OURS.read_text(encoding="utf-8")
    for word, other in OF_COROUTINES.items() if request.param == "coroutines" else ():
        assert word in source
        source = source.replace(word, other)
    (folder / "ours.py").write_text(source, encoding="utf-8")

    @contextmanager
    def running(trouble: Trouble) -> Iterator[tuple[Site, LocalLambda]]:
        with Site(trouble) as site:
            variables = site.environment | {"CACHE_TIMEOUT": str(TIMEOUT)}
            with LocalLambda("ours.handler", task_root=folder, environment=variables, movable_clock=True) as function:
                look_up(function)
                assert not look_up(function).payload["loaded"]
                yield site, function

    return running


def look_up(function: LocalLambda) -> Invocation:
    """Invoke the function, whose answer is right wherever it comes from."""
    outcome = function.invoke({"id": "1"})
    assert outcome.error is None
    assert {"id": "1"} == outcome.payload["user"]
    return outcome


def loaded(function: LocalLambda) -> list[bool]:
    """Return of which of three invocations the answer is the loader's."""
    return [look_up(function).payload["loaded"] for _ in range(3)]


@pytest.mark.parametrize("freeze", ["1m", "5m"])
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_a_connection_that_did_not_outlive_the_freeze(run: Run, trouble: Trouble, freeze: str) -> None:
    """The first invocation hits on a new connection, and so do the next on the same; an empty server is filled first.

    So within the timeout of one operation, be it a freeze after which the connection is doubted or one after which it
    is not even tried.
    """
    with run(trouble) as (site, function):
        before = site.network.connections_opened
        with function.frozen(freeze):
            site.strike()
        assert [trouble.empties, False, False] == loaded(function)
        # What goes to another address or straight to the server is not counted here.
        counted = not trouble.direct and not trouble.name_rests
        assert site.network.connections_opened - before == (1 if counted else 0)


def test_silence_costs_nothing_after_a_long_freeze(run: Run) -> None:
    """After five minutes a connection that is dead is not waited for: the first answer takes less than that would."""
    with run(SILENT_DROP) as (site, function):
        with function.frozen("5m"):
            site.strike()
        assert look_up(function).duration_ms < TIMEOUT / 2 * 1000


def test_silence_after_no_freeze_to_speak_of(run: Run) -> None:
    """Where nothing hints at a dead connection the loader answers once, and from then on the cache does."""
    with run(SILENT_DROP) as (site, function):
        before = site.network.connections_opened
        with function.frozen():
            site.strike()
        assert [True, False, False] == loaded(function)
        assert 1 == site.network.connections_opened - before
