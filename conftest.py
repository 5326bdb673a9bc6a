"""The whole test run: documentation as tests, patient property tests, and nothing left out in silence."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from momento_lambda.runtime import persistent_loop
from momento_lambda.runtime.clients import close_shared_clients
from momento_lambda.server import LocalServer

# A busy machine is slow for no fault of the code, so no example is timed. `--hypothesis-profile=thorough` tries more.
settings.register_profile("quick", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile("quick")

left_out: Counter[str] = Counter()
"""Why tests did not run, and how many."""


@pytest.fixture(scope="module")
def auth_token() -> Iterator[str]:
    """A token for a server with the cache that the documentation speaks of, which the environment names too."""
    with pytest.MonkeyPatch.context() as environment, LocalServer(caches=["users-cache"]) as server:
        token = server.create_token()
        environment.setenv("MOMENTO_API_KEY", token)
        yield token
        close_shared_clients()
        persistent_loop.close()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()], patterns=["*.md"], fixtures=["auth_token"]
).pytest()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option under which a test that does not run is a failure."""
    parser.addoption(
        "--nothing-left-out", action="store_true", help="fail where a test was skipped for what this machine lacks"
    )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember why a test did not run."""
    if report.skipped and isinstance(report.longrepr, tuple):
        left_out[report.longrepr[2].removeprefix("Skipped: ")] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where something was left out that should not have been."""
    if left_out and session.config.getoption("--nothing-left-out"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what did not run, and why."""
    for reason, count in left_out.items():
        terminalreporter.write_line(f"did not run: {count} tests, {reason}", yellow=True)
