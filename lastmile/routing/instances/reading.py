"""VRPLIB and Solomon text files as numbers; what can't be said as a routing problem is refused, never dropped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import vrplib

from lastmile.errors import LastmileError

TYPES = ("CVRP", "VRPTW")

UNDERSTOOD = frozenset(
    (
        "name", "comment", "type", "dimension", "vehicles", "capacity", "service_time", "edge_weight_type",
        "edge_weight_format", "node_coord_type", "display_data_type", "node_coord", "demand", "depot", "time_window",
        "edge_weight", "display_data",
    )
)  # fmt: skip
"""Entries of a VRPLIB file that a problem can say, or that say nothing about a plan."""


class BadInstance(LastmileError):
    """A file that is not a routing instance this program understands; the text names the file and why."""


@dataclass(frozen=True)
class Sheet:
    """An instance as the file gives it: place 0 is the depot, the others are customers, in the file's own units.

    `straight` are distances before any rounding; `explicit` says that the file lists them. `places` are coordinates
    where it has some, `windows` opening and closing times, `vehicles` None where their number has no limit.
    """

    name: str
    kind: str
    form: str
    straight: np.ndarray
    explicit: bool
    places: np.ndarray | None
    demand: np.ndarray
    capacity: float | None
    windows: np.ndarray | None
    service: np.ndarray
    vehicles: int | None

    @property
    def customers(self) -> int:
        return len(self.straight) - 1


def read_sheet(path: Path) -> Sheet:
    """The instance in a file; its format is told from its text. Raises BadInstance."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BadInstance(f"{path} can't be read: {error.strerror}.") from None
    vrplib_text = "DIMENSION" in text and "SECTION" in text
    form = "vrplib" if vrplib_text else "solomon"
    try:
        entries = vrplib.read_instance(path, form)
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError) as error:
        raise BadInstance(f"{Path(path).name} is neither a VRPLIB nor a Solomon file: {error}") from None
    return _from_vrplib(path, entries) if vrplib_text else _from_solomon(entries)


def _from_solomon(entries: dict[str, Any]) -> Sheet:
    return Sheet(
        name=str(entries["name"]),
        kind="VRPTW",
        form="Solomon",
        straight=np.asarray(entries["edge_weight"], dtype=float),
        explicit=False,
        places=np.asarray(entries["node_coord"], dtype=float),
        demand=np.asarray(entries["demand"], dtype=float),
        capacity=float(entries["capacity"]),
        windows=np.asarray(entries["time_window"], dtype=float),
        service=np.asarray(entries["service_time"], dtype=float),
        vehicles=int(entries["vehicles"]),
    )


def _from_vrplib(path: Path, entries: dict[str, Any]) -> Sheet:
    _refuse_other(path, entries)
    straight = np.asarray(entries["edge_weight"], dtype=float)
    count = len(straight)
    windows = entries.get("time_window")
    sheet = Sheet(
        name=str(entries.get("name", Path(path).stem)),
        kind=str(entries.get("type", "CVRP" if windows is None else "VRPTW")),
        form="VRPLIB",
        straight=straight,
        explicit=entries.get("edge_weight_type") != "EUC_2D",
        places=_rows(path, entries, "node_coord", count, 2),
        demand=np.zeros(count) if "demand" not in entries else _rows(path, entries, "demand", count),
        capacity=float(entries["capacity"]) if "capacity" in entries else None,
        windows=_rows(path, entries, "time_window", count, 2),
        service=_service(path, entries, count),
        vehicles=int(entries["vehicles"]) if "vehicles" in entries else None,
    )
    if int(entries.get("dimension", count)) != count:
        raise BadInstance(f"{Path(path).name} says {entries['dimension']} places and lists {count}.")
    return sheet


def _refuse_other(path: Path, entries: dict[str, Any]) -> None:
    kind = entries.get("type", "CVRP")
    if kind not in TYPES:
        raise BadInstance(f"{Path(path).name} is of type {kind}; understood are {' and '.join(TYPES)}.")
    strange = sorted(set(entries) - UNDERSTOOD)
    if strange:
        raise BadInstance(f"{Path(path).name} has entries that are not understood: {', '.join(strange)}.")
    if np.ravel(entries.get("depot", [0])).tolist() != [0]:
        raise BadInstance(f"{Path(path).name} needs exactly one depot, and that as its first place.")
    if "edge_weight" not in entries:
        raise BadInstance(f"{Path(path).name} has neither coordinates nor a matrix of distances.")


def _rows(path: Path, entries: dict[str, Any], name: str, count: int, width: int = 1) -> np.ndarray | None:
    """A section as numbers with one row per place, or None where the file has none."""
    if name not in entries:
        return None
    try:
        rows = np.asarray(entries[name], dtype=float)
    except ValueError:
        raise BadInstance(f"{Path(path).name}: {name.upper()}_SECTION has rows of different lengths.") from None
    if rows.shape != ((count, width) if width > 1 else (count,)):
        raise BadInstance(f"{Path(path).name}: {name.upper()}_SECTION does not fit {count} places.")
    return rows


def _service(path: Path, entries: dict[str, Any], count: int) -> np.ndarray:
    """Service time per place: a section, or one number for all customers."""
    if np.ndim(entries.get("service_time", 0)):
        return _rows(path, entries, "service_time", count)
    return np.where(np.arange(count) > 0, float(entries.get("service_time", 0)), 0.0)
