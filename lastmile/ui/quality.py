"""How far each source and field can be trusted, and which figures suffer where one is weak."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lastmile import kpis, queries
from lastmile.kpis.checks import CHECKS, Quality
from lastmile.ui import figures, format, shell
from lastmile.ui.desk import Desk
from lastmile.ui.tables import Column
from lastmile.ui.tiles import Tile, kpi_row

TILES = (
    "missing_scan_rate",
    "scan_latency_p90",
    "proof_complete_rate",
    "invalid_address_rate",
    "reason_missing_or_other_rate",
)
BY_SOURCE = ("timeliness", "consistency", "unmapped_status_rate", "scan_latency_p50", "scan_latency_p90")
DIMENSIONS = tuple(str(one) for one in Quality)

SOURCES = {
    "name": Column("Source", width="medium"),
    "kind": Column("Kind"),
    "events": Column("Events", "count", "On record in all, up to the instant shown"),
    "last_recorded_at": Column("Last heard of", "instant"),
    "scan_latency_p50": Column(
        "Latency P50", "minutes", "From happening to being recorded; empty where the source does not tell"
    ),
    "scan_latency_p90": Column("Latency P90", "minutes"),
    "timeliness": Column("Timely", "percent", "Share of events told in time to act on"),
    "consistency": Column("Consistent", "percent", "Share of checks passed against what else is told"),
    "unmapped_status_rate": Column("Unmapped", "percent", "Share of its statuses that its mapping does not know"),
}
FIELDS = {
    "field": Column("Field", width="medium"),
    **{
        name: Column(name.capitalize(), "percent", "Share of checks passed; empty where none applies")
        for name in DIMENSIONS
    },
    "n": Column("Checks", "count"),
}
WEAK = {
    "says": Column("Check", width=262),
    "value": Column("Passed", "percent", width=62),
    "failing": Column("Failing", "count", width=58),
    "n": Column("Of", "count", width=64),
    "suffers": Column("Figures that rest on it", width=170),
    "field": Column("Field", width=86),
}
STAGES = {
    "stage": Column("Stage", "words", width="medium"),
    "carrier": Column("Carrier"),
    "value": Column("Missing", "percent"),
    "n": Column("Of", "count", "Tried deliveries that must have passed the stage"),
}


def show(desk: Desk) -> None:
    """Figures, sources, weakest checks, fields, missing scans."""
    kpi_row([_tile(desk, key) for key in TILES], key="quality figures")
    st.markdown("**Sources**")
    _table(desk, "sources", _sources(desk), SOURCES, "Sources and how well they tell")
    left, right = st.columns([58, 42], gap="small")
    with left:
        st.markdown("**Weakest checks** :gray[what to mend first]")
        _table(desk, "weak", _weakest(desk), WEAK, "Checks that fail most, with the figures that rest on them")
    with right:
        st.markdown("**Missing scans** :gray[by stage and carrier]")
        _table(desk, "stages", _missing_scans(desk), STAGES, "Missing scans by stage and carrier", height=280)
    st.markdown("**Fields**")
    _table(desk, "fields", _fields(desk), FIELDS, "Checks passed by field and kind of quality")


def _table(
    desk: Desk, key: str, frame: pd.DataFrame, columns: dict[str, Column], alt: str, height: Any = "content"
) -> None:
    desk.table(
        frame,
        key=key,
        alt=alt,
        columns=columns,
        height=height,
        empty="Nothing to check in this scope.",
        download=f"{key}.csv",
    )


def _tile(desk: Desk, key: str) -> Tile:
    kpi = kpis.find(key)
    figure = figures.measured(desk, TILES).set_index("key").loc[key]
    by_day = figures.measured(desk, TILES, by=("day",))
    return Tile(
        label=kpi.label,
        value=figures.shown(kpi, figure.value),
        help=figures.definition(kpi),
        n=int(figure.n),
        target=figures.shown(kpi, figure.target) if format.known(figure.target) else None,
        line=by_day.value[by_day.key == key].tolist(),
        change=None if pd.isna(figure.met) else "target met" if figure.met else "target missed",
        direction="neutral" if pd.isna(figure.met) else "good" if figure.met else "bad",
        link=shell.address(f"kpis?kpi={key}"),
    )


def _sources(desk: Desk) -> pd.DataFrame:
    wide = figures.measured(desk, BY_SOURCE, by=("source",)).pivot_table(
        index="source", columns="key", values="value", dropna=False
    )
    found = desk.ask(queries.sources, desk.at)
    return found.merge(wide.reindex(columns=list(BY_SOURCE)).reset_index(), on="source", how="left")


def _fields(desk: Desk) -> pd.DataFrame:
    found = _checks(desk).groupby(["field", "key"], as_index=False)[["numerator", "denominator", "n"]].sum()
    found = found.assign(value=found.numerator / found.denominator)
    wide = found.pivot_table(index="field", columns="key", values="value").reindex(columns=list(DIMENSIONS))
    return wide.assign(n=found.groupby("field").n.sum()).reset_index()


def _weakest(desk: Desk) -> pd.DataFrame:
    found = _checks(desk)
    weak = found[found.value < 1].assign(failing=lambda rows: (rows.n - rows.numerator).astype(int))
    return weak.assign(
        says=[CHECKS[key].says for key in weak.check_key], suffers=[_resting_on(key) for key in weak.check_key]
    ).sort_values("value", ignore_index=True)


def _checks(desk: Desk) -> pd.DataFrame:
    """One row per check that applies to anything, with its field: both tables are made of it."""
    found = figures.measured(desk, DIMENSIONS, by=("check_key",))
    found = found[found.n > 0]
    return found.assign(field=[CHECKS[key].field for key in found.check_key])


def _resting_on(check: str) -> str:
    return ", ".join(kpi.label for kpi in kpis.CATALOGUE.values() if check in kpi.needs)


def _missing_scans(desk: Desk) -> pd.DataFrame:
    found = figures.measured(desk, ["missing_scan_rate"], by=("stage", "carrier"))
    return found[found.value > 0].sort_values("value", ascending=False, ignore_index=True)
