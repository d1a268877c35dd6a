"""Engines by turns on the same cases, and what to say of each run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.routing.cases import Case
from bench.routing.references import Reference, known_references, reference_of
from lastmile.errors import LastmileError
from lastmile.routing import Problem, Routes
from lastmile.routing.peers import EngineRun, run


@dataclass(frozen=True)
class Measured:
    """One engine on one case within one time limit."""

    case: Case
    seconds: float
    engine: str
    seed: int
    made: EngineRun

    @property
    def kept_share(self) -> float | None:
        """Of the stops that have a vehicle in the plan in force, how many keep it; None where none has."""
        return kept_share(self.case.problem, self.made.routes)


def kept_share(problem: Problem, routes: Routes) -> float | None:
    """The share of stops that stay on the vehicle that they are on, of those that are on one."""
    planned = {stop.stop_id: stop.present_vehicle_id for stop in problem.stops if stop.present_vehicle_id}
    on = {stop_id: vehicle_id for vehicle_id, row in routes.items() for stop_id in row}
    same = sum(on.get(stop_id) == vehicle_id for stop_id, vehicle_id in planned.items())
    return same / len(planned) if planned else None


def measure(
    cases: Iterable[Case], engines: Sequence[str], seconds: Sequence[float], seeds: Sequence[int], cores: int
) -> Iterator[Measured]:
    """Run all engines on each case, the first one by turns; a line on each for who waits."""
    turn, references = 0, known_references()
    for case in cases:
        print(f"{case.words}", flush=True)
        for limit in seconds:
            for seed in seeds:
                turn += 1
                for number in range(len(engines)):
                    engine = engines[(turn + number) % len(engines)]
                    measured = _measured(case, limit, engine, seed, cores)
                    if measured is not None:
                        _tell(measured, references.get((case.name, case.kind)))
                        yield measured


def _measured(case: Case, seconds: float, engine: str, seed: int, cores: int) -> Measured | None:
    try:
        return Measured(case, seconds, engine, seed, run(engine, case.problem, seconds, seed, cores))
    except LastmileError as error:
        print(f"  {engine}: {error}", file=sys.stderr)
        return None


def _tell(one: Measured, reference: Reference | None) -> None:
    made = one.made
    beyond = None if reference is None else gap(made, reference)
    away = f"{beyond:+7.2%}" if beyond is not None else "       "
    first = "–" if made.first_plan_seconds is None else f"{made.first_plan_seconds:.2f}"
    kept = "" if one.kept_share is None else f", keep {one.kept_share:.1%}"
    print(
        f"  {one.seconds:>4g} s  {one.engine:<8} unserved {made.unserved:>3}, cost {made.cost:>10,.0f} {away}{kept}, first plan {first} s, "
        f"took {made.elapsed_seconds:.2f} s{''.join(f' [{note}]' for note in made.notes)}",
        flush=True,
    )


def best_known(
    found: Sequence[Measured], kept: dict[tuple[str, str], Reference], cores: int
) -> dict[tuple[str, str], Reference]:
    """The better of what is kept and what was found in this run, for each case."""
    best = dict(kept)
    for one in found:
        key = (one.case.name, one.case.kind)
        offered = reference_of(one.case, one.made, one.seconds, cores)
        if key not in best or offered.rank < best[key].rank:
            best[key] = offered
    return best


def gap(made: EngineRun, best: Reference) -> float | None:
    """How much dearer than the best known, where as many stops are served; None where fewer are."""
    return made.cost / best.cost - 1 if made.unserved <= best.unserved else None
