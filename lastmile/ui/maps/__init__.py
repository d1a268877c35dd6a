"""Maps: frames in, pictures out; a click hands back what was chosen by id."""

from lastmile.ui.maps.comparison import comparison_map
from lastmile.ui.maps.operation import legend, operation_map
from lastmile.ui.maps.selection import Chosen

__all__ = ["Chosen", "comparison_map", "legend", "operation_map"]
