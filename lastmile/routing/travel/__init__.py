"""How far and how long it is between places: matrices with periods of the day, and who makes them.

`GreatCircleTravel` needs no network, `learned` fits it to legs that were driven, `ServiceTravel` asks a road network, and
`travel_from` chooses by a setting.
"""

from lastmile.routing.travel.choosing import travel_from
from lastmile.routing.travel.given import GivenTravel
from lastmile.routing.travel.great_circle import CIRCUITY, GreatCircleTravel, Rings
from lastmile.routing.travel.learning import Learned, Misses, by_hour_and_zone, learned
from lastmile.routing.travel.matrix import NO_WAY_SECONDS, Travel, TravelMatrix
from lastmile.routing.travel.service import ServiceTravel

__all__ = [
    "CIRCUITY", "NO_WAY_SECONDS", "GivenTravel", "GreatCircleTravel", "Learned", "Misses", "Rings", "ServiceTravel",
    "Travel", "TravelMatrix", "by_hour_and_zone", "learned", "travel_from",
]  # fmt: skip
