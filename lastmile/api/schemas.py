"""The shapes of what is sent and answered, as JSON Schema; rows are made from the catalogue that checks them."""

from __future__ import annotations

from typing import Any

from lastmile.intake import KINDS, Kind, RowField
from lastmile.intake.checking import DECIDED_HERE
from lastmile.intake.fields import MOST_IN_A_LIST, MOST_OF_A_TEXT, MOST_OF_AN_ID, SUBJECTS
from lastmile.notifications import receipts

Schema = dict[str, Any]

PLAIN = "[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]"
FILLED = f"^{PLAIN}*[^\\s\\u0000-\\u001f\\u007f]{PLAIN}*$"
SCIENTIFIC = "^[0-9]([.,][0-9]+)?[eE]\\+[0-9]+$"
LARGEST_WHOLE = 2**53 - 1
UNITS = {"deg": "degrees, WGS 84", "C": "degrees Celsius", "m3": "cubic metres", "min": "minutes"}


def row(kind: Kind) -> Schema:
    """One row of a kind. Nothing may be sent as null, or as an empty text, as well as left out."""
    schema: Schema = {
        "type": "object",
        "description": kind.told,
        "properties": {field.name: value(field) for field in kind.fields.values()},
        "required": [field.name for field in kind.fields.values() if field.required],
        "additionalProperties": False,
        "examples": [{field.name: field.example for field in kind.fields.values() if field.example is not None}],
    }
    rules = []
    if kind.a_subject:
        rules.append({"anyOf": [_filled(name) for name in SUBJECTS if name in kind.fields]})
    if "lon" in kind.fields and not kind.fields["lon"].required:
        both = {"required": ["lon", "lat"], "properties": {"lon": {"type": "number"}, "lat": {"type": "number"}}}
        rules.append({"anyOf": [both, {"properties": {"lon": {"type": "null"}, "lat": {"type": "null"}}}]})
    if "corrects" in kind.fields:
        corrects = {
            "required": ["corrects"],
            "properties": {"corrects": {"type": ["string", "integer"], "pattern": FILLED}},
        }
        is_one = {"properties": {"event": {"const": "corrected"}}}
        rules.append({"if": is_one, "then": corrects})
    return schema | ({"allOf": rules} if rules else {})


def value(field: RowField) -> Schema:
    """One field of a row."""
    within = " In the years 2000 to 2099." if field.type in ("time", "date") else ""
    unit = f" In {UNITS.get(field.unit, field.unit)}." if field.unit else ""
    schema = _BY_TYPE[field.type](field) | {"description": field.meaning + unit + within}
    return schema | ({"examples": [field.example]} if field.example is not None else {})


def _id(field: RowField) -> Schema:
    kept: Schema = {
        "type": ["string", "integer"],
        "minimum": -LARGEST_WHOLE,
        "maximum": LARGEST_WHOLE,
        "maxLength": MOST_OF_AN_ID,
        "pattern": FILLED if field.required else f"^{PLAIN}*$",
        "not": {"pattern": SCIENTIFIC, "type": "string"},
    }
    return kept if field.required else kept | {"type": ["string", "integer", "null"]}


def _text(field: RowField) -> Schema:
    if field.required:
        return {"type": "string", "maxLength": MOST_OF_A_TEXT, "pattern": FILLED, "not": {"enum": sorted(DECIDED_HERE)}}
    return {"type": ["string", "null"], "maxLength": MOST_OF_A_TEXT, "pattern": f"^{PLAIN}*$"}


def _time(field: RowField) -> Schema:
    instant: Schema = {"type": "string", "format": "date-time"}
    return instant if field.required else _or_nothing(instant)


def _date(_: RowField) -> Schema:
    return _or_nothing({"type": "string", "format": "date"})


def _number(field: RowField) -> Schema:
    bounds = {"minimum": field.least, "maximum": field.most}
    kind = "integer" if field.type == "whole" else "number"
    known = {name: bound for name, bound in bounds.items() if bound is not None}
    number = {"type": kind} | known
    return number if field.required else _or_nothing(number)


def _flag(_: RowField) -> Schema:
    return _or_nothing({"type": "boolean"})


def _list(_: RowField) -> Schema:
    part = {"type": "string", "maxLength": MOST_OF_AN_ID, "pattern": f"^{PLAIN}*$"}
    return _or_nothing({"type": "array", "maxItems": MOST_IN_A_LIST, "items": part})


def _words(field: RowField) -> Schema:
    return _or_nothing({"type": "string", "enum": list(field.words)})


def _or_nothing(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}, {"type": "string", "maxLength": 0}]}


def _filled(name: str) -> Schema:
    return {"required": [name], "properties": {name: {"type": ["string", "integer"], "pattern": FILLED}}}


_BY_TYPE = {
    "id": _id, "text": _text, "time": _time, "date": _date, "number": _number, "whole": _number, "flag": _flag,
    "list": _list, "words": _words,
}  # fmt: skip

_INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}
_TEXT: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}

