"""Times as files write them, and what becomes of each kind."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from lastmile.ingest.errors import BadMapping
from lastmile.ingest.times import CLOCKS, DATES, date_order_of, form_of, shifts
from tests.ingesting import ORDERS, TOLD, columns, seen, utc, written


def when(tmp_path, values, extra="", zone="Europe/Berlin"):
    """The instants that an event's time column gives, and what was seen."""
    text = "id,event,at\n" + "".join(f"D{i},arrived,{value}\n" for i, value in enumerate(values))
    result = seen(written(tmp_path, text), extra + TOLD.replace("Europe/Berlin", zone))
    return [row["e0_occurred_at"] for row in result.rows], result


def test_a_local_time_is_read_on_the_clocks_of_the_mappings_zone(tmp_path):
    times, _ = when(tmp_path, ["2026-01-15 08:00:00", "2026-05-15 08:00"])
    assert times == [utc("2026-01-15T07:00"), utc("2026-05-15T06:00")]


def test_an_offset_in_the_file_beats_the_mappings_zone(tmp_path):
    times, _ = when(
        tmp_path, ["2026-01-15T08:00:00Z", "2026-01-15T08:00:00-05:00", "2026-01-15 08:00:00+02", "2026-01-15 08:00"]
    )
    assert times == [utc("2026-01-15T08:00"), utc("2026-01-15T13:00"), utc("2026-01-15T06:00"), utc("2026-01-15T07:00")]


def test_epoch_seconds_and_milliseconds_are_told_apart_by_their_size(tmp_path):
    times, _ = when(tmp_path, ["1768464000", "1768464000250"])
    assert times == [utc("2026-01-15T08:00"), utc("2026-01-15T08:00:00.250")]


def test_excel_serial_days_are_local_times(tmp_path):
    # 46037 days after 1899-12-30 is 2026-01-15; a third of a day is 08:00
    times, _ = when(tmp_path, ["46037.3333333333", "46037.5"])
    assert times == [utc("2026-01-15T07:00"), utc("2026-01-15T11:00")]


def test_the_hour_that_clocks_skip_is_refused_by_name(tmp_path):
    times, result = when(tmp_path, ["2026-03-29 01:59:59", "2026-03-29 02:30:00", "2026-03-29 03:00:00"])
    assert times == [utc("2026-03-29T00:59:59"), utc("2026-03-29T01:00")]
    [(row, raw, [problem])] = result.refused
    assert row == 3 and raw["at"] == "2026-03-29 02:30:00"
    assert problem["column"] == "at" and problem["value"] == "2026-03-29 02:30:00"
    assert "does not exist" in problem["problem"]


def test_the_hour_that_clocks_repeat_is_taken_as_its_first_pass_and_counted(tmp_path):
    times, result = when(tmp_path, ["2025-10-26 01:59:59", "2025-10-26 02:30:00", "2025-10-26 03:00:00"])
    assert times == [utc("2025-10-25T23:59:59"), utc("2025-10-26T00:30"), utc("2025-10-26T02:00")]
    assert result.checked.notes == {"repeated_hour": 1}


def test_day_first_and_month_first_are_told_by_a_day_above_twelve(tmp_path):
    times, _ = when(tmp_path, ["03/04/2026 10:00", "25/04/2026 10:00"], zone="UTC")
    assert times == [utc("2026-04-03T10:00"), utc("2026-04-25T10:00")]
    times, _ = when(tmp_path, ["03/04/2026 10:00", "04/25/2026 10:00"], zone="UTC")
    assert times == [utc("2026-03-04T10:00"), utc("2026-04-25T10:00")]


def test_dates_that_could_be_either_are_not_guessed(tmp_path):
    with pytest.raises(
        BadMapping, match=r"file\.csv, column at: .*'03/04/2026 10:00'.*day/month or month/day.*date_order"
    ):
        when(tmp_path, ["03/04/2026 10:00", "05/06/2026 11:00"])


