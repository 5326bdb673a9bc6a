import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from momento_lambda_layer import Target
from momento_lambda_layer.contents import Contents
from momento_lambda_layer.merge import merge
from momento_lambda_layer.storage import Folder
from momento_lambda_layer.target import RUNTIMES, Runtime
from momento_lambda_layer.tree import files_in

WriteFiles = Callable[[str, dict[str, bytes]], Path]
OLD, NEW = RUNTIMES[1], RUNTIMES[2]


def tree(runtime: Runtime, files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files of a package with an extension module for one runtime."""
    return {
        f"example/fast.cpython-3{runtime.minor}-aarch64-linux-gnu.so": runtime.name.encode(),
        "example-1.0.dist-info/WHEEL": f"Tag: cp3{runtime.minor}".encode(),
        "example-1.0.dist-info/LICENSE": b"free",
        "other-1.0.dist-info/METADATA": b"Name: other",
        "example/__init__.py": b"",
        **files,
    }


def merged(write: WriteFiles, old: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    """Merge two trees and return the names in the result."""
    trees = {OLD: write("old", old), NEW: write("new", new)}
    result = trees[OLD].with_name("python")
    merge(trees, result)
    return files_in(result)


def test_shared(write_files: WriteFiles) -> None:
    """What is equal is there once, extension modules lie side by side, metadata that differs is kept for each."""
    assert merged(write_files, tree(OLD, {}), tree(NEW, {})) == [
        "example/__init__.py",
        "example/fast.cpython-312-aarch64-linux-gnu.so",
        "example/fast.cpython-313-aarch64-linux-gnu.so",
        "lib/python3.12/site-packages/example-1.0.dist-info/LICENSE",
        "lib/python3.12/site-packages/example-1.0.dist-info/WHEEL",
        "lib/python3.13/site-packages/example-1.0.dist-info/LICENSE",
        "lib/python3.13/site-packages/example-1.0.dist-info/WHEEL",
        "other-1.0.dist-info/METADATA",
    ]


def test_apart(write_files: WriteFiles) -> None:
    """Where any code differs, all of it lies apart: no package is torn between two folders."""
    names = merged(write_files, tree(OLD, {"backport.py": b""}), tree(NEW, {}))
    assert {name.split("/site-packages/")[0] for name in names} == {"lib/python3.12", "lib/python3.13"}
    assert "lib/python3.12/site-packages/backport.py" in names
    assert "lib/python3.13/site-packages/example/__init__.py" in names


# Names of code, of extension modules and of metadata, few enough to collide.
CODE = st.sampled_from(["a.py", "b/__init__.py", "b/c.py", "b/d.so", "b.libs/e.so"])
METADATA = st.sampled_from(["b-1.0.dist-info/METADATA", "b-1.0.dist-info/WHEEL", "a-1.0.dist-info/METADATA"])
FILES = st.dictionaries(CODE | METADATA, st.sampled_from([b"1", b"2"]), min_size=1)


@given(old=FILES, new=FILES)
def test_every_runtime_finds_its_own(old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """Whatever two trees hold, each runtime finds in the merged one what it had alone, and no other code."""
    with tempfile.TemporaryDirectory() as folder:
        trees = {}
        for runtime, files in ((OLD, old), (NEW, new)):
            trees[runtime] = Path(folder, runtime.name)
            tagged = {f"b/f.cpython-3{runtime.minor}-x.so": b"", **files}
            for name, content in tagged.items():
                path = trees[runtime] / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        merge(trees, Path(folder, "layer", "python"))
        for runtime, files in ((OLD, old), (NEW, new)):
            storage = Folder(Path(folder, "layer"))
            found = Contents.of_layer(storage, Target.of(runtime.name, "arm64")).modules
            own = {path: storage.read(name) for path, name in found.items() if not path.startswith("b/f.")}
            assert own == files
