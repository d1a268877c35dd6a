"""VROOM as a user would set it up: its own cost matrix, all cores as threads, the warm plan as steps."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import vroom

from lastmile.routing.peers.numbers import NEVER, Job, Numbers, Van
from lastmile.routing.peers.task import PeerTask, Watch
from lastmile.routing.problem import Routes

EXPLORATION = ((0.01, 0), (0.08, 2), (float("inf"), 5))
"""Below so many core seconds per job, this level: VROOM's first heuristics do not look at the clock, and at a high level
leave no time for its search. Measured at 400 and 1,000 jobs in 1, 3 and 10 s on two cores; it ends by itself when it
finds nothing more."""

COMMITTED_PRIORITY = 100

LATEST = 10**8
"""Seconds that stand for no limit: VROOM counts time in fewer digits."""

LARGEST_LOAD = 2**31 - 1


def search(task: PeerTask, watch: Watch) -> None:
    """One run of VROOM; it tells of no plan before its last."""
    numbers = task.numbers
    problem = vroom.Input()
    durations = numbers.durations.copy()
    durations[numbers.forbidden] = 3 * max(van.due for van in numbers.vans)
    problem.set_durations_matrix("car", durations.astype(np.uint32))
    problem.set_costs_matrix("car", numbers.costs.astype(np.uint32))
    problem.add_job([_job(number, job) for number, job in enumerate(numbers.jobs)])
    steps = _steps(numbers, task.start)
    problem.add_vehicle([_vehicle(number, van, steps.get(van.vehicle_id)) for number, van in enumerate(numbers.vans)])
    solved = problem.solve(_exploration(task), nb_threads=task.threads, timeout=timedelta(seconds=watch.left))
    watch.found(_routes(numbers, solved))


def _exploration(task: PeerTask) -> int:
    each = task.seconds * task.threads / max(1, len(task.numbers.jobs))
    return next(level for most, level in EXPLORATION if each < most)


def _job(number: int, job: Job) -> vroom.Job:
    return vroom.Job(
        number,
        job.place,
        default_service=job.service,
        delivery=list(job.load),
        time_windows=[(job.opens, min(job.closes, LATEST))],
        priority=COMMITTED_PRIORITY if job.after is not None else 0,
    )


def _vehicle(number: int, van: Van, steps: list | None) -> vroom.Vehicle:
    return vroom.Vehicle(
        number,
        van.start,
        van.end,
        capacity=[LARGEST_LOAD if one >= NEVER else one for one in van.room],
        time_window=(van.ready, min(van.due, LATEST)),
        steps=steps or (),
    )


def _steps(numbers: Numbers, start: Routes | None) -> dict[str, list]:
    if start is None:
        return {}
    number = {job.stop_id: index for index, job in enumerate(numbers.jobs)}
    return {
        vehicle_id: [
            vroom.VehicleStepStart(),
            *(vroom.VehicleStepSingle(number[one]) for one in row),
            vroom.VehicleStepEnd(),
        ]
        for vehicle_id, row in start.items()
    }


def _routes(numbers: Numbers, solved: vroom.Solution) -> dict[str, tuple[str, ...]]:
    rows: dict[str, list[str]] = {}
    frame = solved.routes
    jobs = frame[frame.type == "job"]
    for vehicle, job in zip(jobs.vehicle_id, jobs.id, strict=True):
        rows.setdefault(numbers.vans[int(vehicle)].vehicle_id, []).append(numbers.jobs[int(job)].stop_id)
    return {vehicle_id: tuple(row) for vehicle_id, row in rows.items()}
