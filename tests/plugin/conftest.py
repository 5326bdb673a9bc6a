"""Test runs inside of the test run, in a process of their own and with the plugin that is tested."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Outcomes = dict[str, int]


@pytest.fixture
def bare_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Outcomes, str]]:
    """Run pytest on a folder of files; return how its tests came out, and all that it printed."""
    # Plugins that happen to be installed are left out, this one among them where it is: it is named below.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(files: dict[str, str], *options: str) -> tuple[Outcomes, str]:
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *options]
        done = subprocess.run(  # noqa: S603  # this interpreter
            command, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        printed = done.stdout + done.stderr
        counts = re.findall(r"(\d+) (passed|failed|errors?|skipped)", printed.splitlines()[-1] if printed else "")
        return {word: int(count) for count, word in counts}, printed

    return run


@pytest.fixture
def plugin_run(bare_run: Callable[..., tuple[Outcomes, str]]) -> Callable[..., tuple[Outcomes, str]]:
    """Run pytest with the plugin on a test module, and perhaps a module beside it."""

    def run(tests: str, **modules: str) -> tuple[Outcomes, str]:
        files = {"test_it.py": tests, **{f"{name}.py": source for name, source in modules.items()}}
        return bare_run(files, "-p", "momento_lambda.testing.plugin")

    return run
