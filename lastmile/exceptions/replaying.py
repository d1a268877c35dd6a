"""Past days gone through as they were known then, quarter hour by quarter hour: what would have been noticed, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from lastmile import predictions
from lastmile.clock import zone_of_most
from lastmile.exceptions.following import Book, Kept, Step, ends_by_delivery, find_all
from lastmile.exceptions.gathering import ends_of, gather, redelivery_cost, taught_before
from lastmile.exceptions.recording import events_of
from lastmile.exceptions.settings import Settings, load
from lastmile.predictions.past import states
from lastmile.store import Store

STEP = timedelta(minutes=15)
FROM, UNTIL = time(4), timedelta(hours=20)
"""A day is looked at from four in the morning on, on the clocks of most depots, for twenty hours."""
LEARN_EVERY_DAYS = 7
LEFT_BEHIND = timedelta(days=3)
"""The running tower watches what a day has left open for two days more; on the morning after, it is over."""


@dataclass(frozen=True)
class Replayed:
    """A past day: the steps of its exceptions, and the instants it was looked at."""

    day: date
    instants: list[datetime]
    steps: list[Step]


def replay(
    store: Store,
    day_from: date,
    day_to: date,
    *,
    until: datetime | None = None,
    settings: Settings | None = None,
    learn: Callable[[Store, date], predictions.Model] = predictions.learned_before,
    progress: Callable[[int, int, str], None] | None = None,
) -> Iterator[Replayed]:
    """Go through days in order, each as known then at every quarter of an hour (none after `until`); nothing is written.

    Arrivals are predicted by what the fortnight before each week of them teaches, as in the running tower.
    """
    settings = settings or load(store)
    zone = zone_of_most(store)
    redelivery = redelivery_cost(store, day_to + timedelta(days=1))
    days = [day_from + timedelta(days=number) for number in range((day_to - day_from).days + 1)]
    for start in range(0, len(days), LEARN_EVERY_DAYS):
        week = days[start : start + LEARN_EVERY_DAYS]
        looks = {day: [at for at in instants_of(day, zone) if until is None or at <= until] for day in week}
        predicted = _predictions(store, learn(store, week[0]), {day: looks[day] for day in week if looks[day]})
        for number, day in enumerate(week, start=start + 1):
            if looks[day]:
                mine = predicted[predicted.day.isin([pd.Timestamp(day)])]
                over_at = instants_of(day + LEFT_BEHIND, zone)[0]
                yield _day(
                    store,
                    day,
                    looks[day],
                    mine,
                    settings,
                    redelivery,
                    over_at if until is None or over_at <= until else None,
                )
            if progress is not None:
                progress(number, len(days), f"{day:%a %d %b}")


def _predictions(store: Store, model: predictions.Model, looks: dict[date, list[datetime]]) -> pd.DataFrame:
    """Predictions of some days at their instants, in one go: the days share what is asked for them."""
    instants = [at for some in looks.values() for at in some]
    if not instants:
        return pd.DataFrame({"day": pd.Series(dtype="datetime64[us]")})
    found = predictions.predict(model, states(store, instants, min(looks), max(looks)))
    return found.assign(day=pd.to_datetime(found.day))


def _day(
    store: Store,
    day: date,
    instants: list[datetime],
    predicted: pd.DataFrame,
    settings: Settings,
    redelivery: dict[str, float],
    over_at: datetime | None,
) -> Replayed:
    taught = taught_before(store, day, redelivery)
    situation = gather(store, instants, day, predicted, taught, step=STEP, settings=settings)
    # what was so when the day began was seen then by a tower that ran
    began_at = pd.Timestamp(day, tz=UTC) - pd.Timedelta(seconds=1)
    book, found = Book(settings, looked_at=began_at), find_all(situation)
    steps = book.look(found, instants, ends_by_delivery(situation.ends))
    if over_at is not None:
        steps += book.look(found.iloc[:0], [over_at], ends_by_delivery(ends_of(store, day, day, over_at)))
    return Replayed(day, instants, steps)


def instants_of(day: date, zone: str) -> list[datetime]:
    """The quarter hours of a day that are looked at, in UTC."""
    start = datetime.combine(day, FROM, ZoneInfo(zone)).astimezone(UTC)
    return [start + number * STEP for number in range(int(UNTIL / STEP))]


def put_on_record(store: Store, replayed: Replayed) -> int:
    """Append the steps of a replayed day; how many there were. A day that has been before adds nothing new."""
    if not replayed.steps:
        return 0
    return store.append({"event": events_of(replayed.steps)}, streamed=True)["event"]


def days_without(store: Store, day_from: date, day_to: date) -> list[date]:
    """Service days with a plan of which no exception is on record."""
    found = store.ask(
        "select distinct day from plan where day between $day_from::date and $day_to::date and day not in "
        "(select (payload ->> 'day')::date from exception_event where type = 'exception_detected') order by day",
        day_from=day_from,
        day_to=day_to,
    )
    return [day.date() for day in pd.to_datetime(found.day)]


__all__ = ["Kept", "Replayed", "days_without", "instants_of", "put_on_record", "replay"]
