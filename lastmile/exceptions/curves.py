"""How long exceptions stay open, as a curve: the product-limit estimate, open ones censored."""

from __future__ import annotations

import pandas as pd

from lastmile.kpis.waiting import waiting


def still_open(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per instant at which one was resolved, from 0 on: minutes, share_open, at_risk (watched just before it).

    rows: resolve_minutes, how long each lasted or has been open so far, and resolved. The last row is the longest of them.
    """
    ends = rows.resolve_minutes.astype(float).clip(lower=0).sort_values()
    start = pd.DataFrame({"minutes": [0.0], "share_open": [1.0], "at_risk": [len(rows)]})
    if rows.empty:
        return start
    curve = waiting(ends[rows.resolved.astype(bool)], ends)
    steps = pd.DataFrame({"minutes": curve.times, "share_open": curve.share, "at_risk": curve.at_risk})
    last = {
        "minutes": ends.max(),
        "share_open": curve.share[-1] if len(curve.share) else 1.0,
        "at_risk": int((ends == ends.max()).sum()),
    }
    return pd.concat([start, steps, pd.DataFrame([last])], ignore_index=True)
