"""Ids, numbers, places, words and lists as files write them."""

from __future__ import annotations

import json

import pytest

from lastmile.ingest.placing import place_of_zone
from lastmile.model import Event, EventType
from tests.ingesting import ORDERS, TOLD, columns, seen, utc, written

PLACED = ORDERS + columns(lon="lon", lat="lat")


def booked(tmp_path, text, mapping):
    result = seen(written(tmp_path, text), mapping)
    return result.rows, result


def test_lon_and_lat_that_lie_by_the_zones_city_when_exchanged_look_swapped(tmp_path):
    rows, result = booked(tmp_path, "id,lon,lat\n1,13.4,52.5\n2,52.5,13.4\n", PLACED)
    assert [(row["b_lon"], row["b_lat"]) for row in rows] == [(13.4, 52.5)]
    assert result.refused[0][0] == 3 and result.kinds == ["lon and lat look swapped"]
    assert result.refused[0][2][0]["value"] == "52.5, 13.4"


def test_a_latitude_above_ninety_looks_swapped_in_any_zone(tmp_path):
    _, result = booked(tmp_path, "id,lon,lat\n1,31.2,121.5\n", PLACED.replace("Europe/Berlin", "UTC"))
    assert result.kinds == ["lon and lat look swapped"]


def test_a_mapping_may_mend_swapped_coordinates(tmp_path):
    rows, _ = booked(tmp_path, "id,lon,lat\n1,52.5,13.4\n", "swapped_coordinates = true\n" + PLACED)
    assert (rows[0]["b_lon"], rows[0]["b_lat"]) == (13.4, 52.5)


def test_coordinates_off_the_globe_are_refused(tmp_path):
    _, result = booked(tmp_path, "id,lon,lat\n1,513.4,52.5\n", PLACED)
    assert result.kinds == ["these coordinates are not on the globe"]


def test_zero_zero_and_half_a_pair_are_an_unknown_place_and_counted(tmp_path):
    rows, result = booked(tmp_path, "id,lon,lat\n1,0,0\n2,0.0,0.000\n3,13.4,\n4,13.4,52.5\n", PLACED)
    assert [(row["b_lon"], row["b_lat"]) for row in rows] == [(None, None)] * 3 + [(13.4, 52.5)]
    assert result.checked.notes == {"unknown_place": 3}


@pytest.mark.parametrize("cell", ["52.5, 13.4", "[52.5,13.4]", "(52.5 13.4)", "52.5;13.4"])
def test_both_coordinates_may_stand_in_one_cell(tmp_path, cell):
    rows, _ = booked(tmp_path, f'id,place\n1,"{cell}"\n', ORDERS + columns(place="place"))
    assert (rows[0]["b_lon"], rows[0]["b_lat"]) == (13.4, 52.5)


def test_one_cell_may_hold_lon_before_lat(tmp_path):
    rows, _ = booked(
        tmp_path, 'id,place\n1,"[13.4, 52.5]"\n', ORDERS + columns(place='{ column = "place", order = "lon,lat" }')
    )
    assert (rows[0]["b_lon"], rows[0]["b_lat"]) == (13.4, 52.5)


def test_decimal_commas_and_grouped_thousands(tmp_path):
    mapping = 'decimal = ","\n' + PLACED + columns(weight_kg="kg")
    rows, _ = booked(tmp_path, "id;lon;lat;kg\n1;13,4;52,5;1.234,5\n2;13,4;52,5;12\n", mapping)
    assert [(row["b_lon"], row["b_lat"], row["b_weight_kg"]) for row in rows] == [
        (13.4, 52.5, 1234.5),
        (13.4, 52.5, 12.0),
    ]
    rows, _ = booked(tmp_path, 'id,kg\n1,"1,234.5"\n2,12.5\n', ORDERS + columns(weight_kg="kg"))
    assert [row["b_weight_kg"] for row in rows] == [1234.5, 12.5]


def test_what_is_no_number_and_what_is_below_zero_is_refused(tmp_path):
    rows, result = booked(tmp_path, "id,kg\n1,heavy\n2,-3\n3,inf\n4,nan\n", ORDERS + columns(weight_kg="kg"))
    assert [row["b_delivery_id"] for row in rows] == ["shop:4"] and rows[0]["b_weight_kg"] is None
    assert result.kinds == ["this is not a number", "this must not be below zero", "this is not a number"]


