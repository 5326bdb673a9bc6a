from pathlib import Path

import pytest

from momento_lambda_layer.trim import RULES, trim

KEPT = [
    "google/_upb/_message.abi3.so",
    "grpc/__init__.py",
    "grpc/_cython/_credentials/roots.pem",
    "grpcio-1.0.dist-info/METADATA",
    "grpcio-1.0.dist-info/WHEEL",
    "grpcio-1.0.dist-info/licenses/LICENSE",
    "momento_lambda/testimony.py",
    "protobuf-7.0.dist-info/LICENSE",
]
DROPPED = [
    ".lock",
    "bin/protoc",
    "grpc/__pycache__/__init__.cpython-311.pyc",
    "grpc/_cython/cygrpc.pyi",
    "grpc/_cython/cygrpc.pyx",
    "grpc/_cython/signer.cc",
    "grpc/_cython/signer.h",
    "grpc/tests/test_channel.py",
    "grpcio-1.0.dist-info/INSTALLER",
    "grpcio-1.0.dist-info/RECORD",
    "grpcio-1.0.dist-info/REQUESTED",
    "grpcio-1.0.dist-info/direct_url.json",
    "momento_lambda/py.typed",
    "momento_lambda/wire/cache.proto",
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a file of every kind that wheels bring along."""
    for name in KEPT + DROPPED:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_what_goes(tree: Path) -> None:
    """What no function reads is deleted and named."""
    assert trim(tree) == tuple(sorted(DROPPED))


def test_what_stays(tree: Path) -> None:
    """Code, TLS roots, licences and what scanners read stay."""
    trim(tree)
    assert sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()) == sorted(KEPT)


def test_reasons() -> None:
    """Every rule says why, and no reason serves for two."""
    assert len({rule.reason for rule in RULES}) == len(RULES)
    assert all(rule.reason for rule in RULES)
