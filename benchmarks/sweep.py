"""The same asked of several clients by turns, with more and more of something: keys, callers, bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from benchmarks.clients.contestants import Contestant, Running, by_turns, running
from benchmarks.spread import Spread, ratio, spread

Measured: TypeAlias = dict[str, list[float]]
"""Of each client a figure for each round."""

Groups: TypeAlias = Mapping[str, tuple[Sequence[Contestant], Sequence[int]]]
"""Clients that are set beside each other, and how much is asked of them in turn."""

Sweep: TypeAlias = dict[tuple[str, int], Measured]
"""By group of clients, and by how much."""


def sweep(
    groups: Groups,
    prepare: Callable[[Running], object],
    ask: Callable[[Running, int], dict[str, Any]],
    figure: Callable[[dict[str, Any], int], float],
    rounds: Callable[[int], int],
    *,
    prompt: bool = False,
) -> Sweep:
    """Measure every group at each of its points.

    Args:
        groups: Who is measured, and at which points.
        prepare: Called with each client first, unless the server is the prompt one, which has every key.
        ask: Asks a client for as much; returns what that took.
        figure: Makes one figure of that.
        rounds: How many rounds there are of as much.
        prompt: Whether the cache's server is the one that takes next to no time.
    """
    found: Sweep = {}
    for group, (contestants, points) in groups.items():
        with running(contestants, prompt=prompt) as clients:
            if not prompt:
                for client in clients.values():
                    prepare(client)
            for point in points:
                taken = by_turns(clients, rounds(point), lambda client, point=point: ask(client, point))  # type: ignore[misc]  # a default binds the point
                found[group, point] = {
                    name: [figure(each, point) for each in rounds_of_one] for name, rounds_of_one in taken.items()
                }
    return found


def median_wall_us(taken: dict[str, Any], _: int = 0) -> float:
    """Return microseconds: the median of calls that were made one by one."""
    return spread(taken["walls"]).median / 1000


def rows(found: Sweep, others: Sequence[str], ours: str, digits: int = 0) -> Iterator[Sequence[str]]:
    """Yield a row for each group, point and client: the ratios of its figure to ours and to others', and the figure."""
    for (group, point), measured in found.items():
        for name, figures in measured.items():
            ratios = [_to(measured, name, of) for of in (ours, *others)]
            yield group, f"{point:,}", name, *ratios, spread(figures).shown(digits)


def _to(measured: Measured, name: str, of: str) -> str:
    """Return a cell with the ratio to a client, or to its variant in this group; an empty one where it has none."""
    here = [other for other in measured if other.startswith(of)]
    return f"{times(measured, name, here[0]).median:.2f}" if here else ""


def times(measured: Measured, one: str, other: str) -> Spread:
    """Return by how much one client's figure is larger than another's."""
    return ratio(measured[one], measured[other])


def lines(found: Sweep) -> dict[str, dict[str, list[tuple[float, Spread]]]]:
    """Return the lines of a chart: for each group one for each client, where there are points to draw it through."""
    drawn: dict[str, dict[str, list[tuple[float, Spread]]]] = {}
    for (group, point), measured in found.items():
        for name, figures in measured.items():
            drawn.setdefault(group, {}).setdefault(name, []).append((point, spread(figures)))
    return {group: drawn[group] for group in drawn if all(len(points) > 1 for points in drawn[group].values())}


def numbers(found: Sweep) -> dict[str, Spread]:
    """Return all figures for programs."""
    return {
        f"{group}, {point}, {name}": spread(figures)
        for (group, point), measured in found.items()
        for name, figures in measured.items()
    }