def test_units_are_converted_to_those_of_the_ledger(tmp_path):
    mapping = ORDERS + columns(
        weight_kg='{ column = "w", unit = "lb" }', service_minutes='{ column = "s", unit = "s" }'
    )
    rows, _ = booked(tmp_path, "id,w,s\n1,10,90\n", mapping)
    assert rows[0]["b_weight_kg"] == pytest.approx(4.5359237) and rows[0]["b_service_minutes"] == pytest.approx(1.5)


@pytest.mark.parametrize(("unit", "kmh"), [("kn", 18.52), ("mph", 16.09344), ("m/s", 36.0), ("km/h", 10.0)])
def test_speeds_come_in_knots_miles_and_metres(tmp_path, unit, kmh):
    mapping = 'name = "gps"\nkind = "positions"\nsource = "gps"\nzone = "UTC"\n[columns]\n' + columns(
        vehicle_id="device", time="at", lon="lon", lat="lat", speed_kmh=f'{{ column = "speed", unit = "{unit}" }}'
    )
    rows, _ = booked(tmp_path, "device,at,lon,lat,speed\nV1,2026-01-15 08:00,13.4,52.5,10\n", mapping)
    assert json.loads(rows[0]["e0_payload"])["speed_kmh"] == pytest.approx(kmh)
    assert rows[0]["e0_type"] == "position" and rows[0]["e0_vehicle_id"] == "V1"


def test_miles_become_kilometres(tmp_path):
    mapping = (
        'name = "r"\nkind = "routes"\nsource = "r"\nzone = "UTC"\n[constants]\ndepot_id = "north"\n[columns]\n'
        + columns(
            route_id="route", vehicle_id="van", key="id", arrive_at="at", distance_km='{ column = "mi", unit = "mi" }'
        )
    )
    rows, _ = booked(tmp_path, "route,van,id,at,mi\nR1,V1,D1,2026-01-15 08:00,10\n", mapping)
    assert rows[0]["r_distance_km"] == pytest.approx(16.09344)


def test_an_id_in_scientific_notation_is_refused_by_name(tmp_path):
    rows, result = booked(tmp_path, "id\n1.23457E+12\n4E+10\n12E4\n", ORDERS)
    assert [row["b_delivery_id"] for row in rows] == ["shop:12E4"]
    assert all("scientific notation" in problem for problem in result.kinds) and len(result.kinds) == 2


def test_keys_with_a_hash_are_kept_as_they_stand(tmp_path):
    rows, _ = booked(tmp_path, "id\n#1001\n 007 \n", ORDERS)
    assert [row["b_delivery_id"] for row in rows] == ["shop:#1001", "shop:007"]


def test_postal_codes_get_their_zeros_back_where_the_mapping_gives_the_length(tmp_path):
    mapping = ORDERS + columns(address="street", postcode='{ column = "zip", length = 5 }')
    rows, result = booked(tmp_path, "id,street,zip\n1,Main St 1,2115\n2,Main St 2,02115\n3,Main St 3,\n", mapping)
    assert [row["b_address"] for row in rows] == ["Main St 1, 02115", "Main St 2, 02115", "Main St 3"]
    assert result.checked.notes == {"postcode_mended": 1}


def test_nothing_words_are_nothing_in_texts_too(tmp_path):
    rows, _ = booked(
        tmp_path, "id,r\n1,NONE\n2,N/A\n3,-\n4,Nora\n5,null\n6,#N/A\n7,Nan Goldin\n", ORDERS + columns(recipient="r")
    )
    assert [row["b_recipient"] for row in rows] == [None, None, None, "Nora", None, None, "Nan Goldin"]


@pytest.mark.parametrize("cell", ["cold_chain|tail_lift", "cold_chain; tail_lift", '["cold_chain"|"tail_lift"]'])
def test_lists_inside_a_cell_are_divided(tmp_path, cell):
    rows, _ = booked(tmp_path, 'id,s\n1,"' + cell.replace('"', '""') + '"\n2,\n', ORDERS + columns(skills="s"))
    assert [row["b_skills"] for row in rows] == [["cold_chain", "tail_lift"], None]


