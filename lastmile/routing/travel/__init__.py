"""How far and how long it is between places: matrices with periods of the day, and who makes them."""

from lastmile.routing.travel.given import GivenTravel
from lastmile.routing.travel.great_circle import CIRCUITY, SETTING_OFF_SECONDS, SPEED_KMH_BY_HOUR, GreatCircleTravel
from lastmile.routing.travel.matrix import NO_WAY_SECONDS, Travel, TravelMatrix

__all__ = [
    "CIRCUITY", "NO_WAY_SECONDS", "SETTING_OFF_SECONDS", "SPEED_KMH_BY_HOUR", "GivenTravel", "GreatCircleTravel", "Travel",
    "TravelMatrix",
]  # fmt: skip
