import dataclasses
import importlib.util
import platform
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from momento_lambda_layer import Fault, Finding, Layer, Target, UnreadableZipError, UnsupportedTargetError, verify_layer
from momento_lambda_layer.checks import DIRECT_UPLOAD_LIMIT, UNZIPPED_LIMIT
from momento_lambda_layer.verify import remarks_on

ARCHITECTURE = platform.machine()
Zipped = Callable[..., Path]
METADATA = "Metadata-Version: 2.1\nName: example\nVersion: 1.0\n"


@pytest.fixture
def files(layer_files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of the layer, free to be changed."""
    return dict(layer_files)


def only(findings: tuple[Finding, ...]) -> Finding:
    """Return the one finding."""
    (finding,) = findings
    return finding


def cygrpc(files: dict[str, bytes]) -> str:
    """Return the name of gRPC's extension module."""
    return next(name for name in files if "/cygrpc." in name and name.endswith(".so"))


def bytecode(files: dict[str, bytes]) -> Iterator[str]:
    """Return the names of all bytecode."""
    return (name for name in files if name.endswith(".pyc"))


def test_good_layer(layer: Layer) -> None:
    """The layer as built has no fault, read or imported."""
    assert verify_layer(layer.path) == ()


def test_other_python(files: dict[str, bytes], zipped: Zipped) -> None:
    """An extension module for another Python is reported in the words that its import will fail with."""
    name = cygrpc(files)
    renamed = name.replace(".cpython-3", ".cpython-39")
    files[renamed] = files.pop(name)
    finding = only(verify_layer(zipped(files)))
    assert (finding.fault, finding.files) == (Fault.ABI, (renamed,))
    assert finding.symptom == "ImportError: cannot import name 'cygrpc' from 'grpc._cython'"
    assert "uv pip install" in finding.remedy


def test_other_processor(files: dict[str, bytes], zipped: Zipped) -> None:
    """A library for another processor is told by its header, since its name may lie."""
    name = cygrpc(files)
    header = bytearray(files[name])
    header[18:20] = struct.pack("<H", 243)  # e_machine: RISC-V
    files[name] = bytes(header)
    finding = only(verify_layer(zipped(files)))
    assert (finding.fault, finding.files) == (Fault.MACHINE, (name,))
    assert "EM_RISCV" in finding.remedy


def test_no_library(files: dict[str, bytes], zipped: Zipped) -> None:
    """A library that is none, such as one from macOS, is reported."""
    name = cygrpc(files)
    files[name] = b"\xcf\xfa\xed\xfe"
    finding = only(verify_layer(zipped(files)))
    assert finding.fault is Fault.MACHINE
    assert finding.symptom.endswith("invalid ELF header")


def test_newer_c_library(layer: Layer, target: Target) -> None:
    """A library that needs a newer glibc than the runtime has is reported with the version that is not found."""
    old = dataclasses.replace(target.runtime.system, name="an older system", glibc=(2, 4))
    older = dataclasses.replace(target, runtime=dataclasses.replace(target.runtime, system=old))
    findings = verify_layer(layer.path, older)
    assert {finding.fault for finding in findings} == {Fault.SYSTEM_LIBRARY}
    assert "version `GLIBC_2." in findings[0].symptom
    assert "an older system, with GLIBC_2.4" in findings[0].remedy


def test_stable_abi_of_a_newer_python(files: dict[str, bytes], zipped: Zipped) -> None:
    """An abi3 wheel for newer Pythons than the target's is reported, though its file name fits."""
    name = next(name for name in files if name.startswith("python/protobuf-") and name.endswith("/WHEEL"))
    files[name] = b"Wheel-Version: 1.0\nTag: cp399-abi3-manylinux2014_x86_64\n"
    finding = only(verify_layer(zipped(files)))
    assert (finding.fault, finding.files) == (Fault.ABI, (name,))
    assert "needs Python 3.99" in finding.remedy


def test_pure_protobuf(files: dict[str, bytes], zipped: Zipped) -> None:
    """Protobuf without its compiled part is reported, since nothing else would tell."""
    del files["python/google/_upb/_message.abi3.so"]
    assert only(verify_layer(zipped(files))).fault is Fault.SLOW_PROTOBUF


def test_protobuf_that_falls_back(files: dict[str, bytes], zipped: Zipped) -> None:
    """Protobuf whose compiled part is there but does not load is told by an import."""
    files["python/google/_upb/_message.abi3.so"] = files[cygrpc(files)]
    finding = only(verify_layer(zipped(files)))
    assert finding.fault is Fault.SLOW_PROTOBUF
    assert "runs its python implementation" in finding.symptom


def test_missing_requirement(files: dict[str, bytes], zipped: Zipped) -> None:
    """A requirement that is not there is reported by whoever needs it."""
    kept = {name: content for name, content in files.items() if "typing_extensions" not in name}
    findings = verify_layer(zipped(kept))
    assert {finding.fault for finding in findings} == {Fault.REQUIREMENT}
    assert {finding.symptom for finding in findings} == {"ModuleNotFoundError: No module named 'typing_extensions'"}
    assert sorted(finding.files[0].split("-")[0] for finding in findings) == ["python/grpcio", "python/momento_lambda"]


@pytest.mark.parametrize(
    "requirement",
    ["boto3", "Python-DateUtil>=2", "PyJWT; extra == 'server'", "grpcio (>=1.74)", "Typing.Extensions~=4.0"],
)
def test_satisfied_requirement(files: dict[str, bytes], zipped: Zipped, requirement: str) -> None:
    """What the runtime has, what an extra asks for, and what is there under another spelling is not missed."""
    files["python/example-1.0.dist-info/METADATA"] = f"{METADATA}Requires-Dist: {requirement}\n".encode()
    assert verify_layer(zipped(files)) == ()


@pytest.mark.parametrize("flags", [0b00, 0b11])
def test_checked_bytecode(files: dict[str, bytes], zipped: Zipped, flags: int) -> None:
    """Bytecode with a timestamp, or with a hash that Python checks, is reported."""
    names = tuple(sorted(bytecode(files)))
    for name in names:
        files[name] = files[name][:4] + struct.pack("<L", flags) + files[name][8:]
    finding = only(verify_layer(zipped(files)))
    assert (finding.fault, finding.files) == (Fault.BYTECODE, names)
    assert "not marked unchecked-hash" in finding.symptom


def test_bytecode_of_another_python(files: dict[str, bytes], zipped: Zipped) -> None:
    """Bytecode that this Python would ignore is reported."""
    for name in bytecode(files):
        files[name] = b"\0\0" + files[name][2:]
    finding = only(verify_layer(zipped(files)))
    assert finding.fault is Fault.BYTECODE
    assert "another Python" in finding.symptom


def test_missing_bytecode(files: dict[str, bytes], zipped: Zipped) -> None:
    """A source without bytecode, among others that have it, is reported."""
    del files[next(name for name in bytecode(files) if "/grpc/__pycache__/_channel." in name)]
    finding = only(verify_layer(zipped(files)))
    assert (finding.fault, finding.files) == (Fault.BYTECODE, ("python/grpc/_channel.py",))


def test_no_bytecode(files: dict[str, bytes], zipped: Zipped) -> None:
    """A layer of sources alone is slower but in order."""
    assert verify_layer(zipped({name: files[name] for name in files if not name.endswith(".pyc")})) == ()


def test_magic_number(target: Target) -> None:
    """The magic number on record is that of this interpreter."""
    assert int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little") == target.runtime.magic


def test_wrong_folder(files: dict[str, bytes], zipped: Zipped) -> None:
    """Modules at the top of the zip are reported: Python does not look there."""
    finding = only(verify_layer(zipped({name.removeprefix("python/"): files[name] for name in files})))
    assert finding.fault is Fault.LAYOUT
    assert finding.symptom.startswith("ModuleNotFoundError: No module named '")
    assert "grpc/__init__.py" in finding.files


def test_versioned_folder(files: dict[str, bytes], zipped: Zipped, target: Target) -> None:
    """The longer folder that names the Python version is as good as the short one."""
    folder = f"python/lib/{target.runtime.name}/site-packages/"
    moved = {name.replace("python/", folder, 1): content for name, content in files.items()}
    assert verify_layer(zipped(moved)) == ()


def test_folder_of_another_version(zipped: Zipped) -> None:
    """The folder of another Python version is reported."""
    finding = only(verify_layer(zipped({"python/lib/python3.9/site-packages/example.py": b""})))
    assert finding.fault is Fault.LAYOUT
    assert finding.symptom == "ModuleNotFoundError: No module named 'example'"


def test_other_folders(files: dict[str, bytes], zipped: Zipped) -> None:
    """Commands, extensions and shared libraries beside the modules are nobody's fault."""
    beside = {"bin/tool.py": b"", "extensions/agent.py": b"", "lib/libexample.so": b""}
    assert verify_layer(zipped(files | beside)) == ()


def test_empty_zip(zipped: Zipped) -> None:
    """A zip with nothing to import is reported."""
    assert only(verify_layer(zipped({"README": b""}))).fault is Fault.LAYOUT


def test_unreadable_files(zipped: Zipped) -> None:
    """Files that only their owner may read are reported: Lambda runs as someone else."""
    finding = only(verify_layer(zipped({"python/example.py": b""}, mode=0o600)))
    assert finding.fault is Fault.PERMISSIONS
    assert finding.symptom == "PermissionError: [Errno 13] Permission denied: '/opt/python/example.py'"


def test_too_large(tmp_path: Path, layer: Layer) -> None:
    """A layer above Lambda's limit is reported, however small its zip."""
    path = tmp_path / layer.path.name
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive, archive.open("python/x.py", "w") as file:
        chunk = bytes(1 << 20)
        for _ in range(UNZIPPED_LIMIT // len(chunk) + 1):
            file.write(chunk)
    findings = {finding.fault: finding for finding in verify_layer(path)}
    assert "Unzipped size must be smaller than 262144000 bytes" in findings[Fault.SIZE].symptom


def test_failing_import(files: dict[str, bytes], zipped: Zipped) -> None:
    """What only an import can tell is told by an import."""
    kept = {name: files[name] for name in files if not name.endswith(".pyc")}
    kept["python/momento_lambda/__init__.py"] = b"import nowhere"
    finding = only(verify_layer(zipped(kept)))
    assert finding.fault is Fault.IMPORT
    assert finding.symptom == "ModuleNotFoundError: No module named 'nowhere'"


def test_public_names_are_resolved(files: dict[str, bytes], zipped: Zipped) -> None:
    """A public name that is only imported on first use is tried as well."""
    kept = {name: files[name] for name in files if not name.endswith(".pyc")}
    kept["python/momento_lambda/__init__.py"] = b"__all__ = ['Absent']"
    finding = only(verify_layer(zipped(kept)))
    assert finding.fault is Fault.IMPORT
    assert "has no attribute 'Absent'" in finding.symptom


def test_other_machine(layer: Layer, target: Target) -> None:
    """A layer for this machine is full of faults for another one."""
    other = "arm64" if target.architecture.name == "x86_64" else "x86_64"
    faults = {finding.fault for finding in verify_layer(layer.path, Target.of(None, other))}
    assert faults == {Fault.ABI, Fault.MACHINE}


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 and nothing more"])
def test_no_zip(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing or no zip is an error, not a finding."""
    path = tmp_path / "layer-python3.11-x86_64.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableZipError, match="cannot be read as a zip"):
        verify_layer(path)


def test_damaged_zip(layer: Layer, tmp_path: Path) -> None:
    """A zip whose contents do not unpack is an error, not a finding."""
    content = bytearray(layer.path.read_bytes())
    with ZipFile(layer.path) as archive:
        entry = next(entry for entry in archive.infolist() if entry.filename.endswith(".so"))
    content[entry.header_offset + 200 : entry.header_offset + 400] = bytes(200)
    path = tmp_path / layer.path.name
    path.write_bytes(content)
    with pytest.raises(UnreadableZipError, match="cannot be read as a zip"):
        verify_layer(path)


def test_encrypted_zip(tmp_path: Path) -> None:
    """So is one that is encrypted."""
    path = tmp_path / "layer-python3.13-arm64.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("python/example.py", "")
    content = path.read_bytes().replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    path.write_bytes(content)
    with pytest.raises(UnreadableZipError, match="it is encrypted"):
        verify_layer(path)


def test_unknown_target(tmp_path: Path) -> None:
    """A name that does not tell the target is an error that shows one that would."""
    with pytest.raises(UnsupportedTargetError, match=r"layer-python3\.13-arm64\.zip"):
        verify_layer(tmp_path / "layer.zip")


def test_runtime_with_an_older_c_library(files: dict[str, bytes], zipped: Zipped) -> None:
    """An extension module for glibc 2.28, which Python 3.12 loads, is reported for Python 3.11."""
    name = next(name for name in files if name.endswith("_message.abi3.so"))
    newer = re.sub(rb"GLIBC_2\.1[0-9]\0", b"GLIBC_2.28\0", files[name])
    assert newer != files[name]
    bare = {entry: content for entry, content in files.items() if "cygrpc" not in entry and not entry.endswith(".pyc")}
    path = zipped(bare | {name: newer})
    old, new = Target.of("3.11", ARCHITECTURE), Target.of("3.12", ARCHITECTURE)
    (finding,) = [each for each in verify_layer(path, old, run=False) if each.files == (name,)]
    assert finding.fault is Fault.SYSTEM_LIBRARY
    assert "version `GLIBC_2.28' not found (required by /opt/python/google/_upb/_message.abi3.so)" in finding.symptom
    assert [each for each in verify_layer(path, new, run=False) if each.files == (name,)] == []


def test_second_copy(files: dict[str, bytes], zipped: Zipped, target: Target) -> None:
    """Two versions of a package in one layer are reported, with both."""
    folder = f"python/lib/{target.runtime.name}/site-packages/"
    old = {
        f"{folder}google/protobuf/example.py": b"",
        f"{folder}protobuf-4.0.dist-info/METADATA": METADATA.replace("example", "protobuf")
        .replace("1.0", "4.0")
        .encode(),
    }
    findings = verify_layer(zipped({name: files[name] for name in files if not name.endswith(".pyc")} | old))
    assert Fault.SECOND_COPY in {finding.fault for finding in findings}
    assert "VersionError" in next(each for each in findings if each.fault is Fault.SECOND_COPY).symptom


@pytest.mark.parametrize("name", ["python/boto3/__init__.py", "python/six.py", "python/urllib3-2.0.dist-info/METADATA"])
def test_what_lambda_has(files: dict[str, bytes], zipped: Zipped, name: str) -> None:
    """What the runtime already has is reported, told by its modules or by its metadata."""
    content = METADATA.replace("example", "urllib3").encode() if name.endswith("METADATA") else b""
    kept = {entry: files[entry] for entry in files if not entry.endswith(".pyc")}
    finding = only(verify_layer(zipped(kept | {name: content})))
    assert finding.fault is Fault.PROVIDED
    assert "leave" in finding.remedy


def test_large_zip(tmp_path: Path, layer: Layer) -> None:
    """A zip above 50 MB is no fault, but worth a remark: it is published through S3."""
    path = tmp_path / layer.path.name
    with ZipFile(path, "w") as archive:
        archive.writestr("python/data.bin", bytes(DIRECT_UPLOAD_LIMIT + 1))
    (remark,) = remarks_on(path, layer.target)
    assert "50.0 MB zipped" in remark
    assert "S3" in remark


def test_bytecode_of_other_runtimes(layer: Layer) -> None:
    """Bytecode for other Python versions alone is no fault, but worth a remark."""
    other = Target.of("3.14" if layer.target.runtime.minor != 14 else "3.13", layer.target.architecture.name)
    assert Fault.BYTECODE not in {finding.fault for finding in verify_layer(layer.path, other)}
    assert any(f"no bytecode for {other.runtime.name}" in remark for remark in remarks_on(layer.path, other))
    assert remarks_on(layer.path, layer.target) == ()


def test_layer_for_several_runtimes(multi_layer: Layer) -> None:
    """A layer for several runtimes has no fault for any of them; its name tells which they are."""
    assert verify_layer(multi_layer.path) == ()


def test_missing_runtime_in_a_layer_for_several(multi_layer: Layer, zipped: Zipped, target: Target) -> None:
    """Where the extension module for one of its runtimes is missing, that runtime's error is reported."""
    with ZipFile(multi_layer.path) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith(".pyc")}
    others = {name: files[name] for name in files if f"cygrpc.cpython-3{target.runtime.minor}" not in name}
    if len([name for name in others if "cygrpc" in name]) == 0:
        others["python/grpc/_cython/cygrpc.cpython-39-x86_64-linux-gnu.so"] = files[cygrpc(files)]
    findings = verify_layer(zipped(others), target)
    assert {finding.fault for finding in findings} == {Fault.ABI}
    assert findings[0].symptom == "ImportError: cannot import name 'cygrpc' from 'grpc._cython'"


def test_nothing_is_run(files: dict[str, bytes], zipped: Zipped, tmp_path: Path) -> None:
    """On request the zip is read alone, and no code in it runs."""
    trace = tmp_path / "trace"
    kept = {name: files[name] for name in files if not name.endswith(".pyc")}
    kept["python/momento_lambda/__init__.py"] = f"open({str(trace)!r}, 'w')".encode()
    path = zipped(kept)
    assert verify_layer(path, run=False) == ()
    assert not trace.exists()
    verify_layer(path)
    assert trace.exists()