def test_an_unknown_word_is_refused_and_a_mapped_one_is_taken(tmp_path):
    mapping = ORDERS + columns(kind="t") + '[words.kind]\nD = "delivery"\nP = "pickup"\n'
    rows, result = booked(tmp_path, "id,t\n1,P\n2,d\n3,pickup\n4,X\n5,\n", mapping)
    assert [row["b_kind"] for row in rows] == ["pickup", "delivery", "pickup", "delivery"]
    assert [(row, problem[0]["value"]) for row, _, problem in result.refused] == [(5, "X")]


def test_a_row_without_its_id_is_refused(tmp_path):
    rows, result = booked(tmp_path, "id,r\n,Nora\n2,Ina\n", ORDERS + columns(recipient="r"))
    assert len(rows) == 1 and result.kinds == ["nothing stands here"]


def test_a_refused_row_is_kept_whole_with_all_that_is_wrong(tmp_path):
    mapping = PLACED + columns(weight_kg="kg")
    _, result = booked(tmp_path, "id,lon,lat,kg,colour\n,999,0,heavy,N/A\n", mapping)
    [(row, raw, problems)] = result.refused
    assert row == 2 and raw == {"id": None, "lon": "999", "lat": "0", "kg": "heavy", "colour": "N/A"}
    assert sorted(problem["problem"] for problem in problems) == [
        "nothing stands here", "these coordinates are not on the globe", "this is not a number",
    ]  # fmt: skip
    assert all(problem["remedy"] for problem in problems)


def test_a_status_that_the_map_does_not_know_is_kept_as_unmapped(tmp_path):
    text = "id,event,at\nD1,delivered,2026-01-15 08:00\nD1,teleported,2026-01-15 09:00\nD1,skipped,2026-01-15 09:00\n"
    result = seen(written(tmp_path, text), TOLD)
    assert [row["e0_type"] for row in result.rows] == ["delivered", "unmapped", "skipped"]
    assert json.loads(result.rows[1]["e0_payload"]) == {"status": "teleported"}
    assert result.checked.notes == {"unmapped": 1}


def test_the_status_map_speaks_the_files_words_without_regard_to_case(tmp_path):
    mapping = (
        TOLD.replace("statuses_are_event_types = true\n", "") + '[status]\nDone = "delivered"\n"On hold" = "nothing"\n'
    )
    text = "id,event,at\nD1,DONE,2026-01-15 08:00\nD2,On hold,2026-01-15 08:00\nD3,delivered,2026-01-15 08:00\n"
    result = seen(written(tmp_path, text), mapping)
    assert [row["e0_type"] for row in result.rows] == ["delivered", None, "unmapped"]


def test_reasons_are_mapped_and_unknown_ones_are_other_with_their_words(tmp_path):
    mapping = TOLD + columns(reason="why") + '[reason]\n"not home" = "recipient_unavailable"\nNA = "nothing"\n'
    text = (
        "id,event,at,why\nD1,not_completed,2026-01-15 08:00,Not home\nD2,refused,2026-01-15 08:00,moon phase\n"
        "D3,refused,2026-01-15 08:00,weather\nD4,refused,2026-01-15 08:00,\n"
    )
    result = seen(written(tmp_path, text), mapping)
    assert [row["e0_reason"] for row in result.rows] == ["recipient_unavailable", "other", "weather", None]
    assert json.loads(result.rows[1]["e0_payload"]) == {"reason": "moon phase"}
    assert result.checked.notes == {"unmapped_reason": 1}


def test_every_event_type_may_be_named_as_it_is(tmp_path):
    text = "id,event,at\n" + "".join(f"D1,{event},2026-01-15 08:00\n" for event in EventType)
    assert [row["e0_type"] for row in seen(written(tmp_path, text), TOLD).rows] == list(EventType)


