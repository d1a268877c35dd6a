"""Writes a mapping as TOML text that `mapping.parse` reads back the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from lastmile.ingest.mapping import Column, EventEntry, Mapping, parse

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TABLES = ("columns", "constants", "status", "reason", "words", "events", "drop", "hash", "text")


def dump(mapping: Mapping) -> str:
    """The mapping as TOML; what stands at its default is left out."""
    return "\n".join(_lines(mapping)) + "\n"


def save(mapping: Mapping, path: Path | str) -> Mapping:
    """Write a mapping to a file and return it with the text that was written; raises BadMapping where it is not valid."""
    text = dump(mapping)
    checked = parse(text)
    Path(path).write_text(text, encoding="utf-8")
    return checked


def _lines(mapping: Mapping) -> Iterator[str]:
    for item in fields(Mapping):
        value = getattr(mapping, item.name)
        required = item.name in ("name", "kind", "source")
        if item.name not in _TABLES and (required or value not in (item.default, (), None, "")):
            yield f"{item.name} = {_value(list(value) if isinstance(value, tuple) else value)}"
    yield from _table("columns", {name: _column(spec) for name, spec in mapping.columns.items()})
    yield from _table("constants", mapping.constants)
    yield from _table("status", mapping.status)
    yield from _table("reason", mapping.reason)
    for name, words in mapping.words.items():
        yield from _table(f"words.{name}", words)
    yield from _table(
        "personal", {key: list(names) for key, names in (("drop", mapping.drop), ("hash", mapping.hash)) if names}
    )
    for entry in mapping.events:
        yield from _event(entry)


def _table(name: str, values: dict[str, Any]) -> Iterator[str]:
    if values:
        yield ""
        yield f"[{name}]"
        yield from (f"{_key(key)} = {_value(value)}" for key, value in values.items())


def _event(entry: EventEntry) -> Iterator[str]:
    yield ""
    yield "[[event]]"
    if entry.type is not None:
        yield f"type = {_value(entry.type)}"
    yield from (f"{name} = {_value(_column(spec))}" for name, spec in entry.columns.items())
    for name, values in (
        ("only_if", {key: list(words) for key, words in entry.only_if.items()}),
        ("payload", {key: _column(spec) for key, spec in entry.payload.items()}),
    ):
        if values:
            yield f"{name} = {_value(values)}"


def _column(spec: Column) -> Any:
    said: dict[str, Any] = {}
    if spec.any_of:
        said["any_of"] = list(spec.any_of)
    elif len(spec.columns) == 1:
        said["column"] = spec.columns[0]
    else:
        said["columns"] = list(spec.columns)
    for name, usual in (("unit", ""), ("minutes_after", None), ("length", None), ("order", "lat,lon")):
        if getattr(spec, name) != usual:
            said[name] = getattr(spec, name)
    return said["column"] if said.keys() == {"column"} else said


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    """A TOML value; its basic strings are those of JSON, but for DEL."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
