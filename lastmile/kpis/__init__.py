"""KPIs: the catalogue, the figures with what they rest on, and the rows behind each."""

from lastmile.kpis.catalogue import CATALOGUE, find
from lastmile.kpis.definition import Direction, Kpi, Owner, Unit
from lastmile.kpis.figures import FIGURE_COLUMNS, TRUST_THRESHOLD
from lastmile.kpis.measuring import measure, rows_behind
from lastmile.kpis.telling import definitions, in_words, table, timeliness_split, to_records

__all__ = [
    "CATALOGUE",
    "FIGURE_COLUMNS",
    "TRUST_THRESHOLD",
    "Direction",
    "Kpi",
    "Owner",
    "Unit",
    "definitions",
    "find",
    "in_words",
    "measure",
    "rows_behind",
    "table",
    "timeliness_split",
    "to_records",
]
