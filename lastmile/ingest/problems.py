"""What can be wrong with a row, and what is worth a note: one catalogue, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Why a row is not taken."""

    key: str
    says: str
    remedy: str


@dataclass(frozen=True)
class Note:
    """What was done to rows that were taken, or what is missing in them."""

    key: str
    says: str


PROBLEMS = {
    problem.key: problem
    for problem in (
        Problem("missing", "nothing stands here", "fill it in; without it the row can't be told apart or placed in time"),
        Problem("not_a_time", "this is not a time of the kind that the column has", "write it as the other rows do"),
        Problem("skipped_hour", "this hour does not exist: clocks jumped over it that night",
                "correct the time, or say the zone in which the file was written"),
        Problem("no_zone", "this time has no zone and the mapping names none", "say `zone` in the mapping"),
        Problem("future", "this lies more than a day after the import: a clock was wrong",
                "correct the time, or set `future = \"take\"` in the mapping"),
        Problem("clock_unset", "this lies before the year 2000: the device's clock was not set", "correct or empty the time"),
        Problem("not_a_number", "this is not a number", "write it as 1234.5, or say `decimal = \",\"` in the mapping"),
        Problem("negative", "this must not be below zero", "correct the number"),
        Problem("swapped", "lon and lat look swapped", "set `swapped_coordinates = true` in the mapping, or correct the row"),
        Problem("off_globe", "these coordinates are not on the globe", "correct or empty both coordinates"),
        Problem("scientific_id", "a spreadsheet has rounded this id to scientific notation; the number is lost",
                "export again with the column formatted as text"),
        Problem("unknown_word", "this word is not known here", "use one of the known words, or map it under [words]"),
        Problem("window_backwards", "the window ends before it starts", "correct the window"),
        Problem("header_repeated", "this is the header once more", "nothing is lost; remove the row"),
        Problem("totals_row", "this is a totals row, not a delivery", "nothing is lost; remove the row"),
        Problem("no_subject", "the row names no delivery, route, vehicle or depot", "fill in one of them"),
        Problem("other_line_refused", "another line of the same order was refused", "mend that line and send both again"),
        Problem("columns", "the row has too few or too many columns, or a quote that never closes",
                "compare it with the header; put texts that hold the delimiter in double quotes"),
    )
}  # fmt: skip
NOTES = {
    note.key: note
    for note in (
        Note("unknown_place", "coordinates (0, 0) or half a pair: the row is taken, its place is unknown"),
        Note("repeated_hour", "a time lies in the hour that clocks repeated that night; its first pass is taken"),
        Note("past_midnight", "the window crosses midnight: it ends on the next day"),
        Note("unmapped", "a status that the map does not know is kept as `unmapped`"),
        Note("unmapped_reason", "a reason that the map does not know is kept as `other`"),
        Note("postcode_mended", "a postal code got its leading zeros back"),
        Note("status_without_time", "a status without a time: no event could be made of it"),
        Note("nothing_said", "the row says nothing that the ledger would keep"),
        Note("empty_row", "the row is empty and was passed over"),
        Note("recorded_before", "recorded before it happened: the clocks of device and server differ"),
        Note("corrections", "a later row for the same delivery says something else: a new version was booked"),
        Note("jumps", "a position lies farther from the one before than a vehicle can drive (over 250 km/h)"),
        Note("no_completion_time", "no column says when a delivery was completed, so on time stays unknown"),
        Note("absent_column", "Columns that the mapping reads and the file does not have"),
    )
}
