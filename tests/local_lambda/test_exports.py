"""What the package offers by name."""

import subprocess
import sys

import pytest

from momento_lambda import testing


@pytest.mark.parametrize("name", testing.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    """It is found in the module that defines it."""
    assert name == getattr(testing, name).__name__
    assert name in dir(testing)


def test_another_name_is_an_attribute_error() -> None:
    """As with any module, so that ``hasattr`` and imports behave."""
    with pytest.raises(AttributeError, match=r"module 'momento_lambda\.testing' has no attribute 'no_such_name'"):
        testing.__getattr__("no_such_name")


def test_importing_the_package_loads_no_server() -> None:
    """Names are resolved on first use: a test that wants one thing does not pay for the others."""
    script = "import sys, momento_lambda.testing as t; t.Invocation; print({'http.server', 'grpc'} & {*sys.modules})"
    printed = subprocess.check_output([sys.executable, "-c", script], text=True)  # noqa: S603  # no shell
    assert "set()\n" == printed
