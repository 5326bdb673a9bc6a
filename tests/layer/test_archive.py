import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momento_lambda_layer import Layer
from momento_lambda_layer.archive import write_archive

# A name is a file's or a folder's, never both.
FOLDERS = st.text("abc", min_size=1, max_size=3)
FILES = st.text("xyz._-", min_size=1, max_size=5).map(lambda text: f"{text}x.py")
PATHS = st.builds(lambda folders, file: "/".join([*folders, file]), st.lists(FOLDERS, max_size=3), FILES)
TREES = st.dictionaries(PATHS, st.binary(max_size=200), min_size=1, max_size=8)


def pack(folder: Path, files: Iterable[tuple[str, bytes]], *, mode: int, modified: int) -> bytes:
    """Write files in the given order, pack them, and return the bytes of the zip."""
    tree = folder / "tree"
    for name, content in files:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        os.utime(path, (modified, modified))
    write_archive(tree, folder / "packed.zip", prefix="python/")
    return (folder / "packed.zip").read_bytes()


@settings(max_examples=40, deadline=None)
@given(files=TREES, data=st.data(), modified=st.integers(0, 2**31))
def test_equal_files_give_equal_bytes(files: dict[str, bytes], data: st.DataObject, modified: int) -> None:
    """The order in which files were made, their dates and their permissions do not show in a zip."""
    shuffled = data.draw(st.permutations(list(files.items())))
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        one = pack(Path(first), files.items(), mode=0o644, modified=1_000_000_000)
        other = pack(Path(second), shuffled, mode=0o700, modified=modified)
    assert one == other


@settings(max_examples=40, deadline=None)
@given(files=TREES)
def test_round_trip(files: dict[str, bytes]) -> None:
    """What comes out of a zip is what went in, below the prefix and in order."""
    with tempfile.TemporaryDirectory() as folder:
        pack(Path(folder), files.items(), mode=0o644, modified=0)
        with ZipFile(Path(folder, "packed.zip")) as archive:
            unpacked = {name: archive.read(name) for name in archive.namelist()}
    assert list(unpacked.items()) == [(f"python/{name}", files[name]) for name in sorted(files)]


def test_entries(layer: Layer) -> None:
    """Entries have one date, one origin, no extra fields, and are readable for all."""
    with ZipFile(layer.path) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.create_system for entry in entries} == {3}
    assert {entry.extra for entry in entries} == {b""}
    assert {oct(entry.external_attr >> 16) for entry in entries} == {"0o100644", "0o100755"}


@pytest.mark.parametrize("name", ["momento_lambda", "momento_lambda/", "/"])
def test_no_folders(layer: Layer, name: str) -> None:
    """A zip lists files alone: Lambda makes the folders."""
    with ZipFile(layer.path) as archive:
        assert f"python/{name}" not in archive.namelist()
