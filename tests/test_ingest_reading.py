"""Files of every common kind, whole and broken, become rows of text; what can't be read says so."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lastmile.ingest import reading_csv
from lastmile.ingest.errors import UnreadableFile
from lastmile.ingest.opened import Reading
from lastmile.ingest.reading import read_file
from tests.ingesting import ORDERS, TOLD, columns, seen, written

ROWS = [("1", "Müller"), ("2", "Ångström")]
TEXT = "id,r\n1,Müller\n2,Ångström\n"


def rows_of(path, reading=None, rows=None):
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        opened = read_file(connection, path, reading, rows)
        return opened.header, connection.execute("from file_row").fetchall()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter_in_any_encoding(tmp_path, encoding, delimiter):
    path = written(tmp_path, TEXT.replace(",", delimiter), encoding=encoding)
    assert rows_of(path) == (("id", "r"), ROWS)


def test_carriage_returns_and_quoted_line_breaks(tmp_path):
    path = written(tmp_path, 'id,r\r\n1,"two\r\nlines"\r\n2,"a, b"\r\n')
    assert rows_of(path)[1] == [("1", "two\r\nlines"), ("2", "a, b")]


def test_json_lines_and_json_arrays_give_paths_as_columns(tmp_path):
    records = [{"id": 1, "to": {"city": "Bonn", "geo": [7.1, 50.7]}}, {"id": "2", "extra": True}]
    header = ("id", "to.city", "to.geo", "extra")
    expected = [("1", "Bonn", "[7.1,50.7]", None), ("2", None, None, "true")]
    assert rows_of(written(tmp_path, "\n".join(map(json.dumps, records)), "a.jsonl")) == (header, expected)
    assert rows_of(written(tmp_path, json.dumps(records, indent=1), "a.json")) == (header, expected)


def test_records_inside_a_json_document(tmp_path):
    path = written(tmp_path, json.dumps({"page": 1, "data": {"tasks": [{"id": 1}, {"id": 2}]}}), "a.json")
    assert rows_of(path, Reading(records="data.tasks")) == (("id",), [("1",), ("2",)])


def test_a_broken_json_line_goes_to_quarantine_whole(tmp_path):
    result = seen(written(tmp_path, '{"id": 1}\n{"id": 2\n{"id": 3}\n', "a.jsonl"), ORDERS)
    assert [row["b_delivery_id"] for row in result.rows] == ["shop:1", "shop:3"]
    assert [(row, raw) for row, raw, _ in result.refused] == [(2, {"row as it stands": '{"id": 2'})]
    assert (result.checked.rows, result.checked.refused) == (3, 1)


def test_broken_json_arrays_name_the_file(tmp_path):
    with pytest.raises(UnreadableFile, match=r"a\.json is not valid JSON"):
        rows_of(written(tmp_path, '[{"id": 1}, {"id": ]', "a.json"))


def test_parquet_keeps_its_values_as_text(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [1, 2], "r": ["Müller", "Ångström"]}), path)
    assert rows_of(path) == (("id", "r"), ROWS)


def test_excel_gives_whole_numbers_without_a_point_and_times_as_iso(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["id", "r", "at"],
        [1, "Müller", datetime(2026, 1, 15, 8, 0, tzinfo=UTC).replace(tzinfo=None)],
        [2, "Ångström", None],
    ):
        book.active.append(row)
    book.create_sheet("second").append(["x"])
    book.save(tmp_path / "a.xlsx")
    assert rows_of(tmp_path / "a.xlsx") == (
        ("id", "r", "at"),
        [("1", "Müller", "2026-01-15 08:00:00"), ("2", "Ångström", None)],
    )
    with pytest.raises(UnreadableFile, match="has no sheet 'third'; it has Sheet, second"):
        rows_of(tmp_path / "a.xlsx", Reading(sheet="third"))
    with pytest.raises(UnreadableFile, match="header and no row"):
        rows_of(tmp_path / "a.xlsx", Reading(sheet="second"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"   \n\n", "is empty"),
        (b"id,r\n", "a header and no row"),
        (bytes(range(256)) * 40, "not a text file"),
        (random.Random(7).randbytes(5000), "not a text file"),
        (b"PK\x03\x04 something", "archive or a workbook"),
        (b"PAR1 not really", "not a whole Parquet file"),
    ],
)  # fmt: skip
def test_what_is_no_table_names_the_file_and_the_remedy(tmp_path, content, says):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=rf"odd\.csv.*{says}"):
        rows_of(path)


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_never_end_in_a_traceback_of_the_database(tmp_path, seed):
    random_bytes = random.Random(seed)
    path = tmp_path / f"odd{random_bytes.choice(['.csv', '.json', '.jsonl', '.xlsx', '.parquet'])}"
    path.write_bytes(random_bytes.randbytes(3000))
    with pytest.raises(UnreadableFile, match="odd"):
        rows_of(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UnreadableFile, match=r"There is no file .*gone\.csv"):
        rows_of(tmp_path / "gone.csv")


def test_two_hundred_columns_are_read(tmp_path):
    header = ["id"] + [f"x{i}" for i in range(199)]
    text = ",".join(header) + "\n" + ",".join(map(str, range(200))) + "\n"
    result = seen(written(tmp_path, text), ORDERS)
    assert [row["b_delivery_id"] for row in result.rows] == ["shop:0"]


def test_repeated_and_empty_column_names_are_told_apart(tmp_path):
    assert rows_of(written(tmp_path, "id,note,note,\n1,a,b,c\n"))[0] == ("id", "note", "note (2)", "column 4")


def test_ragged_rows_go_to_quarantine_whole_and_the_others_keep_their_numbers(tmp_path):
    text = "id,event,at\nD1,arrived,2026-01-15 08:00\nD2,arrived\nD3,arrived,2026-01-15 08:00,extra\nD4,arrived,soon\n"
    result = seen(written(tmp_path, text), TOLD)
    assert [row["e0_delivery_id"] for row in result.rows] == ["scans:D1"]
    assert [(row, raw) for row, raw, _ in result.refused] == [
        (3, {"row as it stands": "D2,arrived"}),
        (4, {"row as it stands": "D3,arrived,2026-01-15 08:00,extra"}),
        (5, {"id": "D4", "event": "arrived", "at": "soon"}),
    ]
    assert (result.checked.rows, result.checked.refused) == (4, 3)


def test_a_quote_that_never_closes_takes_only_its_own_line_along(tmp_path):
    rows = [f"{number},fine" for number in range(1, 3001)]
    rows[9], rows[1999], rows[2500] = '10,"never closed', '2000,"nor this', "2501,one,too many"
    result = seen(written(tmp_path, "id,r\n" + "\n".join(rows) + "\n"), ORDERS + columns(recipient="r"))
    gone = {10, 2000, 2501}
    assert [row["b_delivery_id"] for row in result.rows] == [f"shop:{n}" for n in range(1, 3001) if n not in gone]
    assert [(row, raw["row as it stands"]) for row, raw, _ in result.refused] == [
        (number + 1, rows[number - 1]) for number in sorted(gone)
    ]
    assert (result.checked.rows, result.checked.refused) == (3000, 3)


def test_quotes_that_open_again_and_again_lose_nothing_and_are_refused_by_name_at_last(tmp_path, monkeypatch):
    lines = [f'{number},"open {number}' for number in range(40)]
    path = written(tmp_path, "id,r\n" + "\n".join(lines) + "\n")
    result = seen(path, ORDERS + columns(recipient="r"))
    assert [raw["row as it stands"] for _, raw, _ in result.refused] == lines and result.rows == []
    monkeypatch.setattr(reading_csv, "READ_AGAIN", 0)
    with pytest.raises(UnreadableFile, match=r"file\.csv: quotes open and never close"):
        seen(path, ORDERS + columns(recipient="r"))


def test_a_line_of_megabytes_is_kept_whole(tmp_path):
    text = f'id,r\n1,"{"x" * 5_000_000}"\n2,after\n'
    result = seen(written(tmp_path, text), ORDERS + columns(recipient="r"))
    assert [row["b_delivery_id"] for row in result.rows] == ["shop:2"]
    assert [len(raw["row as it stands"]) for _, raw, _ in result.refused] == [5_000_004]


def test_one_json_object_over_several_lines_is_one_row(tmp_path):
    path = written(tmp_path, json.dumps({"id": "T1", "to": {"city": "Bonn"}, "tags": ["a"]}, indent=2), "task.json")
    assert rows_of(path) == (("id", "to.city", "tags"), [("T1", "Bonn", '["a"]')])


def test_a_json_document_names_the_lists_that_hold_its_rows(tmp_path):
    path = written(tmp_path, json.dumps({"trackers": [{"id": 1}, {"id": 2}], "has_more": False}, indent=2), "page.json")
    with pytest.raises(UnreadableFile, match=r'page\.json .* trackers \(2\)\. Say records = "trackers"'):
        rows_of(path)
    assert rows_of(path, Reading(records="trackers")) == (("id",), [("1",), ("2",)])


@pytest.mark.parametrize("text", ["42", "[1, 2, 3]", '{"a": [1, 2', "null", "[]", '"word"'])
def test_json_that_holds_no_rows_is_refused_by_name(tmp_path, text):
    with pytest.raises(UnreadableFile, match=r"odd\.json"):
        seen(written(tmp_path, text, "odd.json"), ORDERS)


def test_a_header_half_way_and_a_totals_row_are_recognised(tmp_path):
    text = "id,kg\n1,5\nid,kg\n2,6\nTotal,11\n"
    result = seen(written(tmp_path, text), ORDERS + columns(weight_kg="kg"))
    assert [row["b_delivery_id"] for row in result.rows] == ["shop:1", "shop:2"]
    assert [(row, problems[0]["problem"]) for row, _, problems in result.refused] == [
        (3, "this is the header once more"),
        (5, "this is a totals row, not a delivery"),
    ]


def test_empty_rows_are_passed_over_and_counted(tmp_path):
    result = seen(written(tmp_path, "id,r\n1,a\n,\n\n2,b\n"), ORDERS)
    assert len(result.rows) == 2 and result.checked.rows == 2 and result.checked.notes == {"empty_row": 1}


def test_a_file_without_the_needed_column_says_which_it_has(tmp_path):
    with pytest.raises(
        UnreadableFile, match=r"file\.csv has no column 'id', which mapping shop reads as key\. The file has: number, r"
    ):
        seen(written(tmp_path, "number,r\n1,a\n"), ORDERS)


def test_column_names_are_compared_without_regard_to_case_and_spaces(tmp_path):
    assert len(seen(written(tmp_path, " ID ,r\n1,a\n"), ORDERS).rows) == 1


def test_a_column_that_the_mapping_names_and_the_file_lacks_is_noted(tmp_path):
    result = seen(written(tmp_path, "id\n1\n"), ORDERS + columns(recipient="customer"))
    assert result.checked.absent == ("customer",) and result.rows[0]["b_recipient"] is None


def test_personal_columns_are_dropped_or_hashed_before_anything_is_kept(tmp_path):
    mapping = (
        ORDERS + columns(recipient="phone", weight_kg="kg") + '[personal]\ndrop = ["password"]\nhash = ["phone"]\n'
    )
    result = seen(written(tmp_path, "id,password,phone,kg\n1,secret,555,5\n2,secret,555,heavy\n3,secret\n"), mapping)
    hashed = result.rows[0]["b_recipient"]
    assert len(hashed) == 64 and "555" not in hashed
    kept = json.dumps([raw for _, raw, _ in result.refused])
    assert "secret" not in kept and "555" not in kept and hashed in kept


def test_order_fields_left_blank_after_the_first_line_are_filled_down(tmp_path):
    mapping = 'line_items = true\nfill_down = ["id", "r"]\n' + ORDERS + columns(recipient="r", weight_kg="kg")
    result = seen(written(tmp_path, "id,r,kg\n1,Ina,2\n,,3\n2,Udo,4\n"), mapping)
    assert [(row["b_delivery_id"], row["b_recipient"], row["b_weight_kg"]) for row in result.rows] == [
        ("shop:1", "Ina", 2.0), ("shop:1", "Ina", 3.0), ("shop:2", "Udo", 4.0),
    ]  # fmt: skip


def test_lines_of_an_order_wait_for_each_other(tmp_path):
    mapping = 'line_items = true\nfill_down = ["id"]\n' + ORDERS + columns(weight_kg="kg")
    result = seen(written(tmp_path, "id,kg\n1,2\n,heavy\n2,4\n"), mapping)
    assert [row["b_delivery_id"] for row in result.rows] == ["shop:2"]
    assert result.kinds == ["another line of the same order was refused", "this is not a number"]


def test_preview_reads_only_the_first_rows(tmp_path):
    assert len(rows_of(written(tmp_path, "id\n" + "1\n" * 50), rows=10)[1]) == 10
