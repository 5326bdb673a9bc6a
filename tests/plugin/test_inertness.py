"""What the plugin costs a project that does not use it."""

import json
import subprocess
import sys
from collections.abc import Callable

PluginRun = Callable[..., tuple[dict[str, int], str]]


def test_importing_it_imports_nothing_else() -> None:
    """Beyond pytest, which is there, it is the package's own door and itself."""
    script = """
import json, sys, pytest
before = {*sys.modules}
import momento_lambda.testing.plugin
print(json.dumps(sorted({*sys.modules} - before)))
"""
    printed = subprocess.check_output([sys.executable, "-c", script], text=True)  # noqa: S603  # this interpreter
    ours = ["momento_lambda", "momento_lambda.testing", "momento_lambda.testing.plugin", "momento_lambda.version"]
    assert ours == json.loads(printed)


def test_a_run_that_does_not_use_it_is_as_before(plugin_run: PluginRun) -> None:
    """No transport is loaded, no variable is set, no thread is started."""
    tests = """
import os, sys, threading

def test_nothing_is_there():
    assert "grpc" not in sys.modules
    assert "momento_lambda.caching" not in sys.modules
    assert not [name for name in os.environ if name.startswith("MOMENTO_")]
    assert threading.active_count() == 1
"""
    outcomes, printed = plugin_run(tests)
    assert {"passed": 1} == outcomes, printed


def test_its_fixtures_are_listed(bare_run: PluginRun) -> None:
    """`pytest --fixtures` says what each is."""
    _, printed = bare_run({}, "--fixtures", "-p", "momento_lambda.testing.plugin")
    for name in ("momento_server", "momento_cache", "lambda_context", "lambda_runtime"):
        assert f"\n{name}" in printed
    assert "_momento_client" not in printed
    assert "no docstring available" not in printed
