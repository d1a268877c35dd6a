"""Messages of other systems in, rows of the tower's own out: on files that others made, and on hand-written cases."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lastmile.adapters import FORMATS, BadBody, epcis_document, osmand
from lastmile.adapters.x12_214 import STATUSES
from lastmile.model import EventType

SHARED = Path(__file__).parents[2] / "shared" / "data"
needs_real_files = pytest.mark.skipif(
    not SHARED.exists() and "LASTMILE_REQUIRE_REAL_FILES" not in os.environ, reason="the real files are not here"
)
ENVELOPE = "ISA*00*          *00*          *02*CPC            *ZZ*SHOP           *260302*1800*U*00401*000000007*0*P*>"


def read(format: str, said: object, zone: str = "UTC"):
    body = said if isinstance(said, bytes) else said.encode() if isinstance(said, str) else json.dumps(said).encode()
    return FORMATS[format].read(body, zone)


def message(*segments: str) -> str:
    """One bare X12 214 message with its segments counted."""
    return "~".join(["ST*214*0001", *segments, f"SE*{len(segments) + 2}*0001"]) + "~"


# X12 214


@needs_real_files
def test_canada_posts_interchange_gives_the_statuses_and_numbers_that_are_in_it():
    body = (SHARED / "edi214" / "canadapost_214.txt").read_bytes()

    adapted = read("x12-214", body, "America/Toronto")

    said = Counter(row["event"] for _, row in adapted.rows)
    assert said == Counter(
        {
            STATUSES["AF"]: 7,
            STATUSES["XB"]: 6,
            STATUSES["AP"]: 3,
            STATUSES["AH"]: 1,
            STATUSES["CA"]: 1,
            STATUSES["D1"]: 1,
        }
    )
    assert len({row["delivery_id"] for _, row in adapted.rows}) == 16
    assert (len(adapted.rows), adapted.unread, adapted.passed_over) == (19, [], 0)


@needs_real_files
def test_times_of_the_interchange_are_read_by_their_codes_and_by_the_connections_zone_where_there_is_none():
    body = (SHARED / "edi214" / "canadapost_214.txt").read_bytes()

    at = {row["delivery_id"]: row["occurred_at"] for _, row in read("x12-214", body, "America/Toronto").rows}

    assert at["4343638097845589"] == "2019-11-03T20:34:00+00:00"  # 15:34 without a code, in Toronto in winter
    assert at["4343638098181877"] == "2019-11-03T21:09:00+00:00"  # 15:09 CS, six hours behind
    assert at["4343638098050296"] == "2019-11-02T23:25:00+00:00"  # 16:25 PT, still in summer time
    assert at["4343638098196574"] == "2019-11-03T21:18:00+00:00"  # 16:18 ET, in winter time by then


def test_every_status_that_is_mapped_has_an_event_of_the_vocabulary():
    assert set(STATUSES.values()) <= set(EventType)


@pytest.mark.parametrize(
    ("time", "instant"),
    [
        ("20260302*0918*UT", "2026-03-02T09:18:00+00:00"),
        ("20260302*0918*CT", "2026-03-02T15:18:00+00:00"),
        ("20260702*0918*CT", "2026-07-02T14:18:00+00:00"),
        ("20260702*0918*CS", "2026-07-02T15:18:00+00:00"),
        ("20260302*0918*CD", "2026-03-02T14:18:00+00:00"),
        ("20260302*0918*LT", "2026-03-02T08:18:00+00:00"),
        ("20260302*091833*UT", "2026-03-02T09:18:33+00:00"),
        ("260302*0918*UT", "2026-03-02T09:18:00+00:00"),
        ("20261302*0918*UT", "20261302 0918 UT"),  # no such month: kept as it stands, for the check to refuse
    ],
)
def test_a_time_of_an_at7_segment_is_an_instant(time, instant):
    rows = read("x12-214", message("B10*P-1*D-1*CPCC", f"AT7*D1*NS***{time}"), "Europe/Berlin").rows

    assert rows == [
        ("events", {"delivery_id": "D-1", "status_source": "carrier", "event": "delivered", "occurred_at": instant})
    ]


def test_a_message_may_tell_of_several_events_with_reason_place_and_vehicle():
    adapted = read(
        "x12-214",
        message(
            "B10*P-1*D-1*CPCC", "LX*1", "AT7*X1*NS***20260302*0910*UT", "MS1*CHICAGO*IL*US", "MS2*CPCC*TRUCK9",
            "AT7*AP*AQ***20260302*0918*UT", "AT7***AG*NS*20260302*1000*UT",
        ),
    )  # fmt: skip

    assert [(row["event"], row.get("reason"), row.get("classifier"), row.get("why")) for _, row in adapted.rows] == [
        ("arrived", None, None, "CHICAGO, IL, US"),
        ("not_completed", "AQ", None, None),
        ("eta_updated", None, "EST", None),
    ]
    assert {row["vehicle_id"] for _, row in adapted.rows} == {"TRUCK9"}


def test_a_status_that_is_not_in_the_map_is_given_as_it_is():
    assert read("x12-214", message("B10*P-1*D-1*CPCC", "AT7*ZZ*NS***20260302*0918*UT")).rows[0][1]["event"] == "ZZ"


def test_a_message_that_has_lost_segments_is_left_unread_and_the_others_are_taken():
    whole = message("B10*P-1*D-1*CPCC", "AT7*D1*NS***20260302*0918*UT")
    cut = whole.replace("AT7*D1*NS***20260302*0918*UT~", "")

    adapted = read("x12-214", cut + whole)

    assert len(adapted.rows) == 1
    assert [(part.field, part.value) for part in adapted.unread] == [("SE-01", "4")]
    assert read("x12-214", adapted.unread[0].raw).unread == adapted.unread  # quarantine can be read again as it stands


def test_the_marks_that_divide_are_those_that_isa_names():
    body = (
        (ENVELOPE + "~" + message("B10*P-1*D-1*CPCC", "AT7*D1*NS***20260302*0918*UT"))
        .replace("*", "|")
        .replace("~", "'")
    )

    assert read("x12-214", body).rows[0][1]["delivery_id"] == "D-1"


@pytest.mark.parametrize("body", ["", "hello", "ISA*00*", "ST*210*0001~SE*2*0001~", ENVELOPE + "~GS*QM~", "\x00\xff"])
def test_what_is_no_214_is_refused_with_what_was_expected(body):
    with pytest.raises(BadBody, match=r"X12 214|ISA"):
        read("x12-214", body)


# EasyPost


@needs_real_files
def test_easyposts_recorded_trackers_give_one_event_for_each_detail():
    body = (SHARED / "easypost" / "test_tracker_all_0.json").read_bytes()
    details = [detail for tracker in json.loads(body)["trackers"] for detail in tracker["tracking_details"]]

    adapted = read("easypost", body)

    assert len(adapted.rows) == len(details) == 10
    assert [row["occurred_at"] for _, row in adapted.rows] == [detail["datetime"] for detail in details]
    assert adapted.rows[1] == (
        "events",
        {
            "delivery_id": "9400100208303109500782",
            "event": "order_received",
            "occurred_at": "2025-02-07T08:25:46Z",
            "status_source": "carrier",
            "actor": "USPS",
            "why": "Shipping Label Created, HOUSTON TX 77063",
        },
    )


@needs_real_files
def test_easyposts_recorded_events_without_a_tracker_are_passed_over():
    adapted = read("easypost", (SHARED / "easypost" / "test_event_all_0.json").read_bytes())

    assert (adapted.rows, adapted.unread, adapted.passed_over) == ([], [], 5)


@pytest.mark.parametrize(
    ("status", "detail", "event"),
    [
        ("in_transit", "arrived_at_facility", "en_route_to_stop"),
        ("out_for_delivery", "out_for_delivery", "loaded"),
        ("delivered", "arrived_at_destination", "delivered"),
        ("return_to_sender", "return", "returned_to_shipper"),
        ("in_transit", "weather_delay", "delayed"),
        ("failure", "refused", "refused"),
        ("available_for_pickup", "status_update", "available_for_pickup"),
    ],
)
def test_an_easypost_status_becomes_an_event_or_stays_as_it_is(status, detail, event):
    told = {"status": status, "status_detail": detail, "datetime": "2026-03-02T08:18:00Z"}
    tracker = {"object": "Tracker", "tracking_code": "T-1", "tracking_details": [told]}

    rows = read("easypost", {"object": "Event", "description": "tracker.updated", "result": tracker}).rows

    assert [row["event"] for _, row in rows] == [event]


# Onfleet


@needs_real_files
def test_onfleets_recorded_tasks_give_orders_and_the_steps_that_carry_a_time():
    said = json.loads((SHARED / "onfleet" / "responses.json").read_bytes())

    one = read("onfleet", said["get"])
    several = read("onfleet", said["getTeamUnassignedTasks"])

    assert one.rows == [
        (
            "orders",
            {
                "delivery_id": "SxD9Ran6pOfnUDgfTecTsgXd",
                "order_id": "44a56188",
                "kind": "delivery",
                "lon": -121.79274459999999,
                "lat": 37.7020352,
                "address": "929 Market St San Francisco",
                "postcode": "94103",
                "notes": "Onfleet API Wrappers!",
            },
        ),
        (
            "events",
            {
                "delivery_id": "SxD9Ran6pOfnUDgfTecTsgXd",
                "event": "en_route_to_stop",
                "occurred_at": "2019-04-12T18:17:26.456000+00:00",
                "actor": "Mdfs*NDZ1*lMU0abFXAT82lM",
                "status_source": "driver",
            },
        ),
    ]  # success without a time: no handover is guessed
    assert several.rows == [
        (
            "orders",
            {
                "delivery_id": "3VtEMGudjwjjM60j7deSI123",
                "version_key": "1643413337768",
                "order_id": "c77ff123",
                "ordered_at": "2022-01-27T21:10:43+00:00",
                "recorded_at": "2022-01-28T23:42:17.768000+00:00",
            },
        )
    ]


def test_a_completed_task_of_onfleet_is_a_handover_and_a_failed_one_says_why():
    done = {"success": True, "time": 1772439480000, "lastLocation": [13.4, 52.5], "failureReason": "NONE"}
    failed = {"success": False, "time": 1772439480000, "failureReason": "NO_ANSWER"}

    delivered = read(
        "onfleet", {"triggerName": "taskCompleted", "data": {"task": {"id": "t", "completionDetails": done}}}
    )
    missed = read("onfleet", {"triggerName": "taskFailed", "data": {"task": {"id": "t", "completionDetails": failed}}})

    assert delivered.rows[1][1] == {
        "delivery_id": "t", "event": "delivered", "occurred_at": "2026-03-02T08:18:00+00:00", "lon": 13.4, "lat": 52.5,
        "status_source": "driver",
    }  # fmt: skip
    assert (missed.rows[1][1]["event"], missed.rows[1][1]["reason"]) == ("not_completed", "recipient_unavailable")


def test_a_deleted_task_is_cancelled_and_a_workers_duty_is_nothing_to_the_tower():
    deleted = read("onfleet", {"triggerName": "taskDeleted", "time": 1772439480, "data": {"task": {"id": "t"}}})
    duty = read("onfleet", {"triggerName": "workerDuty", "data": {"worker": {"id": "w"}}})

    assert (deleted.rows[1][1]["event"], deleted.rows[1][1]["occurred_at"]) == (
        "cancelled",
        "2026-03-02T08:18:00+00:00",
    )
    assert (duty.rows, duty.passed_over) == ([], 1)


# EPCIS


def observed(**more: object) -> dict:
    return {
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-03-02T09:18:00+01:00",
        "eventTimeZoneOffset": "+01:00", "epcList": ["urn:epc:id:sscc:0614141.1234567890"],
    } | more  # fmt: skip


def document(*events: dict) -> dict:
    return {"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": list(events)}}


@pytest.mark.parametrize(
    ("step", "event"),
    [
        ("departing", "departed_depot"),
        ("urn:epcglobal:cbv:bizstep:arriving", "arrived"),
        ("https://ref.gs1.org/cbv/BizStep-accepting", "delivered"),
        ("cbv:BizStep-loading", "loaded"),
        ("void_shipping", "cancelled"),
        ("commissioning", "commissioning"),
    ],
)
def test_a_business_step_in_any_of_its_forms_becomes_an_event(step, event):
    assert [row["event"] for _, row in read("epcis", document(observed(bizStep=step))).rows] == [event]


@pytest.mark.parametrize(
    ("about", "numbers"),
    [
        ({}, ["106141412345678908"]),
        ({"epcList": ["https://id.gs1.org/00/106141412345678908"]}, ["106141412345678908"]),
        ({"epcList": ["urn:x:a", "urn:x:b"]}, ["urn:x:a", "urn:x:b"]),
        ({"parentID": "urn:epc:id:sscc:0614141.1234567890", "epcList": []}, ["106141412345678908"]),
        (
            {"bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"}]},
            ["1152"],
        ),
        ({"epcList": ["urn:lastmile:delivery:erp%3AD-1"]}, ["D-1"]),
    ],
)
def test_an_epcis_event_is_about_the_despatch_the_parent_or_each_epc(about, numbers):
    rows = read("epcis", document(observed(bizStep="arriving", **about))).rows

    assert [row["delivery_id"] for _, row in rows] == numbers


def test_temperatures_of_sensor_reports_become_readings_in_celsius():
    reports = [
        {"type": "Temperature", "value": 4.5, "uom": "CEL"}, {"type": "gs1:MT-Temperature", "value": 41.0, "uom": "FAH"},
        {"type": "gs1:Humidity", "value": 12.1, "uom": "A93"},
    ]  # fmt: skip
    element = {"sensorMetadata": {"time": "2026-03-02T09:00:00+01:00", "deviceID": "urn:d:1"}, "sensorReport": reports}

    rows = read("epcis", observed(bizStep="sensor_reporting", sensorElementList=[element])).rows

    assert [(kind, row["celsius"], row["occurred_at"], row["actor"]) for kind, row in rows] == [
        ("condition-readings", 4.5, "2026-03-02T09:00:00+01:00", "urn:d:1"),
        ("condition-readings", 5.0, "2026-03-02T09:00:00+01:00", "urn:d:1"),
    ]


def test_an_error_declaration_corrects_the_event_of_the_same_id():
    wrong = {"declarationTime": "2026-03-02T12:00:00Z", "reason": "did_not_occur"}

    rows = read("epcis", observed(eventID="urn:uuid:1", bizStep="accepting", errorDeclaration=wrong)).rows

    assert rows == [
        (
            "events",
            {
                "event_key": "urn:uuid:1 was wrong", "delivery_id": "106141412345678908", "event": "corrected",
                "corrects": "urn:uuid:1", "occurred_at": "2026-03-02T12:00:00Z", "why": "did_not_occur",
            },
        )
    ]  # fmt: skip


def test_an_id_that_holds_in_one_document_only_is_no_key():
    assert "event_key" not in read("epcis", observed(eventID="_:event1", bizStep="arriving")).rows[0][1]


def test_what_epcis_can_not_be_read_from_is_told():
    adapted = read("epcis", document({"type": "Party"}, observed(epcList=[])))

    assert [part.field for part in adapted.unread] == ["type", "epcList"]
    with pytest.raises(BadBody, match="EPCISDocument"):
        read("epcis", "7")


def test_a_document_holds_what_happened_and_leaves_out_plans_and_what_was_corrected():
    at = datetime(2026, 3, 2, 8, 18, tzinfo=UTC)
    told = {
        "event_id": "00000000-0000-0000-0000-000000000001", "type": "delivered", "classifier": "ACT", "occurred_at": at,
        "recorded_at": at, "reason": None, "status_source": "driver", "actor": None, "route_id": None, "vehicle_id": "V-3",
        "lon": 13.4, "lat": 52.5, "payload": '{"handed_to":"recipient"}', "is_corrected": False, "is_correction": False,
    }  # fmt: skip
    events = [told, told | {"classifier": "PLN"}, told | {"is_corrected": True}, told | {"is_correction": True}]

    document = epcis_document("erp:D-1", events, at)

    assert document["epcisBody"]["eventList"] == [
        {
            "type": "ObjectEvent",
            "eventID": "urn:uuid:00000000-0000-0000-0000-000000000001",
            "eventTime": "2026-03-02T08:18:00.000Z",
            "recordTime": "2026-03-02T08:18:00.000Z",
            "eventTimeZoneOffset": "+00:00",
            "epcList": ["urn:lastmile:delivery:erp%3AD-1"],
            "action": "OBSERVE",
            "bizStep": "accepting",
            "readPoint": {"id": "geo:52.5,13.4"},
            "lastmile:event": "delivered",
            "lastmile:status_source": "driver",
            "lastmile:vehicle_id": "V-3",
            "lastmile:payload": {"handed_to": "recipient"},
        }
    ]


# Traccar


def test_a_position_that_traccar_forwards_has_its_fix_time_and_its_speed_in_kmh():
    said = {
        "device": {"id": 7, "name": "Van 3", "uniqueId": "V-3", "status": "online"},
        "position": {
            "id": 18336, "deviceId": 7, "protocol": "osmand", "serverTime": "2026-03-02T08:18:09.000+0000",
            "deviceTime": "2026-03-02T08:18:00.000+0000", "fixTime": "2026-03-02T08:18:00.000+0000", "outdated": False,
            "valid": True, "latitude": 52.55021, "longitude": 13.37308, "altitude": 34.0, "speed": 10.0, "course": 90.0,
            "accuracy": 0.0, "attributes": {"driverUniqueId": "DR-2"},
        },
    }  # fmt: skip

    assert read("traccar", said).rows == [
        (
            "positions",
            {
                "vehicle_id": "V-3", "occurred_at": "2026-03-02T08:18:00+00:00", "lon": 13.37308, "lat": 52.55021,
                "speed_kmh": 18.52, "actor": "DR-2",
            },
        )
    ]  # fmt: skip


def test_a_fix_that_the_device_calls_invalid_is_passed_over():
    assert read("traccar", {"device": {"uniqueId": "V"}, "position": {"valid": False}}).passed_over == 1


def test_the_phone_app_sends_its_speed_in_metres_a_second():
    coords = {"latitude": 52.5, "longitude": 13.4, "accuracy": 6, "speed": 10.0, "heading": 0}
    said = {"location": {"timestamp": "2026-03-02T08:18:00.000Z", "coords": coords}, "device_id": "48241179"}

    assert read("traccar", said).rows[0][1]["speed_kmh"] == 36.0
    assert (
        "speed_kmh"
        not in read("traccar", said | {"location": said["location"] | {"coords": coords | {"speed": -1}}}).rows[0][1]
    )


@pytest.mark.parametrize(
    ("timestamp", "instant"),
    [
        ("1772439480", "2026-03-02T08:18:00+00:00"),
        ("1772439480000", "2026-03-02T08:18:00+00:00"),
        ("2026-03-02T09:18:00+01:00", "2026-03-02T09:18:00+01:00"),
        ("2026-03-02 08:18:00", "2026-03-02T08:18:00+00:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_an_osmand_query_is_a_position(timestamp, instant):
    query = {"id": "V-3", "lat": "52.5", "lon": "13.4", "timestamp": timestamp, "speed": "10", "accuracy": "5"}

    assert osmand(query).rows == [
        (
            "positions",
            {
                "vehicle_id": "V-3",
                "occurred_at": instant,
                "lon": 13.4,
                "lat": 52.5,
                "accuracy_m": 5.0,
                "speed_kmh": 18.52,
            },
        )
    ]


# All of them


@pytest.mark.parametrize("format", FORMATS)
def test_the_example_of_a_format_is_read_without_a_rest(format):
    adapted = read(format, FORMATS[format].example)

    assert adapted.rows and not adapted.unread
    assert {kind for kind, _ in adapted.rows} <= set(FORMATS[format].kinds)


STRANGE = [None, True, 0, -1e300, "", "x", [], {}, [[]], {"type": []}, {"epcisBody": 5}, {"location": {"coords": []}}]


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "x12-214"])
@pytest.mark.parametrize("strange", STRANGE, ids=repr)
def test_no_strange_value_in_a_message_breaks_an_adapter(format, strange):
    """Each value of the example in turn is replaced by something else: read, left unread or refused, but never a crash."""
    for said in [strange, [strange], *replaced(json.loads(FORMATS[format].example), strange)]:
        with suppress(BadBody):
            assert read(format, said) is not None


def replaced(value: object, strange: object):
    """A JSON value with each of its parts in turn replaced."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield value | {name: strange}
            yield from (value | {name: other} for other in replaced(part, strange))
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in [strange, *replaced(part, strange)])
