import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.layer_publish.conftest import Outcome

MakeLayer = Callable[..., Path]
Run = Callable[..., "Outcome"]


@pytest.fixture
def without() -> Iterator[Callable[..., None]]:
    """Take variables out of the environment, and put them back before the account ends, which looks for its own."""
    with pytest.MonkeyPatch.context() as environment:

        def take_out(*names: str) -> None:
            for name in names:
                environment.delenv(name)

        yield take_out


def test_no_credentials(run: Run, layer: MakeLayer, without: Callable[..., None]) -> None:
    """Without credentials it is said once, however many regions are named, and how to get some."""
    without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    outcome = run("publish --region us-east-1 --region eu-west-1", layer())
    assert (1, []) == (outcome.code, outcome.out)
    (line,) = outcome.err
    assert line.startswith("error: Unable to locate credentials; sign in again, or set AWS_PROFILE")


def test_half_the_credentials(run: Run, layer: MakeLayer, without: Callable[..., None]) -> None:
    """Credentials of which a part is missing are told as such."""
    without("AWS_SECRET_ACCESS_KEY")
    outcome = run("publish --region us-east-1", layer())
    assert (1, []) == (outcome.code, outcome.out)
    assert "Partial credentials found" in outcome.err[-1]


def test_unknown_profile(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that is not configured is named."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    assert (1, [], ["error: The config profile (no-such-profile) could not be found"]) == run("list --region us-east-1")


def test_no_region(run: Run) -> None:
    """Without a region, it is said how to name one."""
    expected = ["error: no region: name one with --region, or set AWS_DEFAULT_REGION"]
    assert (1, [], expected) == run("list")


@pytest.mark.parametrize(
    ("operation", "code", "advice"),
    [
        ("ListLayerVersions", "AccessDeniedException", "allow it in the policy of this user or role"),
        ("PublishLayerVersion", "AccessDeniedException", "allow it in the policy of this user or role"),
        ("AddLayerVersionPermission", "AccessDeniedException", "allow it in the policy of this user or role"),
        ("PutParameter", "AccessDeniedException", "allow it in the policy of this user or role"),
        ("PublishLayerVersion", "CodeStorageExceededException", "delete old versions"),
        ("ListLayerVersions", "ExpiredTokenException", "sign in again"),
        ("ListLayerVersions", "UnrecognizedClientException", "a region that the account has not enabled"),
    ],
)
def test_refusals(  # noqa: PLR0917  # fixtures and the table's columns
    run: Run, layer: MakeLayer, refuse: Callable[..., None], operation: str, code: str, advice: str
) -> None:
    """A refusal says the region, the operation, what AWS said and what to do, in one line; no ARN is printed."""
    refuse(operation, code, "AWS\nsays why")
    outcome = run("publish --region us-east-1 --public --ssm /layer", layer())
    assert (1, []) == (outcome.code, outcome.out)
    errors = [line for line in outcome.err if line.startswith("error: ")]
    assert [outcome.err[-1]] == errors
    assert f"error: us-east-1: {operation} was refused ({code}): AWS; says why; " in errors[0]
    assert advice in errors[0]


def test_refusal_of_another_kind(run: Run, refuse: Callable[..., None]) -> None:
    """What there is no advice for is told as AWS says it."""
    refuse("ListLayers", "ServiceException", "try later")
    expected = ["error: us-east-1: ListLayers was refused (ServiceException): try later"]
    assert (1, [], expected) == run("list --region us-east-1")


def test_no_connection(run: Run, fail: Callable[[str, Exception], None]) -> None:
    """A region that nothing answers for is doubted, and so is the network."""
    error = import_module("botocore.exceptions").EndpointConnectionError
    fail("ListLayers", error(endpoint_url="https://lambda.xy-nowhere-9.amazonaws.com/"))
    (line,) = run("list --region xy-nowhere-9").err
    assert line.startswith("error: xy-nowhere-9: Could not connect to the endpoint URL")
    assert line.endswith("is it a region of AWS, and the network up?")


def test_broken_connection(run: Run, fail: Callable[[str, Exception], None]) -> None:
    """Any other trouble on the way is told in one line."""
    error = import_module("botocore.exceptions").ReadTimeoutError
    fail("ListLayers", error(endpoint_url="https://lambda.us-east-1.amazonaws.com/"))
    (line,) = run("list --region us-east-1").err
    assert line.startswith("error: us-east-1: Read timeout on endpoint URL")


def test_missing_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without boto3, the error says what to install."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    expected = ["error: boto3 is needed and was not found: pip install 'momento-lambda[layer]'"]
    assert (1, [], expected) == run("list --region us-east-1")


def test_missing_zip(run: Run, tmp_path: Path) -> None:
    """A zip that is not there is named."""
    path = tmp_path / "layer-python3.13-arm64.zip"
    assert (1, [], [f"error: {path} cannot be read: No such file or directory"]) == run("publish", path)


def test_name_that_tells_nothing(run: Run, layer: MakeLayer) -> None:
    """A zip whose name does not tell its target asks for it."""
    (line,) = run("publish --region us-east-1", layer(name="mine.zip")).err
    assert line.startswith("error: the name mine.zip does not tell what it is for")


@pytest.mark.parametrize(
    ("content", "reason"),
    [("{", "is not JSON"), ("[]", "is about another zip"), ('{"sha256": "0"}', "is about another zip")],
)
def test_manifest_of_another_layer(run: Run, layer: MakeLayer, content: str, reason: str) -> None:
    """A manifest that is broken, or about another zip, stops before anything is published."""
    path = layer()
    path.with_suffix(".json").write_text(content)
    outcome = run("publish --region us-east-1", path)
    assert (1, []) == (outcome.code, outcome.out)
    assert reason in outcome.err[-1]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("publish", "ZIP"),
        ("publish x.zip --region us_east", "'us_east' is not of the form of us-east-1"),
        ("publish x.zip --name a.b", "'a.b' is not of the form of momento-lambda-python313-arm64"),
        ("publish x.zip --ssm layers/momento", "'layers/momento' is not of the form of /layers/momento-lambda"),
        ("publish x.zip --runtime 3.10", "Lambda ended the runtime 3.10"),
        ("publish x.zip --arch sparc", "'sparc' is not an architecture"),
        (f"publish x.zip --license {'x' * 513}", "513 characters are too many: Lambda takes 512"),
        ("list --name a.b", "'a.b' is not of the form"),
    ],
)
def test_wrong_usage(run: Run, capsys: pytest.CaptureFixture[str], command: str, reason: str) -> None:
    """Wrong usage ends with 2 and says what was wrong, before anything is read or asked."""
    with pytest.raises(SystemExit) as caught:
        run(command)
    assert caught.value.code == 2
    assert reason in capsys.readouterr().err
