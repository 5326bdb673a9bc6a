"""What a compiled library asks of the machine that loads it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from momento_lambda_layer.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elftools.elf.gnuversions import GNUVerNeedSection

    from momento_lambda_layer.target import Version

_MAGIC = b"\x7fELF"


@dataclass(frozen=True)
class Need:
    """A symbol version that a library needs, such as ``GLIBC_2.17`` of ``libc.so.6``."""

    library: str
    family: str
    version: Version

    @property
    def symbol(self) -> str:
        """``GLIBC_2.17``."""
        return f"{self.family}_{'.'.join(map(str, self.version))}"


@dataclass(frozen=True)
class Elf:
    """A compiled library.

    Attributes:
        machine: The processor, such as ``EM_X86_64``.
        needs: The symbol versions that must be there when it is loaded.
    """

    machine: str
    needs: frozenset[Need]

    def newest_needs(self) -> list[Need]:
        """Return the newest version needed of each family, sorted by family."""
        newest: dict[str, Need] = {}
        for need in sorted(self.needs, key=lambda need: need.version):
            newest[need.family] = need
        return [newest[family] for family in sorted(newest)]


def read_elf(content: bytes) -> Elf | None:
    """Read a compiled library, or return None if it is not one that Linux could load.

    Raises:
        MissingExtraError: pyelftools is not installed.
    """
    if not content.startswith(_MAGIC):
        return None
    try:
        from elftools.common.exceptions import ELFError  # noqa: PLC0415  # an optional extra
        from elftools.elf.elffile import ELFFile  # noqa: PLC0415  # an optional extra
        from elftools.elf.gnuversions import GNUVerNeedSection  # noqa: PLC0415  # an optional extra
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyelftools") from error
    try:
        elf = ELFFile(io.BytesIO(content))
        sections = (section for section in elf.iter_sections() if isinstance(section, GNUVerNeedSection))
        return Elf(elf["e_machine"], frozenset(need for section in sections for need in _needs(section)))
    except (ELFError, OverflowError, UnicodeDecodeError):  # headers that point nowhere
        return None


def _needs(section: GNUVerNeedSection) -> Iterator[Need]:
    for library, versions in section.iter_versions():
        for version in versions:
            # GLIBC_PRIVATE and the like name no version that could be compared.
            parsed = re.fullmatch(r"([A-Z]+)_([0-9]+(?:\.[0-9]+)*)", version.name or "")
            if parsed:
                yield Need(library.name or "", parsed[1], tuple(map(int, parsed[2].split("."))))
