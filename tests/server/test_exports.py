import os
import subprocess
import sys
from pathlib import Path

import pytest

from momento_lambda import server


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    return subprocess.run(  # noqa: S603  # this interpreter, and code of this file's
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_the_names_are_these() -> None:
    """What users import is here, and every name leads somewhere."""
    assert [
        "ListenError",
        "LocalServer",
        "ManualClock",
        "ServerStateError",
        "SigningKey",
        "SigningKeyError",
        "TokenFormat",
        "TokenLimits",
    ] == server.__all__
    for name in server.__all__:
        assert name in dir(server)
        assert getattr(server, name) is not None


def test_other_names_are_unknown() -> None:
    """A name that is not there is an AttributeError as of any module."""
    with pytest.raises(AttributeError, match="Nothing"):
        _ = server.Nothing


def test_importing_it_is_cheap() -> None:
    """The transport and the signing of tokens are loaded with the first name that needs them."""
    code = "import sys, momento_lambda.server; print({'grpc', 'jwt', 'asyncio'} & set(sys.modules))"
    assert "set()\n" == python(code).stdout


@pytest.mark.parametrize("missing", ["jwt", "platformdirs", "grpc_health", "grpc_reflection", "prometheus_client"])
def test_what_is_not_installed_is_said(tmp_path: Path, missing: str) -> None:
    """Without the extra's packages the import fails in words that name the extra."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, package=None: None if name == {missing!r} else find(name, package)\n"
    )
    done = python("from momento_lambda.server import LocalServer", PYTHONPATH=str(tmp_path))
    assert done.stderr.endswith(
        f"ModuleNotFoundError: the server needs the package {missing}, which is not installed: "
        "pip install 'momento-lambda[server]'\n"
    )
