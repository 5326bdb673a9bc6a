"""Functions written on the spot, each run in a local Lambda of its own."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from momento_lambda.testing import LocalLambda, local_lambda_available
from tests.left_out import NO_RUNTIME_CLIENT


@pytest.fixture
def task_root(tmp_path: Path) -> Path:
    """The folder of the function under test."""
    folder = tmp_path / "task"
    folder.mkdir()
    return folder


@pytest.fixture
def function(task_root: Path) -> Callable[..., LocalLambda]:
    """Make a local Lambda of the source of a module with a ``handler``."""
    if not local_lambda_available():
        pytest.skip(NO_RUNTIME_CLIENT)

    def make(source: str, **options: Any) -> LocalLambda:
        (task_root / "app.py").write_text(textwrap.dedent(source), encoding="utf-8")
        return LocalLambda("app.handler", task_root=task_root, **options)

    return make
