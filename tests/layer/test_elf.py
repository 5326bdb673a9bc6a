import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from momento_lambda_layer import MissingExtraError, Target
from momento_lambda_layer.elf import Elf, Need, read_elf


@pytest.fixture(scope="session")
def upb(layer_files: dict[str, bytes]) -> bytes:
    """The compiled part of protobuf."""
    return layer_files["python/google/_upb/_message.abi3.so"]


def test_library(upb: bytes, target: Target) -> None:
    """A compiled library tells its processor and the C library that it needs."""
    elf = read_elf(upb)
    assert elf is not None
    assert elf.machine == target.architecture.elf
    assert "GLIBC" in {need.family for need in elf.newest_needs()}


def test_newest_needs() -> None:
    """Of each family the newest counts, by number and not by letter."""
    libc = [Need("libc.so.6", "GLIBC", version) for version in [(2, 9), (2, 17), (2, 2, 5)]]
    stdcxx = Need("libstdc++.so.6", "CXXABI", (1, 3))
    assert [need.symbol for need in Elf("EM_X86_64", frozenset([*libc, stdcxx])).newest_needs()] == [
        "CXXABI_1.3",
        "GLIBC_2.17",
    ]


@given(st.binary())
def test_other_files(content: bytes) -> None:
    """What does not begin as a library does is none."""
    assert read_elf(content) is None


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_cut_off_library(upb: bytes, data: st.DataObject) -> None:
    """A library that was cut off is none, wherever the cut fell."""
    length = data.draw(st.integers(0, len(upb) - 1))
    assert read_elf(upb[:length]) is None


def test_missing_extra(upb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyelftools, the error says what to install."""
    monkeypatch.setitem(sys.modules, "elftools.elf.elffile", None)
    with pytest.raises(MissingExtraError, match=r"pyelftools is needed .* pip install 'momento-lambda\[layer\]'"):
        read_elf(upb)