def test_the_mappings_date_order_decides(tmp_path):
    for order, expected in (("day_first", "2026-04-03T10:00"), ("month_first", "2026-03-04T10:00")):
        times, _ = when(tmp_path, ["03/04/2026 10:00"], f'date_order = "{order}"\n', zone="UTC")
        assert times == [utc(expected)]


def test_times_without_a_year_need_one(tmp_path):
    with pytest.raises(BadMapping, match="carry no year"):
        when(tmp_path, ["05-01 09:28:00"])
    times, _ = when(tmp_path, ["05-01 09:28:00"], 'year = 2022\ndate_order = "month_first"\n', zone="Asia/Shanghai")
    assert times == [utc("2022-05-01T01:28")]


def test_times_without_a_zone_need_one(tmp_path):
    path = written(tmp_path, "id,event,at\nD1,arrived,2026-01-15 08:00\n")
    with pytest.raises(BadMapping, match=r"column at: .*carry no zone.*zone ="):
        seen(path, TOLD.replace('zone = "Europe/Berlin"\n', ""))


def test_a_single_local_time_among_offsets_is_refused_where_no_zone_is_known(tmp_path):
    path = written(tmp_path, "id,event,at\nD1,arrived,2026-01-15T08:00Z\nD2,arrived,2026-01-15T08:00\n")
    result = seen(path, TOLD.replace('zone = "Europe/Berlin"\n', ""))
    assert len(result.rows) == 1 and [row for row, _, _ in result.refused] == [3]
    assert "no zone" in result.kinds[0]


def test_what_is_no_time_is_refused_with_row_column_and_value(tmp_path):
    _, result = when(tmp_path, ["2026-01-15 08:00", "soon", "2026-02-30 08:00"])
    assert [(row, problems[0]["column"], problems[0]["value"]) for row, _, problems in result.refused] == [
        (3, "at", "soon"),
        (4, "at", "2026-02-30 08:00"),
    ]


def test_a_column_without_any_known_form_is_named(tmp_path):
    with pytest.raises(BadMapping, match="column at: 'soon' is not a time of a known form"):
        when(tmp_path, ["soon", "later"])


def test_clocks_of_the_future_and_the_past_are_refused_by_name(tmp_path):
    # the import is at 2026-06-01 12:00 UTC; a day's grace
    times, result = when(tmp_path, ["2026-06-02 11:59", "2026-06-02 12:01", "1980-01-06 00:00"], zone="UTC")
    assert times == [utc("2026-06-02T11:59")]
    assert "more than a day after the import" in result.kinds[0] and "before the year 2000" in result.kinds[1]


def test_a_mapping_may_take_the_future(tmp_path):
    times, _ = when(tmp_path, ["2027-01-01 00:00"], 'future = "take"\n', zone="UTC")
    assert times == [utc("2027-01-01")]


def test_twelve_hour_clocks_are_read(tmp_path):
    times, _ = when(tmp_path, ["1/25/2026 8:40 PM", "1/25/2026 12:05 AM"], zone="UTC")
    assert times == [utc("2026-01-25T20:40"), utc("2026-01-25T00:05")]


def test_date_and_clock_in_two_columns_are_joined(tmp_path):
    mapping = (
        'date_order = "day_first"\n'
        + ORDERS
        + columns(window_from='{ columns = ["Date", "From"] }', window_due='{ columns = ["Date", "To"] }')
    )
    result = seen(written(tmp_path, "id,Date,From,To\n1,02/03/2026,08:00,10:00\n2,02/03/2026,,10:00\n"), mapping)
    first, second = result.rows
    assert (first["b_window_from"], first["b_window_due"]) == (utc("2026-03-02T07:00"), utc("2026-03-02T09:00"))
    assert second["b_window_from"] is None and second["b_window_due"] == utc("2026-03-02T09:00")
    assert first["b_day"] == date(2026, 3, 2)


