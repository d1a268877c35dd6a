"""The KPI catalogue: the only place where a KPI is defined."""

from __future__ import annotations

from lastmile.errors import NotPossible
from lastmile.kpis.arrivals import ARRIVALS
from lastmile.kpis.cost import COST
from lastmile.kpis.definition import Kpi
from lastmile.kpis.notices import NOTICES
from lastmile.kpis.quality import QUALITY
from lastmile.kpis.replanning import REPLANNING
from lastmile.kpis.response import RESPONSE
from lastmile.kpis.service import SERVICE

CATALOGUE: dict[str, Kpi] = {
    kpi.key: kpi for kpi in (*SERVICE, *COST, *REPLANNING, *RESPONSE, *ARRIVALS, *NOTICES, *QUALITY)
}


def find(key: str) -> Kpi:
    """The entry of a key; NotPossible with the keys there are where it is none of them."""
    if key not in CATALOGUE:
        raise NotPossible(f"There is no KPI {key!r}. There are: {', '.join(CATALOGUE)}.")
    return CATALOGUE[key]
