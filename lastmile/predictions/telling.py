"""Predictions as EST events of the ledger: those that say something new, and no more."""

from __future__ import annotations

import json

import pandas as pd

from lastmile.model import Classifier, EventType, StatusSource, stable_id
from lastmile.predictions.chances import AT_RISK_CHANCE

MOVED_MINUTES = 5.0
"""An arrival that moved by less than this tells nobody anything new."""

SOURCE = "tower"
KEPT = ["delivery_id", "eta_at", "chance_late"]


def news(predicted: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """The rows of predict's answer that differ enough from what was told last: moved by MOVED_MINUTES, or risk has turned.

    `told`: one row per delivery, the columns of KEPT.
    """
    rows = predicted[predicted.eta_at.notna()]
    last = told.drop_duplicates("delivery_id").set_index("delivery_id").reindex(rows.delivery_id).set_index(rows.index)
    moved = (rows.eta_at - last.eta_at).abs() >= pd.Timedelta(minutes=MOVED_MINUTES)
    turned = (rows.chance_late >= AT_RISK_CHANCE) != (last.chance_late >= AT_RISK_CHANCE)
    return rows[last.eta_at.isna() | moved | turned]


def events_of(predicted: pd.DataFrame) -> pd.DataFrame:
    """One `eta_updated` event per prediction, classifier EST: when it was made, and in its payload what it says."""
    rows = predicted.reset_index(drop=True)
    micros = rows.instant.astype("int64") if len(rows) else []
    return pd.DataFrame(
        {
            "event_id": [
                str(stable_id(SOURCE, delivery_id, EventType.ETA_UPDATED, Classifier.ESTIMATED, at))
                for delivery_id, at in zip(rows.delivery_id, micros, strict=True)
            ],
            "type": str(EventType.ETA_UPDATED),
            "classifier": str(Classifier.ESTIMATED),
            "occurred_at": rows.instant,
            "recorded_at": rows.instant,
            "delivery_id": rows.delivery_id,
            "route_id": rows.route_id,
            "vehicle_id": rows.vehicle_id,
            "depot_id": rows.depot_id,
            "source": SOURCE,
            "status_source": str(StatusSource.SYSTEM),
            "payload": [_payload(row) for row in rows.itertuples()],
        }
    )


def _payload(row: tuple) -> str:
    said = {name: getattr(row, name).isoformat() for name in ("eta_at", "eta_from", "eta_until")}
    chance = None if pd.isna(row.chance_late) else round(float(row.chance_late), 3)
    return json.dumps(said | {"chance_late": chance})
