"""The panels of the page ETA accuracy: figures, misses by horizon beside two baselines, and the predictions behind them."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from lastmile import predictions
from lastmile.model import Scope
from lastmile.predictions import METHODS
from lastmile.store import Store
from lastmile.ui import charts, format, shell, tables
from lastmile.ui.desk import Desk, local_date
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

DAYS = 3
"""So many of the period's last days are judged: each is worked out anew, as known at every quarter of an hour."""

FIGURES = {
    "horizon": Column("Time to arrival", width=120),
    "told_by": Column("Told by", width="medium"),
    "n": Column("n", "count", "Predictions of arrivals that came, one per stop and quarter of an hour"),
    "bias": Column("Bias", "minutes", "Median of actual − told: above zero, vans came later than told"),
    "mae": Column("MAE", "minutes", "Mean of |actual − told|"),
    "p90": Column("P90", "minutes", "Nine of ten misses are smaller than this"),
    "within_10": Column("±10 min", "percent", "Share of arrivals within 10 minutes of what was told"),
    "within_15": Column("±15 min", "percent", "Share within 15 minutes"),
    "within_30": Column("±30 min", "percent", "Share within 30 minutes"),
    "coverage": Column("In interval", "percent", "Share that came within the interval told; it should be 80 %"),
    "width": Column("Width", "minutes", "Median width of the interval"),
}
ROWS = {
    "delivery_id": Column("Delivery", "id", width=120),
    "route_id": Column("Route", "id", width=130),
    "instant": Column("Told at", "instant"),
    "horizon": Column("Time to arrival"),
    "eta_at": Column("Predicted", "time"),
    "eta_from": Column("From", "time", "80 % were to come after this"),
    "eta_until": Column("Until", "time", "and before this"),
    "came_at": Column("Came", "time"),
    "eta_miss": Column("Miss", "minutes", "Actual − predicted"),
    "shifted_miss": Column("Plan moved", "minutes", "Actual − the plan moved by the present delay"),
    "plan_miss": Column("Plan", "minutes", "Actual − the plan"),
}
MOST_ROWS = 300


def accuracy_rows(store: Store, day_from: date, day_to: date, scope: Scope) -> tuple[str, pd.DataFrame]:
    """What the model says of itself, and one row per judged prediction of the depots in scope."""
    model, rows = predictions.judged(store, day_from, day_to)
    mine = rows[rows.depot_id.isin(scope.depots)] if scope.depots else rows
    return model.words, mine


def show(desk: Desk) -> None:
    """Figures, the chart, the table, and the worst predictions as a way to their deliveries."""
    first, last = _days(desk)
    scope = Scope(depots=desk.view.scope.depots)
    words, rows = desk.ask(accuracy_rows, day_from=first, day_to=last, scope=scope)
    st.caption(
        f"{words} Judged on {format.day(first)} to {format.day(last)}, as known at every quarter of an hour; none of these days "
        "was learned from. Arrivals without a scan are not counted."
    )
    if rows.empty:
        st.info("No arrival of these days can be compared with a prediction.", icon=":material/inbox:")
        return
    by = st.segmented_control(
        "Horizons by",
        ["Actual time to arrival", "Predicted time to arrival"],
        default="Actual time to arrival",
        key="eta by",
    )
    column = "predicted_minutes_out" if by and by.startswith("Predicted") else "minutes_out"
    figures = predictions.by_horizon(rows, column).assign(told_by=lambda found: found.method.map(METHODS))
    kpi_row(_tiles(rows), key="eta figures")
    charts.by_horizon(figures, key="eta chart", dark=desk.view.dark)
    desk.table(
        figures,
        key="eta by horizon",
        alt="Misses by horizon",
        columns=FIGURES,
        height="content",
        download="eta-accuracy.csv",
    )
    _worst(desk, rows)


def _days(desk: Desk) -> tuple[date, date]:
    """The last days of the period that are over."""
    over = local_date(desk.at, desk.zone) - timedelta(days=1)
    last = min(desk.view.scope.day_to or over, over)
    first = max(desk.view.scope.day_from or last, last - timedelta(days=DAYS - 1))
    return min(first, last), last


def _tiles(rows: pd.DataFrame) -> list[Tile]:
    off, moved, plan = (rows[f"{method}_miss"].abs() for method in METHODS)
    told = f"plan moved {format.minutes(moved.mean())}, plan {format.minutes(plan.mean())}"
    n = len(rows)
    return [
        Tile("Off by (MAE)", format.minutes(off.mean()), "Mean of |actual − predicted arrival|, all horizons.", n=n, base=told),
        Tile("Within 15 min", format.percent((off <= 15).mean()), "Share of arrivals within 15 minutes of what was predicted.",
             n=n, base=f"plan moved {format.percent((moved <= 15).mean())}"),
        Tile("In the interval", format.percent(rows.covered.mean()), "Share of arrivals in the interval told.", n=n, target="80 %"),
        Tile("Volatility", format.minutes(predictions.volatility(rows)),
             "Minutes by which the prediction of a stop moved in all, from quarter of an hour to quarter of an hour.",
             n=rows.delivery_id.nunique(), n_of="stops"),
    ]  # fmt: skip


def _worst(desk: Desk, rows: pd.DataFrame) -> None:
    st.markdown(
        f"**Largest misses** :gray[the first {MOST_ROWS} of {format.number(len(rows))}; choose one to read its story]"
    )
    worst = rows.reindex(rows.eta_miss.abs().sort_values(ascending=False).index).head(MOST_ROWS).reset_index(drop=True)
    desk.table(
        worst, key="eta rows", alt="Predictions with the largest misses", columns=ROWS, id_column="delivery_id",
        choose=_choose, height=320,
    )  # fmt: skip
    tables.download_button(
        rows[list(ROWS)], "eta-predictions.csv", key="eta rows download", label="Download all of them"
    )
    if picked := st.session_state.get("eta delivery"):
        st.page_link(shell.PAGES / "deliveries.py", label=f"Read the story of {picked}", icon=":material/history_edu:",
                     query_params=desk.view.link(delivery=picked))  # fmt: skip


def _choose(id: str | None) -> None:
    st.session_state["eta delivery"] = id
