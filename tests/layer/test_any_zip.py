"""Whatever a zip or a folder holds, there is a judgement on it."""

import tempfile
from pathlib import Path
from zipfile import ZipFile

from hypothesis import given
from hypothesis import strategies as st

from momento_lambda_layer import Finding, Target, diagnose, verify_layer
from momento_lambda_layer.inspection import inspect_layer
from momento_lambda_layer.target import ARCHITECTURES, RUNTIMES

ROOTS = st.sampled_from(["", "python/", "python/lib/python3.13/site-packages/", "python/lib/python3.9/", "bin/"])
PATHS = st.sampled_from(
    [
        "a.py",
        "a/__init__.py",
        "a/b.py",
        "a/__pycache__/b.cpython-313.pyc",
        "a/__pycache__/b.cpython-39.pyc",
        "a/c.abi3.so",
        "a/c.cpython-313-aarch64-linux-gnu.so",
        "a/c.cpython-312-x86_64-linux-gnu.so",
        "a.libs/libc.so.6",
        "boto3/__init__.py",
        "google/__init__.py",
        "google/protobuf/__init__.py",
        "protobuf-7.0.dist-info/METADATA",
        "protobuf-7.0.dist-info/WHEEL",
        "a-1.dist-info/METADATA",
        ".dist-info/METADATA",
        "é/ü.py",
    ]
)
NEEDED = st.sampled_from(
    [
        "protobuf>=6",
        "a[b]",
        "a===weird",
        "six",
        "?!",
        "x @ file:///x",
        "absent; python_version > '3'",
        "absent; platform_release >= '20.0'",
        "absent; platform_version >= '#1'",
    ]
)
METADATA = st.builds(
    lambda name, version, needed: (
        f"Name: {name}\nVersion: {version}\n" + "".join(f"Requires-Dist: {text}\n" for text in needed)
    ).encode(),
    st.sampled_from(["a", "protobuf", "b", ""]),
    st.sampled_from(["1.0", "7.0", "weird", ""]),
    st.lists(NEEDED, max_size=4),
)
CONTENTS = st.binary(max_size=40) | METADATA | st.binary(max_size=80).map(lambda content: b"\x7fELF" + content)
FILES = st.dictionaries(st.builds(str.__add__, ROOTS, PATHS), CONTENTS, max_size=12)
TARGETS = st.builds(Target, st.sampled_from(RUNTIMES), st.sampled_from(ARCHITECTURES))


def judge(path: Path, target: Target) -> tuple[Finding, ...]:
    """Return every judgement on a zip."""
    assert inspect_layer(path)
    return (*verify_layer(path, target, run=False), *diagnose([path], target))


@given(files=FILES, target=TARGETS)
def test_any_zip(files: dict[str, bytes], target: Target) -> None:
    """A zip is judged without failing, the same each time, and every finding has its words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "layer.zip")
        with ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        findings = judge(path, target)
        assert judge(path, target) == findings
    for finding in findings:
        assert finding.symptom
        assert finding.remedy
        assert finding.place
