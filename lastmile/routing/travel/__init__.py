"""How far and how long it is between places: matrices with periods of the day, and who makes them.

`GreatCircleTravel` needs no network. Beside what is imported here, so that the engine's process need not load it:
`learning` fits it to legs that were driven, `service` asks a road network, `choosing` says which by a setting.
"""

from lastmile.routing.travel.given import GivenTravel
from lastmile.routing.travel.great_circle import CIRCUITY, GreatCircleTravel, Rings
from lastmile.routing.travel.matrix import NO_WAY_SECONDS, Travel, TravelMatrix

__all__ = ["CIRCUITY", "NO_WAY_SECONDS", "GivenTravel", "GreatCircleTravel", "Rings", "Travel", "TravelMatrix"]
