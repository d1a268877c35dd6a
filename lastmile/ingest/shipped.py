"""The mappings that lie in data/mappings: those that come with the program and those that users keep there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from lastmile.ingest.errors import BadMapping
from lastmile.ingest.mapping import Mapping, load
from lastmile.ingest.mapping_text import save

SHIPPED = (
    "lade_deliveries", "lade_pickups", "onfleet", "optimoroute", "own_events", "own_milestones", "own_orders",
    "own_positions", "own_routes", "own_vehicles", "samsara",
)  # fmt: skip
FOLDER = Path(__file__).resolve().parents[2] / "data" / "mappings"


def mappings(folder: Path = FOLDER) -> dict[str, Mapping]:
    """All mappings by name; raises BadMapping, with the file's name, where one is not valid."""
    return {mapping.name: mapping for mapping in map(load, sorted(folder.glob("*.toml")))}


def named(name: str, folder: Path = FOLDER) -> Mapping:
    """The mapping of a name, or of a path to a TOML file; raises BadMapping, with the names that there are."""
    if name.endswith(".toml"):
        return load(name)
    known = mappings(folder)
    if name not in known:
        raise BadMapping(
            f"There is no mapping {name!r}; there are {', '.join(known)}. A path to a .toml file will do too."
        )
    return known[name]


def keep(mapping: Mapping, folder: Path = FOLDER) -> Mapping:
    """Keep a mapping in data/mappings under its name, for the next file of its kind.

    Raises BadMapping where its name is no file name, or is that of a mapping that comes with the program.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", mapping.name):
        raise BadMapping(f"The name {mapping.name!r} is no file name: use small letters, digits, - and _.")
    path = folder / f"{mapping.name}.toml"
    if path.exists() and mapping.name in SHIPPED:
        raise BadMapping(f"{mapping.name} comes with the program; give your own mapping another name (the key name).")
    return save(mapping, path)


def recognised(header: Iterable[str], known: dict[str, Mapping]) -> Mapping | None:
    """The mapping all of whose telling columns stand in a header; of several, the one that tells most."""
    present = {name.strip().casefold() for name in header}
    fitting = [
        mapping
        for mapping in known.values()
        if mapping.recognise and all(name.casefold() in present for name in mapping.recognise)
    ]
    return max(fitting, key=lambda mapping: len(mapping.recognise), default=None)
