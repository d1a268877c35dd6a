"""Cost and productivity: what a drop costs, what failures cost, how well paid time and vehicles are used."""

from __future__ import annotations

from lastmile.kpis.definition import Direction, Kpi, Owner, Rule, Unit

FAMILY = "Cost and productivity"

ON_THE_ROAD: Rule = ("its route is still on the road", "on_the_road")
NO_COST: Rule = ("its cost is not known: no rate card in force, no distance, or two currencies", "cents is null")
NO_PLAN: Rule = ("the route has no plan in force", "plan_id is null")

_DROPS = {
    "family": FAMILY,
    "unit": Unit.MONEY,
    "direction": Direction.LOWER,
    "anchor": "day of the route",
    "fact": "drop",
    "unknown": (NO_COST,),
    "needs": ("drop_priced", "drop_measured"),
}

MONEY = (
    Kpi(
        key="cost_per_drop",
        label="Cost per drop",
        question="What does one successful drop cost?",
        formula="Σ route-day cost (paid time, vehicle, distance, stops, minimum, charges) ÷ successful drops",
        numerator="cost of all routes and charges, failed drops among them",
        denominator="successful drops",
        counts="cents / 100.0",
        out_of="handed_over::int",
        excluded=(ON_THE_ROAD,),
        owner=Owner.EXECUTIVE,
        **_DROPS,
    ),
    Kpi(
        key="gross_cost_per_stop",
        label="Gross cost per stop",
        question="What does one stop cost, whatever came of it?",
        formula="Σ route-day cost ÷ stops, successful or not",
        numerator="cost of all routes and charges",
        denominator="stops; a delivery that shares its stop counts its share",
        counts="cents / 100.0",
        out_of="stop_share",
        excluded=(ON_THE_ROAD,),
        owner=Owner.OPERATIONS,
        **_DROPS,
    ),
    Kpi(
        key="failed_delivery_cost",
        label="Cost of a failed drop",
        question="What does a failed drop cost us?",
        formula="cost of failed drops + their charges (re-handling, contact, penalty, claim, crew idle) ÷ failed drops",
        numerator="cost of failed drops with their charges",
        denominator="failed drops",
        counts="cents / 100.0",
        excluded=(ON_THE_ROAD, ("handed over", "handed_over"), ("no visit", "kind <> 'visit'")),
        owner=Owner.EXECUTIVE,
        **_DROPS,
    ),
)

_ROUTES = {"family": FAMILY, "anchor": "day of the route", "fact": "route", "excluded": (ON_THE_ROAD,)}


def _load(
    key: str, label: str, counts: str, out_of: str, unknown: str, numerator: str, denominator: str, need: str
) -> Kpi:
    return Kpi(
        key=key,
        label=label,
        question="How full are the vehicles at their fullest?",
        formula=f"{numerator} ÷ {denominator}",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        numerator=numerator,
        denominator=denominator,
        counts=counts,
        out_of=out_of,
        unknown=(("a load or the vehicle's capacity is not known", unknown),),
        needs=(need,),
        target=0.75,
        owner=Owner.OPERATIONS,
        **_ROUTES,
    )


