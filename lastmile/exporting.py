"""What leaves the program as a spreadsheet: no cell of it runs as a formula."""

from __future__ import annotations

import re

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)*|[.,]\d+)([eE][-+]?\d+)?%?$")


def neutralize(cell: object) -> object:
    """A text that a spreadsheet would run as a formula, with a quote before it; numbers and all else untouched.

    Source of the list of starts: OWASP, CSV injection.
    """
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def neutralized(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy of a frame with all its texts and column names neutralized."""
    texts = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name]) and not _is_time(frame[name])]
    safe = (
        frame.assign(**{name: frame[name].map(neutralize, na_action="ignore") for name in texts})
        if texts
        else frame.copy()
    )
    return safe.rename(columns=neutralize)


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """A frame as CSV for spreadsheets: neutralized, UTF-8 with a byte order mark, so that Excel reads its letters right."""
    return neutralized(frame).to_csv(index=False).encode("utf-8-sig")


def _is_time(column: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column)
