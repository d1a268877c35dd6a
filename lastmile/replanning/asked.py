"""What a manager asks of a re-optimization: how free it is, what it may change, and what was decided by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lastmile.routing import ChangeBudget, Freedom, Policy


class Act(StrEnum):
    """What a person can decide by hand about a vehicle or a delivery before the rest is solved."""

    VEHICLE_OUT = "vehicle_out"
    VEHICLE_IN = "vehicle_in"
    GOES_FIRST = "goes_first"
    ON_VEHICLE = "on_vehicle"
    KEEP_VEHICLE = "keep_vehicle"
    KEEP_ORDER = "keep_order"
    KEEP_BOTH = "keep_both"
    NOT_TODAY = "not_today"

    @property
    def about_a_vehicle(self) -> bool:
        return self in (Act.VEHICLE_OUT, Act.VEHICLE_IN)

    @property
    def names_a_vehicle(self) -> bool:
        return self.about_a_vehicle or self == Act.ON_VEHICLE


ACTS = {
    Act.VEHICLE_OUT: "drives no more",
    Act.VEHICLE_IN: "is put in",
    Act.GOES_FIRST: "goes first",
    Act.ON_VEHICLE: "goes on",
    Act.KEEP_VEHICLE: "keeps its vehicle",
    Act.KEEP_ORDER: "keeps its place in the order",
    Act.KEEP_BOTH: "keeps its vehicle and place",
    Act.NOT_TODAY: "is not served today",
}


@dataclass(frozen=True)
class ByHand:
    """One decision about a vehicle or a delivery, with who took it and why; `label` is what people call the delivery."""

    act: Act
    vehicle_id: str | None = None
    delivery_id: str | None = None
    label: str | None = None
    by: str = ""
    why: str = ""

    def __post_init__(self) -> None:
        if self.act.names_a_vehicle and not self.vehicle_id:
            raise ValueError(f"{self.act} needs a vehicle")
        if not self.act.about_a_vehicle and not self.delivery_id:
            raise ValueError(f"{self.act} needs a delivery")

    @property
    def words(self) -> str:
        """ "WHF-12 drives no more (flat tyre)"."""
        subject = self.vehicle_id if self.act.about_a_vehicle else (self.label or self.delivery_id)
        told = f"{subject} {ACTS[self.act]}" + (f" {self.vehicle_id}" if self.act == Act.ON_VEHICLE else "")
        return f"{told} ({self.why})" if self.why else told


FREEDOMS = {
    Freedom.TIMES: "Times",
    Freedom.SEQUENCE: "Times and order",
    Freedom.EVERYTHING: "Everything",
}
POLICIES = {
    Policy.DROP_LEAST_VALUABLE: "Leave out the least valuable",
    Policy.SERVE_ALL: "Serve all, show what it breaks",
}


GOODS_STAY = ChangeBudget(goods_moved=0)


@dataclass(frozen=True)
class Asked:
    """All that was asked of one re-optimization; what is not named follows the sensible default.

    `freeze_minutes`: stops expected to be reached within so many minutes stay first on their vehicle, in their order.
    `budget.goods_moved` 0 keeps what is loaded on its van. `reloads`: vans on the road may come back for more goods.
    `even_hours` charges each hour beyond the mean of the plan in force, so that work is spread.
    """

    freedom: Freedom = Freedom.EVERYTHING
    freeze_minutes: float = 0
    budget: ChangeBudget = GOODS_STAY
    policy: Policy = Policy.DROP_LEAST_VALUABLE
    reloads: bool = False
    even_hours: bool = False
    by_hand: tuple[ByHand, ...] = ()
    seconds: float = 10

    def __post_init__(self) -> None:
        if self.freeze_minutes < 0 or self.seconds < 0:
            raise ValueError(f"minutes and seconds are not negative: {self.freeze_minutes}, {self.seconds}")

    @property
    def goods_may_move(self) -> bool:
        return self.budget.goods_moved != 0

    def vehicles(self, act: Act) -> tuple[str, ...]:
        """The vehicles that were taken out, or put in."""
        return tuple(one.vehicle_id for one in self.by_hand if one.act == act and one.vehicle_id)

    def of_deliveries(self, *acts: Act) -> dict[str, ByHand]:
        """The decisions about deliveries by delivery; the last one counts."""
        return {one.delivery_id: one for one in self.by_hand if one.delivery_id and one.act in acts}

    @property
    def words(self) -> tuple[str, ...]:
        """What was asked beyond the default, as short phrases for people; what was decided by hand comes last."""
        limits = (
            (self.budget.moved, "stop changes vehicle", "stops change vehicle"),
            (self.budget.promises_broken, "kept promise is broken", "kept promises are broken"),
            (self.budget.goods_moved or None, "stop's goods are handed over", "stops' goods are handed over"),
        )
        told = [
            f"Free: {FREEDOMS[self.freedom].lower()}",
            f"Next {self.freeze_minutes:g} min stay" if self.freeze_minutes else "",
            *(f"At most {most:,} {one if most == 1 else many}" for most, one, many in limits if most is not None),
            "Goods may change vans" if self.budget.goods_moved is None else "",
            POLICIES[self.policy] if self.policy == Policy.SERVE_ALL else "",
            "Vans may come back for goods" if self.reloads else "",
            "Hours spread evenly" if self.even_hours else "",
            *(one.words for one in self.by_hand),
        ]
        return tuple(phrase for phrase in told if phrase)

    def record(self) -> dict[str, Any]:
        """What is kept with the plan: all that was asked, as plain values."""
        return {
            "freedom": str(self.freedom),
            "freeze_minutes": self.freeze_minutes,
            "most_moved": self.budget.moved,
            "most_promises_broken": self.budget.promises_broken,
            "most_goods_moved": self.budget.goods_moved,
            "policy": str(self.policy),
            "reloads": self.reloads,
            "even_hours": self.even_hours,
            "by_hand": [_plain(one) for one in self.by_hand],
            "seconds": self.seconds,
        }


def asked_of(record: Mapping[str, Any]) -> Asked:
    """The inverse of `Asked.record`."""
    return Asked(
        freedom=Freedom(record["freedom"]),
        freeze_minutes=record["freeze_minutes"],
        budget=ChangeBudget(record["most_moved"], record["most_promises_broken"], record["most_goods_moved"]),
        policy=Policy(record["policy"]),
        reloads=record["reloads"],
        even_hours=record["even_hours"],
        by_hand=tuple(ByHand(**(one | {"act": Act(one["act"])})) for one in record["by_hand"]),
        seconds=record["seconds"],
    )


def _plain(one: ByHand) -> dict[str, Any]:
    return {name: str(value) for name, value in vars(one).items() if value}