ROUTE_USE = (
    Kpi(
        key="route_utilisation",
        label="Route utilisation",
        question="How much of the paid time is work?",
        formula="active (on the road, less waiting and the break of the shift) ÷ paid minutes",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        numerator="active minutes",
        denominator="paid minutes: start of shift (or departure) to return (or last scan)",
        counts="active_minutes",
        out_of="paid_minutes",
        unknown=(
            ("its shift is not known", "shift_starts_at is null"),
            ("a stop of it has no arrival or no start of service, so its waiting is not known", "wait_minutes is null"),
        ),
        needs=("shift_given", "waits_known", "return_seen"),
        target=0.80,
        owner=Owner.OPERATIONS,
        **_ROUTES,
    ),
    _load(
        "load_weight",
        "Load by weight",
        "peak_kg",
        "capacity_kg",
        "peak_kg is null or capacity_kg is null",
        "Σ peak load, kg",
        "Σ capacity, kg",
        "weight_known",
    ),
    _load(
        "load_volume",
        "Load by volume",
        "peak_m3",
        "capacity_m3",
        "peak_m3 is null or capacity_m3 is null",
        "Σ peak load, m³",
        "Σ capacity, m³",
        "volume_known",
    ),
    _load(
        "load_pieces",
        "Load by pieces",
        "peak_pieces",
        "capacity_pieces",
        "peak_pieces is null or capacity_pieces is null",
        "Σ peak load, pieces",
        "Σ capacity, pieces",
        "pieces_known",
    ),
    _load(
        "load_binding",
        "Load, binding dimension",
        "load_binding",
        "1",
        "load_unknown",
        "Σ of each route's largest of weight, volume and pieces against capacity",
        "routes",
        "load_known",
    ),
    Kpi(
        key="loaded_km_share",
        label="Loaded kilometres",
        question="How much of the distance is driven with goods on board?",
        formula="kilometres with goods on board ÷ kilometres, by planned arcs where driven as planned",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        numerator="kilometres with goods on board",
        denominator="kilometres",
        counts="loaded_km",
        out_of="arcs_km",
        unknown=(("not driven as planned, or an arc has no distance", "loaded_km is null"),),
        needs=("arcs_known",),
        owner=Owner.OPERATIONS,
        **_ROUTES,
    ),
)


def _productivity(key: str, label: str, hours: str, words: str, needs: tuple[str, ...], target: float) -> Kpi:
    return Kpi(
        key=key,
        label=label,
        question="How many stops are completed in an hour?",
        formula=f"stops with a handover ÷ {words}",
        unit=Unit.PER_HOUR,
        direction=Direction.HIGHER,
        numerator="stops with a handover",
        denominator=words,
        counts="stops_completed",
        out_of=hours,
        unknown=(("it has no time between its first and its last scan", "on_road_minutes <= 0"),),
        needs=needs,
        target=target,
        owner=Owner.OPERATIONS,
        **_ROUTES,
    )


def _deviation(key: str, label: str, question: str, actual: str, planned: str, missing: Rule, need: str) -> Kpi:
    return Kpi(
        key=key,
        label=label,
        question=question,
        formula="Σ |actual − planned| ÷ Σ planned, per route",
        unit=Unit.SHARE,
        direction=Direction.LOWER,
        numerator="difference from the plan in force, whichever way",
        denominator="as planned",
        counts=f"abs({actual} - {planned})",
        out_of=planned,
        unknown=(NO_PLAN, missing),
        needs=("plan_given", need),
        target=0.10,
        owner=Owner.OPERATIONS,
        **_ROUTES,
    )


PRODUCTIVITY = (
    _productivity(
        "stop_productivity",
        "Stops per hour on the road",
        "on_road_minutes / 60",
        "hours on the road",
        ("return_seen",),
        6.0,
    ),
    _productivity(
        "stop_productivity_paid",
        "Stops per paid hour",
        "paid_minutes / 60",
        "paid hours",
        ("return_seen", "shift_given"),
        5.0,
    ),
    _deviation(
        "plan_time_deviation",
        "Time against plan",
        "How far is the time on the road from the plan?",
        "on_road_minutes",
        "planned_minutes",
        ("the return is not scanned", "returned_at is null"),
        "return_seen",
    ),
    _deviation(
        "plan_distance_deviation",
        "Distance against plan",
        "How far is the distance from the plan?",
        "driven_km",
        "planned_km",
        ("a distance is not known", "driven_km is null or planned_km is null"),
        "distance_driven",
    ),
    Kpi(
        key="plan_sequence_kept",
        label="Stops in planned order",
        question="How much of the planned order do the drivers keep?",
        formula="stops in the longest run that kept the planned order ÷ planned stops driven",
        unit=Unit.SHARE,
        direction=Direction.HIGHER,
        numerator="stops in planned order",
        denominator="planned stops that were driven",
        counts="stops_in_order",
        out_of="planned_stops_driven",
        unknown=(NO_PLAN, ("none of its planned stops was driven", "planned_stops_driven is null")),
        needs=("plan_given",),
        target=0.90,
        owner=Owner.OPERATIONS,
        **_ROUTES,
    ),
)

COST = (*MONEY, *ROUTE_USE, *PRODUCTIVITY)
