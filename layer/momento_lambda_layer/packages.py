"""What goes into a layer beside the library: the lock, and what a user adds."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer.distribution_names import normalized
from momento_lambda_layer.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCK = Path(__file__).with_name("lock.txt")
LOCK_WITH_POWERTOOLS = Path(__file__).with_name("lock-powertools.txt")


@dataclass(frozen=True)
class Packages:
    """The packages of a layer.

    Attributes:
        requirements: Such as ``orjson>=3``.
        file: A requirements file with more of them.
        powertools: Whether AWS Lambda Powertools comes too.
    """

    requirements: tuple[str, ...] = ()
    file: Path | None = None
    powertools: bool = False

    @property
    def lock(self) -> Path:
        """What every target gets, with hashes; what is added must agree with it."""
        return LOCK_WITH_POWERTOOLS if self.powertools else LOCK

    @property
    def added(self) -> bool:
        """Whether there is more than the lock."""
        return bool(self.requirements or self.file)

    def write_requirements(self, folder: Path) -> list[Path]:
        """Return the requirements files that say it all; those that are missing are written into the folder.

        Raises:
            FetchError: The user's file is not there.
        """
        if self.file and not self.file.is_file():
            raise FetchError(f"the requirements file {self.file} is not there")
        named = folder / "added.txt"
        named.write_text("".join(f"{requirement}\n" for requirement in self.requirements), encoding="utf-8")
        return [self.lock, *([self.file] if self.file else []), named]

    def sources(self) -> list[str]:
        """Return the lines of the user's file that name where else to look for wheels."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file else []
        return [line for line in lines if re.match(r"\s*(-i|-f|--(extra-)?index-url|--find-links)[\s=]+\w+://", line)]

    def promised_hashes(self) -> Mapping[str, frozenset[str]]:
        """Return the hashes that a distribution may have, by its name; a name that is not there may have any."""
        promised: dict[str, set[str]] = defaultdict(set)
        for file in (self.lock, *([self.file] if self.file else [])):
            name = ""
            for line in file.read_text(encoding="utf-8").splitlines():
                stated = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)", line)
                name = normalized(stated[1]) if stated else name
                hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
                if hashes:
                    promised[name].update(hashes)
        return {name: frozenset(hashes) for name, hashes in promised.items()}
