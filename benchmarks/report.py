"""What a benchmark found: a table to print, and to keep in the documentation."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DOCUMENTATION = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"


@dataclass(frozen=True)
class Report:
    """A table, and what it says.

    Attributes:
        title: What was asked.
        about: How it was measured, in sentences, each on a line of its own.
        header: The columns: names first, then ratios, then what they are ratios of.
        rows: As many cells each as there are columns.
    """

    title: str
    about: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def table(self) -> str:
        """Return the table in Markdown, its columns aligned so that a terminal shows it as well."""
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = [self.header, ["-" * width for width in widths], *self.rows]
        return "\n".join(_line(cells, widths) for cells in lines) + "\n"

    def page(self, command: str) -> str:
        """Return a page with the table and the command that made it."""
        return f"# {self.title}\n\n{self.about}\n\n{self.table()}\nMade on {_machine()} by\n\n```sh\n{command}\n```\n"


def publish(report: Report, *, write: bool) -> None:
    """Print a report, and where that is asked for write it into the documentation."""
    print(f"{report.title}\n\n{report.about}\n\n{report.table()}")
    if write:
        script = Path(sys.argv[0])
        page = DOCUMENTATION / f"{script.stem}.md"
        DOCUMENTATION.mkdir(parents=True, exist_ok=True)
        page.write_text(report.page(f"python benchmarks/{script.name} --write"))
        print(f"written to {page.relative_to(DOCUMENTATION.parents[1])}")


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of what every benchmark may be told."""
    parser = argparse.ArgumentParser(description=description)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="measure next to nothing, to see that it runs")
    length.add_argument("--write", action="store_true", help="write the table into docs/benchmarks")
    return parser


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _machine() -> str:
    return f"{os.cpu_count()} cores with Python {platform.python_version()}"
