"""What a person decided by hand, held against the day as it is: refused in words where it can't be."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lastmile.errors import NotPossible
from lastmile.replanning.asked import Act, Asked, ByHand
from lastmile.routing import Freedom


def out_of_service(fleet: pd.DataFrame, asked: Asked) -> set[str]:
    """The vehicles that drive no more: broken down and not put in again, or taken out. NotPossible for one not of the depot."""
    put_in, out = set(asked.vehicles(Act.VEHICLE_IN)), set(asked.vehicles(Act.VEHICLE_OUT))
    unknown = sorted((put_in | out) - set(fleet.vehicle_id))
    if unknown:
        raise NotPossible(f"This depot has no vehicle {', '.join(unknown)} today.")
    return (set(fleet.vehicle_id[fleet.broke_down_at.notna()]) - put_in) | out


def refuse_taking_out(rows: pd.DataFrame) -> None:
    """A stop that a van has reached can't be taken out of today."""
    reached = rows[rows.arrived_at >= rows.departed_at]
    if len(reached):
        raise NotPossible(f"{reached.recipient.fillna(reached.delivery_id).iloc[0]} is being served already.")


def first_on_vehicles(rows: pd.DataFrame, asked: Asked, usable: pd.DataFrame, broken: set[str]) -> dict[str, list[str]]:
    """Vehicle → the stops that a person wants to go first, in the order in which that was said."""
    found: dict[str, list[str]] = {}
    of_delivery = rows.set_index("delivery_id")
    for wish in asked.of_deliveries(Act.GOES_FIRST, Act.ON_VEHICLE).values():
        if wish.delivery_id not in of_delivery.index:
            continue  # it is done by now, or cancelled
        row = of_delivery.loc[wish.delivery_id]
        vehicle_id = wish.vehicle_id or (None if pd.isna(row.stop) or row.vehicle_id in broken else row.vehicle_id)
        _refuse_wish(wish, row, vehicle_id, usable, asked, broken)
        if wish.act == Act.GOES_FIRST and row.stop_id not in found.setdefault(vehicle_id, []):
            found[vehicle_id].append(row.stop_id)
    return found


def _refuse_wish(
    wish: ByHand, row: Any, vehicle_id: str | None, usable: pd.DataFrame, asked: Asked, broken: set[str]
) -> None:
    told = wish.label or wish.delivery_id
    if vehicle_id is None:
        raise NotPossible(f"{told} is on no vehicle that drives; say which one it goes first on.")
    if vehicle_id not in set(usable.vehicle_id):
        raise NotPossible(f"{told} can't go on {vehicle_id}: it does not drive for this depot now.")
    if pd.isna(row.stop):
        _refuse_leaving_without(told, vehicle_id, usable, asked)
    if pd.isna(row.stop) or row.vehicle_id == vehicle_id or row.vehicle_id in broken:
        return
    if pd.notna(row.departed_at) and not asked.goods_may_move:
        raise NotPossible(
            f"{told} can't go on {vehicle_id}: its goods are on {row.vehicle_id}, which is on the road. "
            "Allow goods to be handed over, or leave it there."
        )
    if wish.act == Act.ON_VEHICLE and asked.freedom != Freedom.EVERYTHING:
        raise NotPossible(f"{told} can't change to {vehicle_id} while stops must keep their vehicles; free everything.")


def _refuse_leaving_without(told: str, vehicle_id: str, usable: pd.DataFrame, asked: Asked) -> None:
    on_road = usable.set_index("vehicle_id").departed_at[vehicle_id]
    if pd.notna(on_road) and not (asked.goods_may_move or asked.reloads):
        raise NotPossible(
            f"{told} can't go on {vehicle_id}, which is on the road: its goods are at the depot. Let vans come back for "
            "goods, or choose one that has not left."
        )