RECEIPT_FIELDS: Schema = {
    "received": _COUNT | {"description": "Rows that were sent."},
    "taken": _COUNT | {"description": "Rows that brought something new."},
    "repeated": _COUNT | {"description": "Rows that the ledger had: nothing was changed."},
    "refused": _COUNT | {"description": "Rows that wait in quarantine, whole."},
    "passed_over": _COUNT | {"description": "Parts of a message that are not about deliveries."},
    "rows": {"type": "array", "items": {"$ref": "#/components/schemas/RowOutcome"}},
}
SHAPES: dict[str, Schema] = {kind.key: row(kind) for kind in KINDS.values()} | {
    "Receipt": {"type": "object", "properties": RECEIPT_FIELDS, "required": list(RECEIPT_FIELDS)},
    "NoticeReceipt": {
        "type": "object",
        "description": "What became of one notice.",
        "properties": {
            name: ({"enum": list(receipts.OUTCOMES)} if name == "outcome" else _TEXT) | {"description": told}
            for name, told in receipts.FIELDS.items()
        },
        "required": ["outcome"],
        "anyOf": [{"required": ["notice_id"]}, {"required": ["message_id"]}],
        "additionalProperties": False,
    },
    "RowOutcome": {
        "type": "object",
        "properties": {
            "row": _COUNT | {"description": "The row's place in what was sent, from 0."},
            "outcome": {"enum": ["taken", "repeated", "refused"]},
            "problems": {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}},
            "notes": {
                "type": "array",
                "items": {"enum": ["unmapped", "unmapped_reason", "unknown_place"]},
                "description": "What was taken otherwise than it was said: a word that is not known, a place (0, 0).",
            },
        },
        "required": ["row", "outcome"],
    },
    "FieldProblem": {
        "type": "object",
        "properties": {"field": _TEXT, "value": _TEXT, "problem": {"type": "string"}, "remedy": {"type": "string"}},
        "required": ["field", "value", "problem", "remedy"],
    },
    "Problem": {
        "type": "object",
        "description": "A problem document (RFC 9457). Where rows were judged, their outcomes are in it.",
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "rows": {"type": "array", "items": {"$ref": "#/components/schemas/RowOutcome"}},
        },
        "required": ["title", "status", "detail"],
    },
    "Delivery": {
        "type": "object",
        "description": "A delivery as it stands or as it was known then, and its history. Times in UTC.",
        "properties": {
            "delivery_id": {"type": "string"},
            "state": {"type": "string"},
            "timeliness": {"type": "string"},
            "window_from": _INSTANT,
            "window_due": _INSTANT,
            "handed_over_at": _INSTANT,
            "history": {"type": "array", "items": {"$ref": "#/components/schemas/DeliveryEvent"}},
        },
        "required": ["delivery_id", "state", "timeliness", "history"],
    },
    "DeliveryEvent": {
        "type": "object",
        "properties": {
            "event_id": {"type": "string", "format": "uuid"},
            "type": {"type": "string"},
            "classifier": {"enum": ["ACT", "PLN", "EST"]},
            "occurred_at": {"type": "string", "format": "date-time"},
            "recorded_at": {"type": "string", "format": "date-time"},
            "source": {"type": "string"},
            "reason": _TEXT,
        },
        "required": ["event_id", "type", "classifier", "occurred_at", "recorded_at", "source"],
    },
    "Figures": {
        "type": "object",
        "properties": {
            "from": {"type": "string", "format": "date"},
            "to": {"type": "string", "format": "date"},
            "figures": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "key": {"type": "string"},
                        "value": {"type": ["number", "null"]},
                        "unit": {"type": "string"},
                        "n": {"type": ["number", "null"]},
                    },
                    "required": ["key", "value", "unit", "n"],
                },
            },
        },
        "required": ["from", "to", "figures"],
    },
    "Exceptions": {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "day": {"type": "string", "format": "date"},
            "exceptions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "exception_id": {"type": "string"},
                        "key": {"type": "string"},
                        "label": {"type": "string"},
                        "severity": {"enum": ["low", "medium", "high", "critical"]},
                        "subject_kind": {"enum": ["delivery", "vehicle", "depot", "milestone", "source"]},
                        "subject_id": {"type": "string"},
                        "delivery_id": {"type": ["string", "null"]},
                        "words": {"type": "string"},
                        "stops": {"type": "integer"},
                        "stake": {"type": ["number", "null"]},
                        "currency": {"type": ["string", "null"]},
                        "probability": {"type": ["number", "null"]},
                        "rank": {"type": "number"},
                        "breach_at": _INSTANT,
                        "due_at": _INSTANT,
                        "overdue": {"type": "boolean"},
                        "owner_role": {"type": "string"},
                        "owner": {"type": ["string", "null"]},
                        "state": {"enum": ["open", "acknowledged"]},
                        "steps": {"type": "integer"},
                    },
                    "required": [
                        "exception_id",
                        "key",
                        "severity",
                        "subject_kind",
                        "subject_id",
                        "words",
                        "stops",
                        "rank",
                        "state",
                    ],
                },
            },
        },
        "required": ["at", "day", "exceptions"],
    },
    "Status": {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]},
    "EpcisDocument": {
        "type": "object",
        "properties": {
            "type": {"const": "EPCISDocument"},
            "schemaVersion": {"const": "2.0"},
            "epcisBody": {"type": "object"},
        },
        "required": ["@context", "type", "schemaVersion", "creationDate", "epcisBody"],
    },
}
