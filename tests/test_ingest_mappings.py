"""Mappings as small files: what they may say, how they are written, and how one is guessed."""

from __future__ import annotations

import duckdb
import pytest

from lastmile.exporting import csv_bytes, neutralize
from lastmile.ingest import BadMapping, dump, guess, load, mappings, named, parse, save
from lastmile.ingest.fields import COLUMNS
from lastmile.ingest.guessing import words_of
from tests.ingesting import ORDERS, TOLD, columns, written


@pytest.mark.parametrize("name", list(mappings()))
def test_every_shipped_mapping_is_written_and_read_back_the_same(name, tmp_path):
    mapping = mappings()[name]
    again = save(mapping, tmp_path / "copy.toml")
    assert load(tmp_path / "copy.toml") == again
    for part in (
        "kind",
        "source",
        "zone",
        "columns",
        "constants",
        "status",
        "reason",
        "words",
        "events",
        "drop",
        "hash",
        "year",
    ):
        assert getattr(again, part) == getattr(mapping, part)


def test_the_mapping_shipped_for_each_known_export():
    assert {"lade_pickups", "lade_deliveries", "optimoroute", "onfleet", "samsara"} <= mappings().keys()
    assert {
        f"own_{kind}" for kind in ("orders", "routes", "events", "positions", "vehicles", "milestones")
    } <= mappings().keys()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('kind = "orders"\nsource = "s"', "name is missing"),
        (ORDERS.replace('"orders"', '"parcels"'), "kind = 'parcels' is not known; use one of 'orders'"),
        ("colour = 1\n" + ORDERS, "'colour' is not known; allowed are"),
        (ORDERS.replace("Europe/Berlin", "Berlin"), "zone = 'Berlin' is not an IANA zone"),
        (ORDERS + 'kilos = "kg"', r"columns: 'kilos' is not known; allowed are .*weight_kg"),
        (ORDERS + columns(weight_kg='{ column = "w", unit = "stone" }'), "columns.weight_kg: unit = 'stone' is not known; use one of kg, lb"),
        (ORDERS + columns(weight_kg='{ unit = "lb" }'), "columns.weight_kg needs exactly one of column"),
        (ORDERS.replace('key = "id"', 'address = "a"'), "columns.key is missing; a mapping of orders needs key"),
        (ORDERS.replace('window_semantics = "service_end"\n', "") + 'window_due = "d"', "window_semantics is missing"),
        (ORDERS + '[[event]]\ntype = "beamed"\ntime = "t"', "event 1: type = 'beamed' is not an event"),
        (ORDERS + '[[event]]\ntype = "delivered"', "event 1 needs time"),
        (ORDERS + '[[event]]\ntime = "t"', "event 1 needs either type"),
        (TOLD + '[status]\ndone = "finished"', "status.'done' = 'finished' is not an event"),
        (TOLD + '[reason]\nx = "laziness"', "reason.'x' = 'laziness' is not a reason"),
        ("year = true\n" + ORDERS, "year = True must be of type int"),
        ("name = ", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_mapping_that_is_wrong_says_where_and_what_is_allowed(text, says):
    with pytest.raises(BadMapping, match=says):
        parse(text)


def test_an_unknown_name_lists_the_mappings_that_there_are():
    with pytest.raises(BadMapping, match=r"There is no mapping 'lade'; there are .*lade_pickups"):
        named("lade")


def test_odd_texts_survive_being_written():
    text = ORDERS + columns(recipient='q"uo\\te', address='{ columns = ["Straße, Nr.", "a.b"] }')
    assert parse(dump(parse(text))).columns == parse(text).columns


def test_every_field_says_what_it_means():
    assert all(field.meaning for fields in COLUMNS.values() for field in fields.values())


# The guess


def guessed(tmp_path, text, name="new.csv"):
    with duckdb.connect() as connection:
        return guess(connection, written(tmp_path, text, name))


def test_a_known_export_is_recognised_by_its_columns(tmp_path):
    for mapping in mappings().values():
        header = ",".join(f'"{column}"' for column in mapping.recognise)
        found = guessed(tmp_path, f"{header}\n{','.join(['1'] * len(mapping.recognise))}\n")
        assert found.known == mapping.name and found.confidence == 1.0


def test_an_order_file_is_guessed_from_its_headers(tmp_path):
    text = "Order Number,Customer Name,Street,ZIP,Latitude,Longitude,Weight (lbs),Window Start,Window End,Updated At\n" \
           "#1001,Ina,Main St 1,02115,42.3,-71.1,10,01/25/2026 08:00,01/25/2026 10:00,01/25/2026 11:00\n"  # fmt: skip
    found = guessed(tmp_path, text)
    got = {field: spec.columns[0] for field, spec in found.mapping.columns.items()}
    assert found.mapping.kind == "orders" and found.mapping.date_order == "month_first" and found.mapping.zone is None
    assert got | {"key": "Order Number", "lat": "Latitude", "lon": "Longitude", "window_from": "Window Start",
                  "window_due": "Window End", "recipient": "Customer Name", "address": "Street", "postcode": "ZIP"} == got  # fmt: skip
    assert found.mapping.columns["weight_kg"].unit == "lb"
    assert any(question.startswith("zone:") for question in found.questions)


def test_updated_at_is_never_taken_for_a_completion(tmp_path):
    found = guessed(tmp_path, "Order ID,Address,Updated At\n1,a,2026-01-25 08:00\n")
    assert found.mapping.kind == "orders" and found.mapping.events == ()
    found = guessed(tmp_path, "Order ID,Address,Completed At\n1,a,2026-01-25 08:00\n")
    assert [entry.type for entry in found.mapping.events] == ["delivered"]


def test_positions_are_told_by_speed_and_knots_by_the_header(tmp_path):
    found = guessed(tmp_path, "deviceId,fixTime,latitude,longitude,speedKn\n7,2026-01-25T08:00:00Z,52.5,13.4,12\n")
    assert found.mapping.kind == "positions" and found.mapping.columns["time"].columns == ("fixTime",)


def test_swapped_coordinates_and_decimal_commas_are_seen(tmp_path):
    found = guessed(tmp_path, "order id;lat;lon\n1;121,5;31,2\n2;121,6;31,3\n")
    assert found.mapping.decimal == "," and found.mapping.swapped_coordinates
    assert any("swapped" in question for question in found.questions)


def test_personal_columns_are_offered_for_dropping_or_hashing(tmp_path):
    found = guessed(tmp_path, "order id,password,phone number\n1,x,5\n")
    assert found.mapping.drop == ("password",) and found.mapping.hash == ("phone number",)


def test_statuses_are_asked_for_not_guessed(tmp_path):
    found = guessed(tmp_path, "delivery id,status,timestamp\n1,Zugestellt,2026-01-25T08:00:00Z\n")
    assert found.mapping.kind == "events" and found.mapping.status == {}
    assert any("Zugestellt" in question for question in found.questions)


def test_a_guess_without_what_it_needs_says_so(tmp_path):
    found = guessed(tmp_path, "latitude,longitude,speed\n52.5,13.4,40\n")
    assert found.mapping is None and found.confidence < 0.3
    assert found.missing == "columns.time is missing; a mapping of positions needs time, vehicle_id"
    assert found.missing not in found.questions


def test_a_table_of_something_else_is_told_from_a_file_that_lacks_a_column(tmp_path):
    found = guessed(tmp_path, "dish,taste\nsoup,salty\n", "menu.csv")
    assert found.mapping is None
    assert found.missing.startswith("No column of menu.csv is known by its name ('dish', 'taste')")


def test_headers_are_read_as_words():
    assert words_of("PickupGPS_lng") == "pickup gps lng" or words_of("pickup_gps_lng") == "pickup gps lng"
    assert words_of("Weight (lbs)") == "weight lbs" and words_of("deviceId") == "device id"


# Exports


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "--5"])
def test_cells_that_a_spreadsheet_would_run_are_neutralized(cell):
    assert neutralize(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["-5", "+49.5", "-1,234.5", "1e-5", "plain", "", 5, -5.0, None])
def test_numbers_and_plain_texts_are_left_alone(cell):
    assert neutralize(cell) == cell


def test_a_csv_export_is_safe_and_keeps_its_numbers():
    import pandas as pd

    data = csv_bytes(pd.DataFrame({"=x": ["=1", "a"], "n": [-1.5, 2.0]}))
    assert data.decode("utf-8-sig").splitlines() == ["'=x,n", "'=1,-1.5", "a,2.0"]
