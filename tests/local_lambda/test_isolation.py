"""What a function sees of the machine it runs on."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from momento_lambda.testing import LocalLambda, LocalLambdaError
from momento_lambda.testing.function_configuration import RESERVED_VARIABLES

Make = Callable[..., LocalLambda]

VERSION = "python{}.{}".format(*sys.version_info)

FOUND = """
from importlib.util import find_spec

def handler(event, context):
    return [name for name in event if find_spec(name)]
"""

VARIABLES = """
import os

def handler(event, context):
    return dict(os.environ)
"""

# What Python itself adds where the locale that Lambda names is not installed.
COERCED = {"LC_CTYPE"}


def layer(folder: Path, modules: dict[str, str]) -> Path:
    """Write an unpacked layer, whose modules each hold their origin as ``ORIGIN``."""
    for path, origin in modules.items():
        module = folder / path
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(f"ORIGIN = {origin!r}", encoding="utf-8")
    return folder


def run_python(*arguments: str) -> str:
    """Run this interpreter; return what it printed."""
    return subprocess.check_output([sys.executable, *arguments], text=True)  # noqa: S603  # no shell


def test_the_path_is_the_one_of_lambda(function: Make, task_root: Path) -> None:
    """Task root, layers, the runtime's packages, the standard library, in this order, and nothing else."""
    with function("import sys\ndef handler(event, context): return sys.path") as f:
        path = f.invoke({}).payload
    script = "import json, sys; print(json.dumps(sys.path))"
    library = json.loads(run_python("-I", "-S", "-c", script))
    assert str(task_root) == path[0]
    root = Path(path[1]).parents[4]
    assert [
        str(root / folder) for folder in (f"opt/python/lib/{VERSION}/site-packages", "opt/python", "runtime")
    ] == path[1:4]
    assert library == path[4:]


def test_only_the_packages_of_the_runtime_show_through(function: Make) -> None:
    """What is installed beside the runtime client, this library included, cannot be imported."""
    runtime = ["awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py", "boto3", "botocore"]
    with function(FOUND) as f:
        assert runtime == f.invoke([*runtime, "pytest", "grpc", "google", "pip", "momento_lambda"]).payload


def test_a_package_of_the_runtime_has_its_metadata(function: Make) -> None:
    """A function can ask for the version of the runtime client and of boto3, and of nothing else that is here."""
    source = """
    from importlib.metadata import distributions

    def handler(event, context):
        return sorted(found.name for found in distributions())
    """
    client = {"awslambdaric", "simplejson", "snapshot-restore-py"}
    aws = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
    with function(source) as f:
        assert sorted(client | aws) == f.invoke({}).payload


def test_the_task_shadows_layers_and_a_later_layer_an_earlier_one(
    function: Make, task_root: Path, tmp_path: Path
) -> None:
    """Layers are laid over one another in order, as under /opt, and the function's own folder comes first."""
    layer(task_root, {"everywhere.py": "task"})
    site = f"python/lib/{VERSION}/site-packages"
    layers = [
        layer(
            tmp_path / "first",
            {"python/everywhere.py": "first", "python/both.py": "first", "python/shared/a.py": "first"},
        ),
        layer(
            tmp_path / "second",
            {"python/both.py": "second", "python/shared/b.py": "second", f"{site}/nested.py": "second"},
        ),
    ]
    source = """
    import both, everywhere, nested, shared.a, shared.b

    def handler(event, context):
        return [module.ORIGIN for module in (everywhere, both, shared.a, shared.b, nested)]
    """
    with function(source, layers=layers) as f:
        assert ["task", "second", "first", "second", "second"] == f.invoke({}).payload


def test_a_layer_may_be_a_zip(function: Make, tmp_path: Path) -> None:
    """It is unpacked with the modes of its files, laid over those before it, and gone when the function is."""
    folder = layer(tmp_path / "folder", {"python/both.py": "folder", "python/first.py": "folder"})
    archive = tmp_path / "layer.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("python/both.py", "ORIGIN = 'zip'")
        tool = zipfile.ZipInfo("bin/tool")
        tool.external_attr = 0o755 << 16
        zipped.writestr(tool, "#!/bin/sh\necho from the tool")
    source = """
    import both, first, os, subprocess
    from pathlib import Path

    def handler(event, context):
        opt = Path(both.__file__).parents[1]
        return [both.ORIGIN, first.ORIGIN, subprocess.check_output(opt / "bin" / "tool", text=True), str(opt)]
    """
    with function(source, layers=[folder, archive]) as f:
        *seen, opt = f.invoke({}).payload
    assert ["zip", "folder", "from the tool\n"] == seen
    assert not Path(opt).exists()


