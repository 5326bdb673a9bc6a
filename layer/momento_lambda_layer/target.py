"""Where a layer will run: a Lambda runtime on an architecture, and what both allow.

The one mapping from a runtime to its C library, and from there to the wheels that are safe.
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass

from momento_lambda_layer.errors import UnsupportedTargetError

Version = tuple[int, ...]


@dataclass(frozen=True)
class System:
    """An operating system that Lambda runs Python on, and the newest symbols its libraries offer.

    Attributes:
        name: As Amazon calls it.
        manylinux: The newest wheel platform that runs on it, in uv's words.
        glibc: Newest ``GLIBC_`` symbol version of its C library.
        glibcxx: Newest ``GLIBCXX_`` symbol version of its C++ library.
        cxxabi: Newest ``CXXABI_`` symbol version of its C++ library.
    """

    name: str
    manylinux: str
    glibc: Version
    glibcxx: Version
    cxxabi: Version

    def newest(self, family: str) -> Version | None:
        """Return the newest symbol version of a family such as ``GLIBC``, or None if it is not known."""
        return {"GLIBC": self.glibc, "GLIBCXX": self.glibcxx, "CXXABI": self.cxxabi}.get(family)


# Its compilers are GCC 7.3 and 11, which settles the C++ versions. No manylinux lies between 2_17 and 2_26
# in uv, so manylinux2014, which is 2_17, is the newest that is safe on the older system.
AMAZON_LINUX_2 = System("Amazon Linux 2", "manylinux2014", (2, 26), (3, 4, 24), (1, 3, 11))
AMAZON_LINUX_2023 = System("Amazon Linux 2023", "manylinux_2_34", (2, 34), (3, 4, 29), (1, 3, 13))


@dataclass(frozen=True)
class Runtime:
    """A Python runtime of Lambda.

    Attributes:
        minor: The 11 of Python 3.11.
        system: What it runs on.
        magic: The number that opens bytecode of this Python; any other bytecode is ignored.
    """

    minor: int
    system: System
    magic: int

    @property
    def version(self) -> str:
        """``3.11``."""
        return f"3.{self.minor}"

    @property
    def name(self) -> str:
        """``python3.11``, Lambda's identifier."""
        return f"python{self.version}"


@dataclass(frozen=True)
class Architecture:
    """A processor that Lambda runs on.

    Attributes:
        name: Lambda's identifier.
        machine: What Linux, uv and the names of extension modules call it.
        elf: Its name in an ELF header.
        aliases: What else it is called.
    """

    name: str
    machine: str
    elf: str
    aliases: tuple[str, ...]


RUNTIMES = (
    Runtime(11, AMAZON_LINUX_2, 3495),
    Runtime(12, AMAZON_LINUX_2023, 3531),
    Runtime(13, AMAZON_LINUX_2023, 3571),
    Runtime(14, AMAZON_LINUX_2023, 3627),
)
ARCHITECTURES = (
    Architecture("x86_64", "x86_64", "EM_X86_64", ("amd64",)),
    Architecture("arm64", "aarch64", "EM_AARCH64", ("aarch64",)),
)
# What people still ask for, and the day Lambda ended it.
_ENDED = {"3.10": "2026-10-31"}


@dataclass(frozen=True)
class Target:
    """A runtime on an architecture: what a function is deployed to.

    Example:
        >>> print(Target.of("3.13", "arm64"))
        python3.13 on arm64
    """

    runtime: Runtime
    architecture: Architecture

    @classmethod
    def of(cls, runtime: str | None = None, architecture: str | None = None) -> Target:
        """Return the target with these names; what is not named is as on this machine.

        Args:
            runtime: ``python3.13`` or ``3.13``.
            architecture: ``x86_64`` or ``arm64``, or an alias of either.

        Raises:
            UnsupportedTargetError: Lambda does not offer it.
        """
        this_python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cls(
            find_runtime(this_python if runtime is None else runtime),
            find_architecture(platform.machine() if architecture is None else architecture),
        )

    @classmethod
    def of_this_machine(cls) -> Target:
        """Return the target that runs this Python version on this processor."""
        return cls.of()

    @classmethod
    def in_file_name(cls, name: str, runtime: str | None = None, architecture: str | None = None) -> tuple[Target, ...]:
        """Return every target that a file name tells: it may name several runtimes.

        Args:
            name: The file name.
            runtime: Overrules the name.
            architecture: Overrules the name.
        """
        runtimes = [runtime] if runtime else sorted(set(re.findall(r"python3\.[0-9]+", name)))
        names = [known for kind in ARCHITECTURES for known in (kind.name, *kind.aliases)]
        told = re.search("|".join(names), name)
        architecture = architecture or (told[0] if told else None)
        return tuple(cls.of(each, architecture) for each in runtimes) if architecture else ()

    @property
    def uv_platform(self) -> str:
        """The name in uv of the newest wheels that run here."""
        return f"{self.architecture.machine}-{self.runtime.system.manylinux}"

    @property
    def extension_suffixes(self) -> tuple[str, ...]:
        """The endings under which this Python looks for an extension module."""
        return (f".cpython-3{self.runtime.minor}-{self.architecture.machine}-linux-gnu.so", ".abi3.so", ".so")

    @property
    def fits_this_machine(self) -> bool:
        """Whether this machine, with an interpreter of the right version, can import what was built for the target."""
        return (sys.platform, platform.machine()) == ("linux", self.architecture.machine)

    def __str__(self) -> str:
        return f"{self.runtime.name} on {self.architecture.name}"


def find_runtime(text: str) -> Runtime:
    """Return the runtime that is called ``python3.13`` or ``3.13``.

    Raises:
        UnsupportedTargetError: Lambda does not offer it.
    """
    for runtime in RUNTIMES:
        if text in (runtime.name, runtime.version):
            return runtime
    known = ", ".join(runtime.name for runtime in RUNTIMES)
    ended = _ENDED.get(text.removeprefix("python"))
    if ended:
        raise UnsupportedTargetError(f"Lambda ended the runtime {text} on {ended}; choose one of {known}")
    raise UnsupportedTargetError(f"{text!r} is not a Python runtime of Lambda; choose one of {known}")


def find_architecture(text: str) -> Architecture:
    """Return the architecture that is called ``arm64``, or by an alias.

    Raises:
        UnsupportedTargetError: Lambda does not offer it.
    """
    for architecture in ARCHITECTURES:
        if text.lower() in (architecture.name, *architecture.aliases):
            return architecture
    known = ", ".join(architecture.name for architecture in ARCHITECTURES)
    raise UnsupportedTargetError(f"{text!r} is not an architecture of Lambda; choose one of {known}")
