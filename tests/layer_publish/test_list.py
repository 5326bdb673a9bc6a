from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer.archive import hash_file

if TYPE_CHECKING:
    from tests.layer_publish.conftest import Outcome

LAYER = "momento-lambda-python313-arm64"

MakeLayer = Callable[..., Path]
Run = Callable[..., "Outcome"]


def test_versions(run: Run, layer: MakeLayer) -> None:
    """Each version has a line, newest first: region, number, time, size, hash and ARN."""
    published = []
    for source in (b"first = 1", b"second = 2"):
        path = layer(source)
        published.append((hash_file(path)[:12], *run("publish --region us-east-1", path).out))
    outcome = run(f"list --region us-east-1 --name {LAYER}")
    listed = [line.split() for line in outcome.out]
    assert (0, []) == (outcome.code, outcome.err)
    assert [["us-east-1", "2"], ["us-east-1", "1"]] == [fields[:2] for fields in listed]
    assert [["0.0", "MB"], ["0.0", "MB"]] == [fields[3:5] for fields in listed]
    assert published[::-1] == [tuple(fields[5:]) for fields in listed]


def test_every_layer(run: Run, layer: MakeLayer) -> None:
    """Without a name, every layer of this library is listed, and nobody else's."""
    run("publish --region us-east-1", layer(name="momento-lambda-python3.13-x86_64.zip"))
    run("publish --region us-east-1", layer())
    run("publish --region us-east-1 --name another", layer())
    listed = [line.rsplit(":", 2)[1] for line in run("list --region us-east-1").out]
    assert [LAYER, "momento-lambda-python313-x86_64"] == listed


def test_regions(run: Run, layer: MakeLayer) -> None:
    """Each region is listed in turn, and one where there is nothing is told apart from the results."""
    run("publish --region eu-west-1", layer())
    outcome = run("list --region us-east-1 --region eu-west-1")
    assert ["eu-west-1"] == [line.split()[0] for line in outcome.out]
    assert (0, ["us-east-1: no version of a layer named momento-lambda..."]) == (outcome.code, outcome.err)


def test_unknown_layer(run: Run) -> None:
    """A layer that is not there has no versions, which is no failure."""
    outcome = run("list --region us-east-1 --name no-such-layer")
    assert (0, [], ["us-east-1: no version of no-such-layer"]) == outcome


def test_refusal_of_an_unknown_layer(run: Run, layer: MakeLayer, refuse: Callable[..., None]) -> None:
    """A layer that AWS refuses to list, since it is not there, is taken as one without versions."""
    refuse("ListLayerVersions", "ResourceNotFoundException")
    assert (0, [], ["us-east-1: no version of no-such-layer"]) == run("list --region us-east-1 --name no-such-layer")
    assert 0 == run("publish --region us-east-1", layer()).code