def test_payloads_hold_what_a_handover_says(tmp_path):
    mapping = TOLD + columns(
        handed_to="to", lines_delivered="n", proof="p", documents_right="ok", service_started_at="from"
    )
    text = (
        "id,event,at,to,n,p,ok,from\nD1,delivered,2026-01-15 08:00,neighbour,2,photo|signature,no,2026-01-15 07:55\n"
        "D2,delivered,2026-01-15 08:00,,,,,\n"
    )
    first, second = seen(written(tmp_path, text), mapping).rows
    assert json.loads(first["e0_payload"]) == {
        "handed_to": "neighbour", "lines_delivered": 2.0, "proof": ["photo", "signature"], "documents_right": False,
        "service_started_at": "2026-01-15T06:55:00.000000Z",
    }  # fmt: skip
    assert second["e0_payload"] is None


def test_an_event_without_a_subject_a_time_or_a_status_is_refused(tmp_path):
    text = "id,event,at\n,arrived,2026-01-15 08:00\nD1,,2026-01-15 08:00\nD1,arrived,\n"
    result = seen(written(tmp_path, text), TOLD)
    assert result.rows == [] and [row for row, _, _ in result.refused] == [2, 3, 4]


def test_a_device_clock_behind_the_server_is_counted(tmp_path):
    mapping = TOLD + columns(recorded_at="got")
    text = (
        "id,event,at,got\nD1,arrived,2026-01-15 08:00,2026-01-15 07:59\nD2,arrived,2026-01-15 08:00,2026-01-15 08:01\n"
    )
    result = seen(written(tmp_path, text), mapping)
    assert result.checked.notes == {"recorded_before": 1}
    assert result.rows[1]["e0_recorded_at"] == utc("2026-01-15T07:01")


def test_a_zones_city_is_known_from_the_tz_database():
    lon, lat = place_of_zone("Europe/Berlin")
    assert (round(lon, 2), round(lat, 2)) == (13.37, 52.5)
    assert place_of_zone("UTC") is None


def test_sites_west_of_greenwich_and_south_of_the_equator_are_taken(tmp_path):
    mapping = ORDERS.replace("Europe/Berlin", "UTC") + columns(lon="lon", lat="lat")
    result = seen(written(tmp_path, "id,lon,lat\n1,-73.9,40.7\n2,-58.4,-34.6\n3,-0.1,51.5\n"), mapping)
    assert result.refused == []
    assert [(row["b_lon"], row["b_lat"]) for row in result.rows] == [(-73.9, 40.7), (-58.4, -34.6), (-0.1, 51.5)]


@pytest.mark.parametrize(
    "word", ["", " ", "None", "n/a", "NA", "-", "--", "nan", "NULL", "nil", "#N/A", " - ", "0000-00-00"]
)
def test_each_word_for_nothing_is_nothing_and_what_only_looks_like_one_stands(tmp_path, word):
    said = [word, f"{word.strip()}xy", "0", "-5", "0.5", "north", "Nina", "-7 gate", "0000-01-01", " wide "]
    text = "id,note\n" + "".join(f'{i},"{cell}"\n' for i, cell in enumerate(said))
    result = seen(written(tmp_path, text), ORDERS + columns(notes="note"))
    assert [row["b_notes"] for row in result.rows] == [None, f"{word.strip()}xy", *said[2:-1], "wide"]


def test_the_ids_made_in_the_database_are_those_of_python(tmp_path):
    text = "id,van,event,at,key\nä·1,V1,loaded,2026-03-01 08:00:00,\n,V1,position,2026-03-01 09:00:00.123457,\n2,,loaded,2026-03-01 10:00:00,k7\n"
    mapping = TOLD.replace("Europe/Berlin", "UTC") + columns(vehicle_id="van", event_key="key")
    result = seen(written(tmp_path, text), mapping)
    at = [row["e0_occurred_at"] for row in result.rows]
    assert [row["e0_event_id"] for row in result.rows] == [
        Event(EventType.LOADED, at[0], at[0], "scans", delivery_id="scans:ä·1").event_id,
        Event(EventType.POSITION, at[1], at[1], "scans", vehicle_id="V1").event_id,
        Event(EventType.LOADED, at[2], at[2], "scans", delivery_id="scans:2", key="k7").event_id,
    ]
