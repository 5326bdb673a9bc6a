"""Figures as pictures, in SVG, the same from the same figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.spread import Spread

Bars: TypeAlias = Mapping[str, Spread]
Lines: TypeAlias = Mapping[str, Sequence[tuple[float, Spread]]]

_PANEL_INCHES = 5.0
_HEIGHT_INCHES = 3.6
_COLOURS = {
    "momento-lambda": "tab:blue",
    "bare gRPC stub": "tab:gray",
    "official SDK": "tab:orange",
    "redis-py": "tab:red",
}
"""Of whoever is called so, and of their variants."""


@dataclass(frozen=True)
class BarChart:
    """A bar for each name.

    Attributes:
        title: What it shows.
        value: What its values are, with their unit.
        panels: The bars, in groups that have a name.
    """

    title: str
    value: str
    panels: Mapping[str, Bars]

    def draw(self, path: Path) -> None:
        """Write the picture."""
        figure, axes = _panels(self.title, self.panels)
        for panel, bars in zip(axes, self.panels.values(), strict=True):
            for place, found in enumerate(bars.values()):
                error = [[found.median - found.low], [found.high - found.median]]
                panel.barh(-place, found.median, xerr=error, capsize=3, color=_colour(list(bars)[place]))
            panel.set_yticks([-place for place in range(len(bars))], bars)
            panel.set_xlabel(self.value)
        _save(figure, path)


@dataclass(frozen=True)
class LineChart:
    """A line for each name.

    Attributes:
        title: What it shows.
        along: What x is.
        value: What its values are, with their unit.
        panels: The lines, in groups that have a name.
    """

    title: str
    along: str
    value: str
    panels: Mapping[str, Lines]

    def draw(self, path: Path) -> None:
        """Write the picture."""
        figure, axes = _panels(self.title, self.panels)
        for panel, lines in zip(axes, self.panels.values(), strict=True):
            for client, points in lines.items():
                xs, found = zip(*points, strict=True)
                panel.plot(xs, [each.median for each in found], marker="o", label=client, color=_colour(client))
                panel.fill_between(
                    xs,
                    [each.low for each in found],
                    [each.high for each in found],
                    alpha=0.2,
                    linewidth=0,
                    color=_colour(client),
                )
                panel.set_xscale("log")
                panel.set_xticks(xs, [f"{x:,.0f}" for x in xs], minor=False)
                panel.minorticks_off()
            panel.set_yscale("log")
            panel.set_xlabel(self.along)
            panel.set_ylabel(self.value)
            panel.legend()
        _save(figure, path)


Chart: TypeAlias = BarChart | LineChart


def _panels(title: str, panels: Mapping[str, object]) -> tuple[Any, Sequence[Any]]:
    """Return a figure and its panels, which have their names. It takes matplotlib, which only those need who write."""
    import matplotlib as mpl  # noqa: PLC0415  # see above
    from matplotlib.figure import Figure  # noqa: PLC0415  # as above

    mpl.rcParams["svg.hashsalt"] = title
    figure = Figure(figsize=(_PANEL_INCHES * len(panels), _HEIGHT_INCHES), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(ncols=len(panels), squeeze=False)[0]
    for panel, name in zip(axes, panels, strict=True):
        panel.set_title(name)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None})


def _colour(client: str) -> str:
    found = [colour for name, colour in _COLOURS.items() if client.startswith(name)]
    return found[0] if found else "tab:blue"
