"""How the time of a search is spent: rounds apart, then the routes of all combined, then rounds from what that gave."""

from __future__ import annotations

from dataclasses import dataclass

from lastmile.routing.rounds import Work

LONGEST_SLICE_SECONDS = 2.0
"""A round is no longer, so that progress is seen and a cancelled search frees its processes soon."""

SHORTEST_COMBINED_SECONDS = 1.0
"""In less time than this, combining takes more than it gives."""


@dataclass(frozen=True)
class Phase:
    """One part of a search: what is done, over which share of the time, cooling from `first` to `last`."""

    work: Work
    begins: float
    ends: float
    first: float = 0.0
    last: float = 1.0


def phases(seconds: float, frontier: bool) -> tuple[Phase, ...]:
    """The phases of a search of so many seconds, as shares of it, in order."""
    whole = 0.85 if frontier else 1.0
    if seconds < SHORTEST_COMBINED_SECONDS:
        improving = (Phase(Work.IMPROVE, 0.0, whole),)
    else:
        improving = (
            Phase(Work.IMPROVE, 0.0, 0.60 * whole, 0.0, 0.65),
            Phase(Work.COMBINE, 0.60 * whole, 0.66 * whole),
            Phase(Work.IMPROVE, 0.66 * whole, 0.90 * whole, 0.65, 0.9),
            Phase(Work.COMBINE, 0.90 * whole, 0.94 * whole),
            Phase(Work.IMPROVE, 0.94 * whole, whole, 0.9, 1.0),
        )
    return (*improving, Phase(Work.FRONTIER, whole, 1.0)) if frontier else improving


def budgets(moved: int) -> tuple[int, ...]:
    """The numbers of moved stops for which the cheapest plan is sought, below that of the plan found."""
    return tuple(one for one in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144) if one < moved)
