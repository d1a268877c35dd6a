"""The tower's own base map: a schematic Berlin as vector data and two MapLibre styles, served without the internet."""

from lastmile.basemap.drawing import berlin, district_names
from lastmile.basemap.style import CREDIT, THEMES, style

__all__ = ["CREDIT", "THEMES", "berlin", "district_names", "style"]