@pytest.mark.parametrize("content", [b"not a zip", None], ids=["junk", "missing"])
def test_a_layer_that_is_none_is_named(function: Make, tmp_path: Path, content: bytes | None) -> None:
    """The error says which it is, and what it could be."""
    broken = tmp_path / "broken.zip"
    if content is not None:
        broken.write_bytes(content)
    with (
        pytest.raises(LocalLambdaError, match=r"broken\.zip is neither a folder nor a zip archive"),
        function(VARIABLES, layers=[broken]),
    ):
        pytest.fail("it was entered")


def test_no_bytecode_is_left_behind(function: Make, task_root: Path, tmp_path: Path) -> None:
    """The folders of a function are read-only on Lambda; running it here does not touch them either."""
    shared = layer(tmp_path / "layer", {"python/shared.py": "layer"})
    with function("import shared\ndef handler(event, context): return shared.ORIGIN", layers=[shared]) as f:
        assert "layer" == f.invoke({}).payload
    assert [task_root / "app.py"] == list(task_root.rglob("*"))
    assert [shared / "python", shared / "python" / "shared.py"] == list(shared.rglob("*"))


def test_the_variables_are_those_of_lambda(function: Make, task_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function sees what Lambda sets and what its configuration adds: the caller's secrets stay here."""
    monkeypatch.setenv("MOMENTO_API_KEY", "secret of the caller")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret of the caller")
    monkeypatch.setenv("PYTHONPATH", "of the caller")
    monkeypatch.setenv("SSL_CERT_FILE", "certificates of the machine")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    with function(VARIABLES, function_name="users", environment={"MOMENTO_CACHE_NAME": "users"}) as f:
        seen = f.invoke({}).payload
    for made_up in ("AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "PYTHONPATH", "_X_AMZN_TRACE_ID"):
        assert seen.pop(made_up)
    assert seen.pop("HOME") == seen.pop("TMPDIR")
    assert Path(seen.pop("LAMBDA_RUNTIME_DIR")).name == "runtime"
    assert {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{VERSION}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_NAME": "users",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/users",
        "AWS_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": str(task_root),
        "LANG": "en_US.UTF-8",
        "MOMENTO_CACHE_NAME": "users",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "SSL_CERT_FILE": "certificates of the machine",
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    } == {name: value for name, value in seen.items() if name not in COERCED}


def test_the_configuration_changes_defaults(function: Make) -> None:
    """What Lambda lets a function choose, it can choose here."""
    with function(VARIABLES, environment={"TZ": "Europe/Prague", "AWS_REGION": "eu-west-1"}) as f:
        seen = f.invoke({}).payload
    assert ("Europe/Prague", "eu-west-1") == (seen["TZ"], seen["AWS_REGION"])


def test_a_reserved_variable_is_refused(function: Make) -> None:
    """Lambda refuses it as well; the error names it."""
    chosen = {"_HANDLER": "other.handler", "LAMBDA_TASK_ROOT": "/"}
    with pytest.raises(ValueError, match="Lambda sets LAMBDA_TASK_ROOT, _HANDLER itself"):
        function(VARIABLES, environment=chosen)


@pytest.mark.parametrize("options", [{}, {"snap_start": True}, {"max_concurrency": 1}], ids=str)
def test_what_lambda_sets_is_reserved(function: Make, options: dict[str, Any]) -> None:
    """Of what a function sees, only the defaults and the trace of the event could have been its own."""
    with function(VARIABLES, **options) as f:
        seen = f.invoke({}).payload
    defaults = {"AWS_DEFAULT_REGION", "AWS_REGION", "HOME", "LANG", "PATH", "TMPDIR", "TZ", *COERCED}
    inherited = {"LD_LIBRARY_PATH", "SSL_CERT_DIR", "SSL_CERT_FILE"}
    assert set() == seen.keys() - RESERVED_VARIABLES - defaults - inherited


def test_the_function_runs_in_its_folder(function: Make, task_root: Path) -> None:
    """A relative path is relative to the task root, and temporary files go to a folder of the environment."""
    source = """
    import os, tempfile

    def handler(event, context):
        return [os.getcwd(), os.listdir(tempfile.gettempdir()), os.path.expanduser("~") == tempfile.gettempdir()]
    """
    with function(source) as f:
        assert [str(task_root), [], True] == f.invoke({}).payload
