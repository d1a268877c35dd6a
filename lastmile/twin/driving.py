"""One vehicle's day as it really went, stop by stop, from an order of deliveries and the latent truths."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from lastmile.twin import city
from lastmile.twin.truth import SHAM, TRIES, Truth

NEVER = float("inf")
GRACE_MINUTES = 75.0  # how long beyond the end of the shift a driver still sets off to a stop
SEARCH_MINUTES = 7.0
BREAK_MINUTES = 30.0
PARTIAL = "goods_missing_or_short"
WAITED_IN_VAIN = 4.0
RELOADING_MINUTES = 10.0
# Share of the usual service time that a failed try takes.
FAILED_WORK = 0.6


class Visit(NamedTuple):
    """One try: row of the delivery, number of the try (from 0), times in minutes, where the van stood, what came of it.

    `set_off` is when the driver committed to the stop. `reason` is None for a full handover.
    """

    row: int
    attempt: int
    set_off: float
    arrives: float
    starts: float
    ends: float
    leaves: float
    x: float
    y: float
    km: float
    reason: str | None
    genuine: bool


@dataclass(frozen=True)
class Assignment:
    """What a vehicle is told: its deliveries in order (rows), when it leaves, its shift, and when it breaks down.

    A row that stands twice in the order is tried twice. `recalls` gives the minute of a new order by the position at
    which that order begins: a van without work is then at the depot or on its way there.
    """

    order: tuple[int, ...]
    departs: float
    ends: float
    break_from: float
    depot: tuple[float, float]
    broke: float = NEVER
    recalls: tuple[tuple[int, float], ...] = ()


@dataclass
class Run:
    """What a vehicle did: visits, the trace of (minute, x, y), kilometres, departures and returns (minute, km)."""

    departures: list[float] = field(default_factory=list)
    returns: list[tuple[float, float]] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    trace: list[tuple[float, float, float]] = field(default_factory=list)
    km: float = 0.0
    broke: float = NEVER
    skipped: list[int] = field(default_factory=list)

    @property
    def last_at(self) -> float:
        """The minute of the last known move; the van is not on the road later."""
        return self.trace[-1][0] if self.trace else NEVER


def drive(assignment: Assignment, tried: list[int], truth: Truth) -> Run:
    """Drive an assignment. `tried` counts the earlier tries by row. Each step depends on what came before it only."""
    run = Run()
    if not assignment.order or assignment.broke <= assignment.departs:
        run.broke = assignment.broke
        return run
    _leave(run, assignment.departs, assignment.depot)
    queue, done, rested = deque(enumerate(assignment.order)), Counter(), False
    recalls = dict(assignment.recalls)
    while queue:
        position, row = queue.popleft()
        if position in recalls and not _recall(run, assignment, truth, recalls[position]):
            return run
        now, x, y = run.trace[-1]
        if now >= truth.cancelled[row]:
            continue
        visit, rested_now = _visit(truth, assignment, row, tried[row] + done[row], now, (x, y), rested)
        if visit.arrives > assignment.broke:
            return _stranded(run, assignment, (visit.x, visit.y), visit.arrives, visit.km)
        if visit.arrives > assignment.ends + GRACE_MINUTES:
            run.skipped.append(row)
            continue
        rested = rested_now
        _record(run, visit)
        done[row] += 1
        if _tries_again(truth, visit) and done[row] == 1 and row not in (later for _, later in queue):
            queue.append((-1, row))
    _go_home(run, assignment, truth)
    return run


def _leave(run: Run, at: float, place: tuple[float, float]) -> None:
    run.departures.append(at)
    run.trace.append((at, *place))


def _record(run: Run, visit: Visit) -> None:
    run.visits.append(visit)
    run.km += visit.km
    run.trace += [(visit.arrives, visit.x, visit.y), (visit.leaves, visit.x, visit.y)]


def _tries_again(truth: Truth, visit: Visit) -> bool:
    absent = visit.reason == "recipient_unavailable"
    return absent and visit.attempt < TRIES - 1 and truth.tries_again[visit.row][visit.attempt]


def _recall(run: Run, assignment: Assignment, truth: Truth, at: float) -> bool:
    """Bring an idle van to where it is when new work reaches it; False if it broke down before."""
    now, x, y = run.trace[-1]
    if now >= at:
        return True
    home_at, km = _way_home(run, assignment, truth)
    if assignment.broke < min(home_at, at):
        _stranded(run, assignment, assignment.depot, home_at, km)
        return False
    if home_at <= at:
        _go_home(run, assignment, truth)
        _leave(run, at + RELOADING_MINUTES, assignment.depot)
        return assignment.broke > run.trace[-1][0]
    part = (at - now) / (home_at - now)
    run.km += part * km
    run.trace.append((at, x + part * (assignment.depot[0] - x), y + part * (assignment.depot[1] - y)))
    return True


def _way_home(run: Run, assignment: Assignment, truth: Truth) -> tuple[float, float]:
    now, x, y = run.trace[-1]
    slot = min(int(now) // city.SLOT_MINUTES, city.SLOTS - 1)
    pace = truth.pace[truth.area[run.visits[-1].row]][slot] if run.visits else 1.0
    km, minutes = city.leg(x, y, *assignment.depot, pace)
    return now + minutes, km


def _go_home(run: Run, assignment: Assignment, truth: Truth) -> None:
    home_at, km = _way_home(run, assignment, truth)
    if home_at > assignment.broke:
        _stranded(run, assignment, assignment.depot, home_at, km)
        return
    run.km += km
    run.returns.append((home_at, run.km))
    run.trace.append((home_at, *assignment.depot))


def _stranded(run: Run, assignment: Assignment, to: tuple[float, float], arrives: float, km: float) -> Run:
    """The van stands where it broke down: on its way to the next place, or where it was at work."""
    now, x, y = run.trace[-1]
    at = max(assignment.broke, now)
    part = (at - now) / max(arrives - now, 0.01)
    run.trace.append((at, x + part * (to[0] - x), y + part * (to[1] - y)))
    run.km += part * km
    run.broke = assignment.broke
    return run


def _visit(
    truth: Truth, assignment: Assignment, row: int, attempt: int, now: float, here: tuple[float, float], rested: bool
) -> tuple[Visit, bool]:
    standing = truth.standing[row][attempt]
    if standing == SHAM:
        end = now + 1.0
        return Visit(row, attempt, now, now, now, end, end, *here, 0.0, "recipient_unavailable", False), rested
    there = (truth.booked_x[row], truth.booked_y[row])
    arrives, km = _reach(truth, row, attempt, now, here, there)
    if truth.misplaced[row] and standing not in ("address_wrong_or_incomplete", "cannot_locate"):
        found = (truth.x[row], truth.y[row])
        more_km, minutes = city.leg(*there, *found, 1.0)
        arrives, km, there = arrives + SEARCH_MINUTES + minutes, km + more_km, found
    if not rested and now >= assignment.break_from:
        rested = True
        arrives += max(0.0, BREAK_MINUTES - max(0.0, truth.may_start[row] - arrives))
    starts = max(arrives, truth.may_start[row])
    reason = _reason(truth, row, attempt, starts, standing)
    failed = reason is not None and reason != PARTIAL
    ends = starts + truth.work[row][attempt] * (FAILED_WORK if failed else 1.0) + (WAITED_IN_VAIN if failed else 0.0)
    return Visit(
        row, attempt, now, arrives, starts, ends, ends + truth.linger[row][attempt], *there, km, reason, True
    ), rested


def _reach(
    truth: Truth, row: int, attempt: int, now: float, here: tuple[float, float], there: tuple[float, float]
) -> tuple[float, float]:
    slot = min(int(now) // city.SLOT_MINUTES, city.SLOTS - 1)
    km, minutes = city.leg(*here, *there, truth.pace[truth.area[row]][slot])
    return now + minutes * truth.leg_factor[row][attempt], km


def _reason(truth: Truth, row: int, attempt: int, starts: float, standing: str | None) -> str | None:
    if starts > truth.closes[row]:
        return "site_closed"
    if standing is not None:
        return standing
    absent = truth.absent_after if starts >= 840.0 else truth.absent_before
    return "recipient_unavailable" if absent[row][attempt] else None
