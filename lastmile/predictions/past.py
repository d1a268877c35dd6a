"""What the ledger holds for predictions: the state at an instant, past days as known then, and what they teach."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pandas as pd

from lastmile.predictions.accuracy import accuracy
from lastmile.predictions.learning import learn
from lastmile.predictions.model import Model
from lastmile.predictions.predicting import predict
from lastmile.store import Store

DAYS = 14
LEARNING_STEP_MINUTES = 60
JUDGING_STEP_MINUTES = 15


def state(store: Store, at: datetime, day: date) -> pd.DataFrame:
    """One row per stop of a day still to be reached at `at`, as known then; see the macro open_stops_at."""
    return states(store, [at], day, day)


def states(store: Store, instants: list[datetime], day_from: date, day_to: date) -> pd.DataFrame:
    """The same at many instants of a span of days."""
    return store.ask(
        "from open_stops_at($instants::timestamptz[], $day_from::date, $day_to::date)",
        instants=instants,
        day_from=day_from,
        day_to=day_to,
    )


def learned_before(store: Store, day: date) -> Model:
    """What the fortnight before a day teaches."""
    span = {"day_from": day - timedelta(days=DAYS), "day_to": day - timedelta(days=1)}
    stops = store.ask("from learned_stop(null, $day_from::date, $day_to::date)", **span)
    return learn(stops, states(store, instants_of(**span, minutes=LEARNING_STEP_MINUTES), **span))


def judged(store: Store, day_from: date, day_to: date) -> tuple[Model, pd.DataFrame]:
    """The model that the fortnight before `day_from` teaches, and its predictions of the days asked, every quarter of an
    hour as known then: one row per prediction of an arrival that came, as of `accuracy`. None of those days was learned from.
    """
    model = learned_before(store, day_from)
    history = states(store, instants_of(day_from, day_to, JUDGING_STEP_MINUTES), day_from, day_to)
    return model, accuracy(predict(model, history), history)


def instants_of(day_from: date, day_to: date, minutes: int) -> list[datetime]:
    """Every so many minutes from the first day's midnight to the end of the last, in UTC."""
    start = datetime.combine(day_from, time(0), UTC)
    steps = int(timedelta(days=(day_to - day_from).days + 1) / timedelta(minutes=minutes))
    return [start + timedelta(minutes=minutes * number) for number in range(steps)]
