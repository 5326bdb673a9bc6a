"""Figures as pictures, in SVG, the same from the same figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.spread import Spread

_SIZE = (8.0, 4.0)


@dataclass(frozen=True)
class Chart:
    """A picture with one value for each name, or one line for each name.

    Attributes:
        title: What it shows.
        value: What its values are, with their unit.
        series: For each name either its one value, or pairs of x and value.
        along: What x is; None where each name has one value.
    """

    title: str
    value: str
    series: Mapping[str, Spread | Sequence[tuple[float, Spread]]]
    along: str | None = None

    def draw(self, path: Path) -> None:
        """Write the picture. It takes matplotlib, which only those need who write."""
        import matplotlib as mpl  # noqa: PLC0415  # see above
        from matplotlib.figure import Figure  # noqa: PLC0415  # as above

        mpl.rcParams["svg.hashsalt"] = self.title
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        axes.set_title(self.title)
        if self.along is None:
            self._bars(axes)
        else:
            self._lines(axes)
        figure.savefig(path, format="svg", metadata={"Date": None})

    def _bars(self, axes: Any) -> None:
        names = list(self.series)[::-1]
        for place, name in enumerate(names):
            found = self.series[name]
            assert isinstance(found, Spread)
            error = [[found.median - found.low], [found.high - found.median]]
            axes.barh(place, found.median, xerr=error, capsize=3)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel(self.value)

    def _lines(self, axes: Any) -> None:
        for name, points in self.series.items():
            assert not isinstance(points, Spread)
            xs = [x for x, _ in points]
            axes.plot(xs, [found.median for _, found in points], marker="o", label=name)
            axes.fill_between(
                xs, [found.low for _, found in points], [found.high for _, found in points], alpha=0.2, linewidth=0
            )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel(self.along)
        axes.set_ylabel(self.value)
        axes.legend()
