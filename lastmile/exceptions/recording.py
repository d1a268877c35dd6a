"""Steps of exceptions as rows of the ledger, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pandas as pd

from lastmile.decisions import SOURCE
from lastmile.exceptions.following import Kept, Step
from lastmile.model import Classifier, StatusSource, stable_id

ACTOR = "tower"


def events_of(steps: Iterable[Step]) -> pd.DataFrame:
    """One row of the table event per step, told by the system."""
    return pd.DataFrame([_row(step) for step in steps])


def _row(step: Step) -> dict[str, object]:
    kept = step.exception
    said = {name: value for name, value in step.said.items() if value is not None}
    payload = {"exception_id": kept.exception_id, "day": f"{kept.day:%Y-%m-%d}", "step": step.step, **said}
    return {
        "event_id": str(stable_id(SOURCE, f"{step.type} {kept.exception_id} {step.step} {step.at.isoformat()}")),
        "type": str(step.type),
        "classifier": str(Classifier.ACTUAL),
        "occurred_at": step.at,
        "recorded_at": step.at,
        **{name: step.place.get(name) for name in ("delivery_id", "route_id", "vehicle_id", "depot_id")},
        "source": SOURCE,
        "status_source": str(StatusSource.SYSTEM),
        "actor": ACTOR,
        "payload": json.dumps(payload, ensure_ascii=False),
    }


def kept_of(rows: pd.DataFrame) -> list[Kept]:
    """Rows of macro exception_state as a book keeps them."""
    return [_kept(row) for row in rows.itertuples(index=False)]


def _kept(row: object) -> Kept:
    def text(name: str) -> str | None:
        value = getattr(row, name)
        return value if isinstance(value, str) else None

    said = {
        "key": row.key,
        "subject_kind": row.subject_kind,
        "subject_id": row.subject_id,
        "severity": row.severity,
        "stake": float(row.stake),
        "probability": float(row.probability),
        "breach_at": None if pd.isna(row.breach_at) else row.breach_at.isoformat(),
        "root_id": text("root_id"),
    }
    return Kept(
        row.exception_id,
        row.key,
        said,
        open=row.state not in ("resolved", "cleared"),
        gone=pd.notna(row.gone_at),
        steps=int(row.steps),
        owner=text("owner") or text("acknowledged_by"),
        snoozed_until=None if pd.isna(row.snoozed_until) else row.snoozed_until,
        day=row.day,
        place={name: value for name in ("delivery_id", "route_id", "vehicle_id", "depot_id") if (value := text(name))},
    )
