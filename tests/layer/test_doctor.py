"""What a function and its layers do to one another."""

from collections.abc import Callable
from pathlib import Path

import pytest

from momento_lambda_layer import Fault, Finding, Layer, Target, UnreadableZipError, diagnose
from momento_lambda_layer.cli import main

WriteFiles = Callable[[str, dict[str, bytes]], Path]
APP = {"app.py": b"import grpc\n"}


def metadata(name: str, version: str, *requirements: str) -> dict[str, bytes]:
    """Return the metadata of a distribution as a file."""
    needed = "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements)
    content = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"
    return {f"{name}-{version}.dist-info/METADATA": content.encode()}


def in_layer(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return files where a layer has them."""
    return {f"python/{name}": content for name, content in files.items()}


def only(findings: tuple[Finding, ...]) -> Finding:
    """Return the one finding."""
    (finding,) = findings
    return finding


def test_good_function(write_files: WriteFiles, layer: Layer) -> None:
    """A function that brings no copy of anything is in order with its layer."""
    function = write_files("function", APP)
    assert diagnose([function, layer.path], layer.target) == ()


@pytest.mark.parametrize(
    ("distribution", "package", "symptom"),
    [
        ("protobuf", "google/protobuf", "VersionError: Detected incompatible Protobuf Gencode/Runtime versions"),
        ("grpcio", "grpc", "RuntimeError: The grpc package installed is at version"),
    ],
)
def test_second_copy(distribution: str, package: str, symptom: str, write_files: WriteFiles, layer: Layer) -> None:
    """A package that the function and a layer both have is one finding, in the words of the error that it ends in."""
    bundled = {f"{package}/__init__.py": b"", **metadata(distribution, "1.0")}
    if distribution == "protobuf":
        bundled |= {"google/_upb/_message.abi3.so": b""}
    function = write_files("function", APP | bundled)
    findings = [each for each in diagnose([function, layer.path], layer.target) if each.fault is Fault.SECOND_COPY]
    finding = only(tuple(findings))
    assert finding.symptom.startswith(symptom)
    assert finding.files[0] == f"{function} ({distribution} 1.0)"
    assert finding.files[1].startswith(f"{layer.path} ({distribution} ")
    assert f"the one in {function} is imported" in finding.remedy


def test_equal_copies(write_files: WriteFiles) -> None:
    """Two copies of one version are dead weight, and said to be no more."""
    files = {"example.py": b"", **metadata("example", "1.0")}
    function, layer = write_files("function", APP | files), write_files("layer", in_layer(files))
    finding = only(diagnose([function, layer], Target.of("3.13", "arm64")))
    assert finding.fault is Fault.SECOND_COPY
    assert "dead weight" in finding.symptom


def test_later_layer_wins(write_files: WriteFiles) -> None:
    """Of two layers with a package, the later one is unzipped over the earlier, and its copy is imported."""
    old, new = ({f"example{n}.py": b"", **metadata("example", f"{n}.0")} for n in (1, 2))
    first, second = write_files("first", in_layer(old)), write_files("second", in_layer(new))
    finding = only(diagnose([first, second], Target.of("3.13", "arm64")))
    assert finding.files == (f"{second} (example 2.0)", f"{first} (example 1.0)")


def test_shadowed_module(write_files: WriteFiles) -> None:
    """A file of the function that has the name of a layer's package hides it."""
    function = write_files("function", APP | {"orders.py": b""})
    layer = write_files("layer", in_layer({"orders/__init__.py": b"", "orders/model.py": b""}))
    finding = only(diagnose([function, layer], Target.of("3.13", "arm64")))
    assert finding.fault is Fault.SHADOWED
    assert "orders" in finding.remedy


def test_hidden_namespace(write_files: WriteFiles) -> None:
    """A package of the function hides what a layer has in a namespace of that name, wherever each stands."""
    function = write_files("function", APP | {"company/__init__.py": b""})
    layer = write_files("layer", in_layer({"company/orders/__init__.py": b""}))
    for paths in ([function, layer], [layer, function]):
        finding = only(diagnose(paths, Target.of("3.13", "arm64")))
        assert finding.fault is Fault.SHADOWED
        assert finding.symptom == "ModuleNotFoundError: No module named 'company.orders'"


def test_shared_namespace(write_files: WriteFiles) -> None:
    """A namespace that both share is nobody's fault."""
    function = write_files("function", APP | {"company/web/__init__.py": b""})
    layer = write_files("layer", in_layer({"company/orders/__init__.py": b""}))
    assert diagnose([function, layer], Target.of("3.13", "arm64")) == ()


def test_requirement_in_a_layer(write_files: WriteFiles) -> None:
    """What the function needs may lie in a layer; what lies nowhere is missed, once."""
    function = write_files("function", APP | metadata("needy", "1.0", "example>=1", "absent"))
    layer = write_files("layer", in_layer({"example.py": b"", **metadata("example", "1.0")}))
    finding = only(diagnose([function, layer], Target.of("3.13", "arm64")))
    assert finding.symptom == "ModuleNotFoundError: No module named 'absent'"


def test_function_for_another_processor(write_files: WriteFiles, layer: Layer) -> None:
    """Compiled code in the function is judged as that in a layer is."""
    function = write_files("function", APP | {"fast.cpython-39-x86_64-linux-gnu.so": b"\xcf\xfa\xed\xfe"})
    findings = diagnose([function, layer.path], layer.target)
    assert {finding.fault for finding in findings} == {Fault.ABI, Fault.MACHINE}
    assert findings[0].files == (f"{function}: fast.cpython-39-x86_64-linux-gnu.so",)


def test_bundled_boto3(write_files: WriteFiles, layer: Layer) -> None:
    """A copy of what Lambda has is found in a function too."""
    function = write_files("function", APP | {"boto3/__init__.py": b"", **metadata("boto3", "1.0")})
    finding = only(diagnose([function, layer.path], layer.target))
    assert finding.fault is Fault.PROVIDED


def test_limits(write_files: WriteFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Function and layers together stay below what Lambda allows, and are five layers at most."""
    monkeypatch.setattr("momento_lambda_layer.doctor.UNZIPPED_LIMIT", 8)
    function = write_files("function", {"app.py": b"1"})
    layers = [write_files(f"layer{n}", in_layer({f"module{n}.py": b"12"})) for n in range(6)]
    findings = {each.fault: each for each in diagnose([function, *layers], Target.of("3.13", "arm64"))}
    assert findings.keys() == {Fault.SIZE, Fault.LAYER_COUNT}
    assert "together they take up 13 bytes" in findings[Fault.SIZE].remedy
    assert "more than 5 layers" in findings[Fault.LAYER_COUNT].symptom


def test_missing_path(tmp_path: Path) -> None:
    """A path that is not there is an error, not a finding."""
    with pytest.raises(UnreadableZipError):
        diagnose([tmp_path / "absent"], Target.of("3.13", "arm64"))


def test_command(write_files: WriteFiles, layer: Layer, capsys: pytest.CaptureFixture[str]) -> None:
    """`doctor` takes the target from a layer's name, ends with 0 or 1, and says which target it judged for."""
    function = write_files("function", APP)
    assert main(["doctor", str(function), str(layer.path)]) == 0
    assert capsys.readouterr().out == f"{function}, {layer.path} on {layer.target}: no fault found\n"
    write_files("function", {"typing_extensions.py": b""})
    assert main(["doctor", str(function), str(layer.path)]) == 1
    said = capsys.readouterr()
    assert "typing_extensions" in said.out
    assert said.err == f"error: {function}, {layer.path} has faults: 1\n"
