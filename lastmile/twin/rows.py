"""Event rows by column: collected in parts, given ids, and joined to one frame."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from lastmile.model import SEPARATOR, stable_id
from lastmile.twin import causes, chance, city, clock

EVENT_COLUMNS = (
    "event_id", "type", "classifier", "occurred_at", "recorded_at", "delivery_id", "route_id", "vehicle_id", "depot_id",
    "lon", "lat", "accuracy_m", "source", "status_source", "reason", "actor", "payload",
)  # fmt: skip
_TEXT = ("delivery_id", "route_id", "vehicle_id", "depot_id", "source", "status_source", "reason", "actor", "payload")
_NUMBERS = ("lon", "lat", "accuracy_m")


@dataclass
class EventRows:
    """Parts of the event table of one service day, in columns."""

    seed: int
    day: date
    parts: list[dict[str, np.ndarray]] = field(default_factory=list)

    def add(
        self,
        type: str,
        occurred: np.ndarray,
        latency: np.ndarray | float = 0.0,
        keep: np.ndarray | None = None,
        **said: object,
    ) -> None:
        """Add events at minutes of the day, recorded `latency` minutes later; other columns are arrays or values.

        `keep` marks the events that are told at all.
        """
        occurred = np.asarray(occurred, dtype=float)
        count = len(occurred)
        part = {"type": np.full(count, type, dtype=object), "occurred": clock.micros(self.day, occurred)}
        late = np.maximum(np.round(np.broadcast_to(latency, count) * 60.0), 0.0).astype(np.int64) * 1_000_000
        part["recorded"] = part["occurred"] + late
        for column in _TEXT:
            part[column] = _column(said.get(column), count, object)
        for column in _NUMBERS:
            part[column] = _column(said.get(column, np.nan), count, float)
        self.parts.append(part if keep is None else {name: values[keep] for name, values in part.items()})

    def add_scans(
        self,
        type: str,
        occurred: np.ndarray,
        sources: np.ndarray,
        keys: np.ndarray,
        tries: np.ndarray,
        loss: float = 1.0,
        **said: object,
    ) -> None:
        """Add scans with the latency and the gaps of the system that they come from."""
        latency = np.zeros(len(keys))
        told = np.ones(len(keys), dtype=bool)
        spread = chance.normal(self.seed, f"latency of {type}", keys, tries)
        lost = chance.uniform(self.seed, f"loss of {type}", keys, tries)
        for source, discipline in causes.DISCIPLINE.items():
            mine = sources == source
            latency[mine] = discipline.median_minutes * np.exp(discipline.spread * spread[mine])
            told[mine] = lost[mine] >= discipline.missing * loss
        self.add(type, occurred, np.minimum(latency, 600.0), told & ~np.isnan(occurred), source=sources, **said)

    def frame(self) -> pd.DataFrame:
        """The event table's rows, by the time they became known."""
        if not self.parts:
            return empty_events()
        joined = {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}
        ids = _event_ids(joined)
        order = np.lexsort((ids, joined["recorded"]))
        joined = {name: values[order] for name, values in joined.items()}
        frame = pd.DataFrame({"event_id": ids[order], "type": joined["type"], "classifier": "ACT"})
        frame["occurred_at"], frame["recorded_at"] = clock.times(joined["occurred"]), clock.times(joined["recorded"])
        for column in EVENT_COLUMNS[5:]:
            values = joined[column]
            frame[column] = pd.Series(values, dtype=object) if column in ("payload", "reason") else values
        return frame


def empty_events() -> pd.DataFrame:
    """An event table without rows."""
    return pd.DataFrame({column: pd.Series(dtype=object) for column in EVENT_COLUMNS})


def _column(value: object, count: int, dtype: type) -> np.ndarray:
    if isinstance(value, (np.ndarray, list, pd.Series)):
        return np.asarray(value, dtype=dtype)
    return np.full(count, value, dtype=dtype)


def _event_ids(joined: dict[str, np.ndarray]) -> np.ndarray:
    """The ids that model.Event gives, made for a whole table (`Event.event_id` is the rule)."""
    ids = []
    columns = ("source", "delivery_id", "route_id", "vehicle_id", "depot_id", "type", "occurred")
    for source, delivery, route, vehicle, depot, type, occurred in zip(
        *(joined[c].tolist() for c in columns), strict=True
    ):
        subject = delivery or route or vehicle or depot or ""
        text = f"{source}{SEPARATOR}{subject}{SEPARATOR}{type}{SEPARATOR}ACT{SEPARATOR}{occurred}"
        ids.append(_uuid_text(text))
    return np.array(ids, dtype=object)


def _uuid_text(text: str) -> str:
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def ids_of(kind: str, *columns: list) -> list[str]:
    """Stable ids as text for rows with these natural keys."""
    return [str(stable_id(kind, *key)) for key in zip(*columns, strict=True)]


def payload(**said: object) -> str:
    """A payload as JSON."""
    return json.dumps(said)


def jittered(seed: int, purpose: str, x: np.ndarray, y: np.ndarray, *keys: object) -> tuple[np.ndarray, np.ndarray]:
    """Degrees of places as a receiver sees them: some seven metres off."""
    off_x = 0.007 * chance.normal(seed, purpose + " x", *keys)
    off_y = 0.007 * chance.normal(seed, purpose + " y", *keys)
    return city.lon_lat(np.asarray(x) + off_x, np.asarray(y) + off_y)
