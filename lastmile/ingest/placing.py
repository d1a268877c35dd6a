"""Drafts places: lon and lat from two columns or one, unknown, swapped or off the globe."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

from lastmile.ingest.amounts import number_sql
from lastmile.ingest.drafting import Draft
from lastmile.ingest.mapping import Column


def place(draft: Draft, name: str, columns: dict[str, Column]) -> tuple[str, str]:
    """Put lon and lat of the fields lon, lat or place, with their problems; returns their SQL names."""
    spec = columns.get("place") or columns.get("lon")
    if spec is None or ("place" not in columns and "lat" not in columns):
        return "null::double", "null::double"
    first, second = _pair(draft, columns)
    if first is None or second is None:
        return "null::double", "null::double"
    if draft.mapping.swapped_coordinates:
        first, second = second, first
    lon = draft.put(f"lon_{name}", number_sql(draft, first))
    lat = draft.put(f"lat_{name}", number_sql(draft, second))
    shown = f"concat_ws(', ', {first}, {second})"
    for text, number in ((first, lon), (second, lat)):
        draft.problem("not_a_number", spec, f"({text} is not null and {number} is null)", text)
    swapped = draft.put(f"swapped_{name}", _swapped(draft, lon, lat))
    draft.problem("swapped", spec, swapped, shown)
    draft.problem("off_globe", spec, f"((abs({lon}) > 180 or abs({lat}) > 90) and not {swapped})", shown)
    unknown = draft.put(f"unknown_{name}", f"({lon} = 0 and {lat} = 0 or ({lon} is null) <> ({lat} is null))")
    draft.note("unknown_place", spec, unknown)
    known = f"case when not {unknown} then"
    return (
        draft.put(f"known_lon_{name}", f"{known} {lon} end"),
        draft.put(f"known_lat_{name}", f"{known} {lat} end"),
    )


def _pair(draft: Draft, columns: dict[str, Column]) -> tuple[str | None, str | None]:
    if "place" not in columns:
        return draft.text(columns["lon"]), draft.text(columns["lat"])
    text = draft.text(columns["place"])
    if text is None:
        return None, None
    divider = "[,; ]+" if draft.mapping.decimal == "." else "[; ]+"
    parts = f"string_split_regex(trim({text}, '[]() '), '{divider}')"
    lon, lat = (f"{parts}[1]", f"{parts}[2]") if columns["place"].order == "lon,lat" else (f"{parts}[2]", f"{parts}[1]")
    return lon, lat


def _swapped(draft: Draft, lon: str, lat: str) -> str:
    """True for a latitude that only a longitude can have, and for places that lie by the zone's city when exchanged."""
    beyond = f"abs({lat}) > 90 and abs({lat}) <= 180 and abs({lon}) <= 90"
    if _reference(draft) is None:
        return f"case when abs({lat}) > 90 then {beyond} else false end"
    east, north = _reference(draft)
    near = _near(draft, lon, north, 180) + " and " + _near(draft, lat, east, 180)
    as_said = _near(draft, lon, east, 180) + " and " + _near(draft, lat, north, 90)
    return f"case when {as_said} then false else {beyond} or {near} and abs({lon} - {lat}) > 5 end"


def _near(draft: Draft, number: str, degrees: float, most: float) -> str:
    """Within fifteen degrees of a place, and on the globe."""
    low, high = draft.parameter(max(degrees - 15, -most)), draft.parameter(min(degrees + 15, most))
    return f"{number} between {low} and {high}"


def _reference(draft: Draft) -> tuple[float, float] | None:
    return place_of_zone(draft.mapping.zone) if draft.mapping.zone else None


@lru_cache(maxsize=64)
def place_of_zone(zone: str) -> tuple[float, float] | None:
    """Longitude and latitude of a zone's own city in the tz database (zone1970.tab); None for zones such as UTC."""
    lines = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text().splitlines()
    found = next(
        (line.split("\t")[1] for line in lines if not line.startswith("#") and line.split("\t")[2] == zone), None
    )
    if found is None:
        return None
    north, east = re.fullmatch(r"([+-]\d+)([+-]\d+)", found).groups()
    return _degrees(east, 3), _degrees(north, 2)


def _degrees(text: str, digits: int) -> float:
    sign = -1.0 if text[0] == "-" else 1.0
    number = text[1:]
    return sign * (int(number[:digits]) + int(number[digits : digits + 2]) / 60)