def test_a_window_that_crosses_midnight_ends_on_the_next_day(tmp_path):
    mapping = ORDERS + columns(window_from='{ columns = ["Date", "From"] }', window_due='{ columns = ["Date", "To"] }')
    result = seen(written(tmp_path, "id,Date,From,To\n1,2026-03-02,22:00,02:00\n"), mapping)
    assert result.rows[0]["b_window_from"] == utc("2026-03-02T21:00")
    assert result.rows[0]["b_window_due"] == utc("2026-03-03T01:00")
    assert result.checked.notes == {"past_midnight": 1}


def test_a_window_that_ends_on_an_earlier_date_is_refused(tmp_path):
    mapping = ORDERS + columns(window_from="a", window_due="b")
    result = seen(written(tmp_path, "id,a,b\n1,2026-03-02 10:00,2026-03-01 12:00\n"), mapping)
    assert result.rows == [] and "ends before it starts" in result.kinds[0]


def test_a_time_may_be_given_as_minutes_after_another_column(tmp_path):
    mapping = ORDERS + columns(window_due='{ column = "promised", minutes_after = "ordered" }')
    result = seen(written(tmp_path, "id,ordered,promised\n1,2026-03-02 10:00,45\n2,2026-03-02 10:00,1.5\n"), mapping)
    assert [row["b_window_due"] for row in result.rows] == [utc("2026-03-02T09:45"), utc("2026-03-02T09:01:30")]


def test_minutes_after_may_be_given_in_hours(tmp_path):
    mapping = ORDERS + columns(window_due='{ column = "promised", minutes_after = "ordered", unit = "h" }')
    result = seen(written(tmp_path, "id,ordered,promised\n1,2026-03-02 10:00,2\n"), mapping)
    assert result.rows[0]["b_window_due"] == utc("2026-03-02T11:00")


def test_nothing_words_are_no_times(tmp_path):
    mapping = ORDERS + columns(window_due="due")
    result = seen(
        written(
            tmp_path, "id,due\n1,2026-03-02 10:00\n2,0000-00-00\n3,0000-00-00 00:00:00\n4,N/A\n5,nan\n6,-\n7,NONE\n"
        ),
        mapping,
    )
    assert [row["b_window_due"] for row in result.rows] == [utc("2026-03-02T09:00")] + [None] * 6


def test_the_zones_shifts_are_those_of_the_tz_database():
    start, spring, autumn = shifts("Europe/Berlin", 2026, 2026)
    assert start.offset == timedelta(hours=1)
    assert (spring.local_from.isoformat(), spring.offset) == ("2026-03-29T03:00:00", timedelta(hours=2))
    assert (autumn.local_from.isoformat(), autumn.offset) == ("2026-10-25T03:00:00", timedelta(hours=1))
    assert len(shifts("Asia/Shanghai", 2020, 2026)) == 1


def test_forms_are_told_from_samples():
    assert date_order_of(["13/01/2026"]) == "day_first" and date_order_of(["01/13/2026"]) == "month_first"
    assert date_order_of(["01/02/2026"]) is None
    assert form_of(["2026-01-01T10:00:00Z"], None, None).kind == "iso"
    assert form_of(["1768464000"], None, None).kind == "number"
    assert form_of(["20260115"], None, None).patterns[0] == "%Y%m%d"
    assert form_of(["hello"], None, None) is None


@pytest.mark.parametrize("order", ["day_first", "month_first", "year_first", None])
def test_times_written_in_any_known_pattern_are_told_by_it(order):
    moments = [datetime(2026, 3, day, 9 + day % 12, day, day) for day in range(13, 29)]  # noqa: DTZ001 - as a file's clock
    for pattern in (shape + clock for shape in DATES[order] for clock in CLOCKS):
        form = form_of([moment.strftime(pattern) for moment in moments], order, None)
        assert form.kind == "written", pattern
        written = form.patterns[0]
        assert all(
            datetime.strptime(moment.strftime(pattern), written) == datetime.strptime(moment.strftime(pattern), pattern)  # noqa: DTZ007
            for moment in moments
        ), (pattern, written)
