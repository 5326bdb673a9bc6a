"""What a benchmark found: a table to print, and to keep in the documentation with its figures and a chart."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.charts import Chart

DOCUMENTATION = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
PACKAGES = ("momento-lambda", "grpcio", "protobuf", "momento", "redis")


@dataclass(frozen=True)
class Target:
    """What a figure is to be.

    Attributes:
        what: The figure, as a row of a table says it.
        found: What it is.
        bound: What it may be at most, or must be at least.
        at_least: Whether it is the latter.
    """

    what: str
    found: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is so."""
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    def row(self) -> Sequence[str]:
        """Return it as the cells of a table."""
        sign = "≥" if self.at_least else "≤"
        return self.what, f"{sign} {self.bound:.2f}", f"{self.found:.2f}", "yes" if self.met else "**no**"


@dataclass(frozen=True)
class Report:
    """A table, and what it says.

    Attributes:
        title: What was asked.
        about: How it was measured, in sentences, each on a line of its own.
        header: The columns: names first, then ratios, then what they are ratios of.
        rows: As many cells each as there are columns.
        figures: The numbers behind the table, for programs.
        targets: What some of them are to be.
        chart: Some of them as a picture.
    """

    title: str
    about: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: Mapping[str, Any] = field(default_factory=dict)
    targets: Sequence[Target] = ()
    chart: Chart | None = None

    def table(self) -> str:
        """Return the table in Markdown, its columns aligned so that a terminal shows it as well."""
        return markdown_table(self.header, self.rows)

    def page(self, name: str) -> str:
        """Return a page with the table and the command that made it."""
        parts = [f"# {self.title}", self.about, self.table().rstrip()]
        if self.targets:
            parts.append(target_table(self.targets).rstrip())
        if self.chart is not None:
            parts.append(f"![{self.chart.title}]({name}.svg)")
        parts.append(f"Made on {machine()} by\n\n```sh\npython benchmarks/{name}.py --write\n```\n")
        return "\n\n".join(parts)

    def data(self) -> dict[str, Any]:
        """Return all of it for programs."""
        return {
            "title": self.title,
            "machine": machine(),
            "versions": versions(),
            "table": [dict(zip(self.header, row, strict=True)) for row in self.rows],
            "figures": self.figures,
            "targets": [vars(target) | {"met": target.met} for target in self.targets],
        }


def publish(report: Report, *, write: bool) -> None:
    """Print a report, and where that is asked for write it into the documentation."""
    print(f"{report.title}\n\n{report.about}\n\n{report.table()}")
    if report.targets:
        print(target_table(report.targets))
    if write:
        name = Path(sys.argv[0]).stem
        DOCUMENTATION.mkdir(parents=True, exist_ok=True)
        (DOCUMENTATION / f"{name}.md").write_text(report.page(name))
        if report.figures:
            (DOCUMENTATION / f"{name}.json").write_text(json.dumps(report.data(), indent=1) + "\n")
        if report.chart is not None:
            report.chart.draw(DOCUMENTATION / f"{name}.svg")
        print(f"written to {DOCUMENTATION.relative_to(DOCUMENTATION.parents[1])}/{name}.md")


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of what every benchmark may be told."""
    parser = argparse.ArgumentParser(description=description)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="measure next to nothing, to see that it runs")
    length.add_argument("--write", action="store_true", help="write the table into docs/benchmarks")
    return parser


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(_line(cells, widths) for cells in lines) + "\n"


def target_table(targets: Sequence[Target]) -> str:
    """Return targets as a table."""
    return markdown_table(("target", "bound", "found", "met"), [target.row() for target in targets])


def versions() -> dict[str, str]:
    """Return the versions of what is measured, as far as it is installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """Return what everything ran on."""
    named = ", ".join(f"{name} {number}" for name, number in versions().items() if name != "python")
    return f"{os.cpu_count()} cores{_processor()} with Python {platform.python_version()}, {named}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return ""
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f" of {names[0]}" if names else ""


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
