"""Whether what distributions need is there, under the conditions of the target."""

import sys

import pytest

from momento_lambda_layer import MissingExtraError, Target
from momento_lambda_layer.provided import PROVIDED_BY_LAMBDA
from momento_lambda_layer.requirements import Distribution, distribution_of, find_missing

ARM = Target.of("3.13", "arm64")


def missing(*distributions: Distribution, target: Target = ARM) -> list[str]:
    """Return the symptoms of what is missing."""
    return [finding.symptom for finding in find_missing(distributions, target)]


def distribution(name: str, *requirements: str, version: str = "1.0") -> Distribution:
    """Return a distribution."""
    return Distribution(name, version, requirements, f"{name}-{version}.dist-info/METADATA")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("python_version >= '3.13'", True),
        ("python_version < '3.13'", False),
        ("platform_machine == 'aarch64'", True),
        ("platform_machine == 'x86_64'", False),
        ("sys_platform == 'win32'", False),
        ("platform_python_implementation == 'CPython' and os_name == 'posix'", True),
        ("extra == 'more'", False),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:  # noqa: FBT001  # a column of the table
    """A condition is held against the target, and not against this machine."""
    assert bool(missing(distribution("example", f"absent; {condition}"))) == holds


def test_extras() -> None:
    """What an extra needs is missed when some other distribution asks for that extra, however deep."""
    chain = (distribution("top", "middle[more]"), distribution("middle", "absent; extra == 'more'"))
    assert missing(*chain) == missing(*reversed(chain)) == ["ModuleNotFoundError: No module named 'absent'"]
    assert missing(distribution("top", "middle"), chain[1]) == []


def test_version() -> None:
    """A requirement that is there in a version that does not do is reported with both."""
    (symptom,) = missing(distribution("example", "other>=2"), distribution("other", version="1.5"))
    assert "example needs other>=2, and finds 1.5" in symptom
    assert missing(distribution("example", "other>=2"), distribution("other", version="2.1rc1")) == []


def test_what_lambda_has() -> None:
    """What the runtime brings along is not missed."""
    assert missing(distribution("example", *PROVIDED_BY_LAMBDA)) == []


def test_module_names() -> None:
    """The symptom names the module, where it is not called as its distribution is."""
    assert missing(distribution("example", "grpcio")) == ["ModuleNotFoundError: No module named 'grpc'"]


def test_unreadable_requirements() -> None:
    """Requirements of times before there was a grammar are passed over, as installers do."""
    assert missing(distribution("example", "other (>=1.0", "!")) == []


def test_metadata_without_a_name() -> None:
    """Where metadata lacks a name or a version, that of its folder holds."""
    found = distribution_of("python/Some_Name-2.0.dist-info/METADATA", b"Metadata-Version: 2.1\n")
    assert (found.name, found.version) == ("some-name", "2.0")


def test_version_that_is_none() -> None:
    """A version that cannot be compared does where any does, and otherwise not."""
    odd = distribution("other", version="of my own")
    assert missing(distribution("example", "other"), odd) == []
    assert len(missing(distribution("example", "other>=1"), odd)) == 1


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without packaging, the error says what to install."""
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    with pytest.raises(MissingExtraError, match=r"packaging is needed .* pip install 'momento-lambda\[layer\]'"):
        missing(distribution("example", "absent"))
