"""How long exceptions stay open, as a curve: the product-limit estimate, open ones censored."""

from __future__ import annotations

import pandas as pd


def still_open(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per instant at which one was resolved, from 0 on: minutes, share_open, at_risk (watched just before it).

    rows: as of response.rows_of. share_open = Π (1 − resolved ÷ at risk) over the instants up to that one (E. L. Kaplan and
    P. Meier, Nonparametric estimation from incomplete observations, JASA 53, 1958).
    """
    ends = rows.resolve_minutes.astype(float).clip(lower=0)
    resolved = ends[rows.resolved.astype(bool)].value_counts().sort_index()
    at_risk = pd.Series([(ends >= minutes).sum() for minutes in resolved.index], index=resolved.index, dtype=int)
    share = (1 - resolved / at_risk).cumprod() if len(resolved) else resolved.astype(float)
    start = pd.DataFrame({"minutes": [0.0], "share_open": [1.0], "at_risk": [len(rows)]})
    steps = pd.DataFrame({"minutes": resolved.index, "share_open": share.values, "at_risk": at_risk.values})
    last = {
        "minutes": ends.max(),
        "share_open": share.iloc[-1] if len(share) else 1.0,
        "at_risk": int((ends == ends.max()).sum()),
    }
    return pd.concat([start, steps, pd.DataFrame([last])], ignore_index=True) if len(rows) else start
