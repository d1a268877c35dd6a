"""What a route and a drop cost: by hand on the tiny day, and to the cent on any ledger."""

from __future__ import annotations

import random
from datetime import timedelta

import pandas as pd
import pytest

from lastmile.kpis import measure, rows_behind
from lastmile.model import stable_id
from lastmile.store import Batch, Store
from tests.ledgers import START, random_batches, random_costs
from tests.tiny_day import AFTERNOON, DAY, MORNING, local

ROUTES = "from route_cost($as_of::timestamptz, $day_from::date, $day_to::date) order by route_id"
DROPS = "from drop_cost($as_of::timestamptz, $day_from::date, $day_to::date) order by route_id, delivery_id"


def routes_of(store: Store, as_of=None, day_from=None, day_to=None) -> pd.DataFrame:
    return store.ask(ROUTES, as_of=as_of, day_from=day_from, day_to=day_to).set_index("route_id")


def drops_of(store: Store, as_of=None, day_from=None, day_to=None) -> pd.DataFrame:
    return store.ask(DROPS, as_of=as_of, day_from=day_from, day_to=day_to)


@pytest.fixture
def store(tiny_database) -> Store:
    store = Store.open(tiny_database)
    yield store
    store.close()


def test_a_route_costs_vehicle_time_overtime_distance_stops_and_its_charges(store: Store):
    morning = routes_of(store).loc[MORNING]
    assert (morning.paid_minutes, morning.overtime_minutes) == (210, 30)  # 08:00 to 11:30, the shift ended at 11:00
    assert morning.vehicle_cents == 60_00
    assert morning.time_cents == 72_00  # 3 h at 24
    assert morning.overtime_cents == 18_00  # half an hour at 36
    assert morning.distance_cents == 10_00  # 20 km driven at 0.50
    assert morning.charge_cents == 10_00  # toll 3, re-handling 5, contact 2
    assert morning.total_cents == 170_00


def test_a_route_under_its_minimum_is_topped_up_and_an_untold_distance_is_the_planned_one(store: Store):
    afternoon = routes_of(store).loc[AFTERNOON]
    assert (afternoon.stop_cents, afternoon.distance_cents, afternoon.minimum_cents) == (60_00, 3_00, 37_00)
    assert afternoon.km_assumed
    assert afternoon.assumed_cents == 3_00
    assert afternoon.total_cents == 115_00


def test_each_drop_bears_its_own_minutes_half_of_each_arc_and_the_rest_by_volume(store: Store):
    # Minutes on site + half of the arcs beside: early 10 + 10, on_time 15 + 17.5, failed 10 + 17.5, late 20 + 20,
    # retried 10 + 10 = 140 of 210 paid; the other 70 by volume (0.1, 0.2, 0.3, 0.3, 0.1). 90.00 by those minutes.
    # Steps: half arcs 0.5, 1, 1, 1, 0.5; way out 1 and back 5 by volume; 10.00 by 1.1, 2.2, 2.8, 2.8, 1.1 of 10.
    # Vehicle and toll, 63.00, by volume. Two cents are left over: to .857 (on_time) and .571 (failed).
    cents = drops_of(store).query("route_id == 'morning'").set_index("delivery_id").cents
    assert cents.to_dict() == {
        "early": 18_97,  # 1157.14 + 110 + 630
        "on_time": 34_73,  # 1992.86 + 220 + 1260
        "late": 47_84,  # 2614.29 + 280 + 1890
        "failed": 42_49 + 7_00,  # 2078.57 + 280 + 1890, and its re-handling and contact
        "retried": 18_97,
    }


def test_without_a_volume_the_fixed_part_goes_by_equal_shares(store: Store):
    # stop 12.00 each; top-up 37.00 / 5 = 7.40 each; 3.00 by steps 3.1, 3.6, 3.1, 2.6, 2.6 of 15 (no_promise: no place)
    cents = drops_of(store).query("route_id == 'afternoon'").set_index("delivery_id").cents
    assert cents.to_dict() == {
        "retried": 12_00 + 7_40 + 62,
        "unproven": 12_00 + 7_40 + 72 + 15_00,  # and its penalty
        "partial": 12_00 + 7_40 + 62,
        "no_promise": 12_00 + 7_40 + 52,
        "revised": 12_00 + 7_40 + 52,
    }


def test_cost_is_told_by_service_and_adds_up(store: Store):
    by_service = measure(store, ["cost_per_drop"], by=("service",)).set_index("service")
    assert by_service.numerator["spares"] == pytest.approx(18.97 + 47.84 + 20.02)  # retried twice, late
    assert by_service.denominator["spares"] == 2
    assert by_service.numerator.sum() == pytest.approx(285)


def test_what_a_failure_costs_goes_to_the_failed_visit(store: Store):
    store.append({"charge": charges(("claim", 9.0, "retried", None))})
    drops = drops_of(store).set_index(["route_id", "delivery_id"])
    assert drops.cents[MORNING, "retried"] == 18_97 + 9_00
    assert drops.cents[AFTERNOON, "retried"] == 20_02


def test_a_rate_card_holds_from_its_day_on(store: Store):
    card = {"carrier_id": "own", "recorded_at": local("20:00"), "valid_from": DAY, "currency": "EUR", "per_day": 80.0}
    none = dict.fromkeys(("per_hour", "per_overtime_hour", "per_km", "per_stop", "minimum_per_route"), 0.0)
    store.append({"rate_card": pd.DataFrame([card | none])})
    assert routes_of(store).total_cents[MORNING] == 80_00 + 10_00
    assert routes_of(store, as_of=local("19:00")).total_cents[MORNING] == 170_00
    store.append({"rate_card": pd.DataFrame([card | none | {"valid_from": DAY + timedelta(days=1), "per_day": 99.0}])})
    assert routes_of(store).total_cents[MORNING] == 80_00 + 10_00


def test_without_a_rate_card_the_cost_is_unknown_and_says_why(store: Store):
    with store.write() as connection:
        connection.execute("delete from rate_card where carrier_id = 'own'")
    store.rebuild()  # written behind its back
    morning = routes_of(store).loc[MORNING]
    assert pd.isna(morning.total_cents)
    assert morning.cost_unknown_why == "its carrier has no rate card in force that day"
    figure = measure(store, ["cost_per_drop"]).iloc[0]
    assert (figure.value, figure.included, figure.unknown) == (115 / 4, 5, 5)


def test_without_a_rate_card_a_route_costs_what_its_contractor_invoiced(store: Store):
    with store.write() as connection:
        connection.execute("delete from rate_card where carrier_id = 'own'")
    store.rebuild()  # written behind its back
    store.append({"charge": charges(("contractor", 100.0, None, MORNING))})
    assert routes_of(store).total_cents[MORNING] == 110_00


def test_amounts_in_two_currencies_are_not_added(store: Store):
    store.append({"charge": charges(("toll", 3.0, None, MORNING), currency="CHF")})
    assert routes_of(store).cost_unknown_why[MORNING] == "its charges are in another currency than its rate card"
    store.append({"charge": charges(("contractor", 50.0, None, None), currency="CHF")})
    figure = measure(store, ["cost_per_drop"]).iloc[0]
    assert pd.isna(figure.value)
    assert figure.trust_why == "amounts in CHF and EUR can't be added"


def test_a_charge_without_a_route_is_counted_and_stands_alone(store: Store):
    store.append({"charge": charges(("contact", 4.0, "cancelled", None), ("contractor", 30.0, None, None))})
    alone = drops_of(store).query("kind == 'charge'")
    assert alone.cents.tolist() == [4_00, 30_00]
    assert measure(store, ["cost_per_drop"]).numerator[0] == pytest.approx(285 + 34)
    assert set(rows_behind(store, "cost_per_drop").kind) == {"visit", "charge"}


def test_a_route_without_a_visit_bears_its_cost_itself(store: Store):
    out = {
        "type": "departed_depot",
        "classifier": "ACT",
        "vehicle_id": "van-1",
        "route_id": "empty run",
        "source": "app",
    }
    rows = [
        out | {"occurred_at": local("14:00")},
        out | {"type": "returned_to_depot", "occurred_at": local("15:00"), "payload": {"distance_km": 8}},
    ]
    frame = pd.DataFrame(rows).assign(status_source="driver", event_id=[stable_id(1), stable_id(2)])
    store.append({"event": frame.assign(recorded_at=frame.occurred_at)})
    [row] = drops_of(store).query("kind == 'route'").itertuples()
    # the van's shift began at 08:00: 3 h paid at 24, 4 h beyond it at 36; vehicle 60; 8 km at 0.50
    assert row.cents == 60_00 + 72_00 + 144_00 + 4_00
    assert measure(store, ["cost_per_drop"]).denominator[0] == 7


def test_a_stop_fee_is_shared_by_the_deliveries_of_the_stop(store: Store):
    with store.write() as connection:
        connection.execute("update planned_stop set stop = 3 where delivery_id in ('partial', 'no_promise')")
    store.rebuild()  # written behind its back
    afternoon = routes_of(store).loc[AFTERNOON]
    assert (afternoon.stops, afternoon.stop_cents) == (4, 48_00)
    assert measure(store, ["gross_cost_per_stop"]).denominator[0] == 9
    shares = drops_of(store).set_index("delivery_id").stop_part
    assert (shares["partial"], shares["no_promise"], shares["revised"]) == (6_00, 6_00, 12_00)


# Any ledger


def charges(*said: tuple, currency: str = "EUR") -> pd.DataFrame:
    rows = [
        {
            "charge_id": stable_id("said", number, currency, *one),
            "recorded_at": local("17:00"),
            "occurred_at": local("17:00"),
            "kind": one[0],
            "amount": one[1],
            "currency": currency,
            "delivery_id": one[2],
            "route_id": one[3],
            "assumed": False,
            "source": "test",
        }
        for number, one in enumerate(said)
    ]
    return pd.DataFrame(rows)


def later_words(seed: int) -> list[Batch]:
    """What may be told once routes have run: vehicles, depots, dearer cards, longer shifts, a second plan and its approval."""
    draw = random.Random(seed)
    late = {"recorded_at": START + timedelta(days=4)}
    vehicles = [
        late | {"vehicle_id": f"van {n}", "name": f"Van {n}", "carrier_id": draw.choice(["own", "partner"]), "depot_id": "south"}
        for n in range(5)
    ]  # fmt: skip
    depots = [
        late | {"depot_id": depot, "name": depot, "lon": 13.3, "lat": 52.4, "zone": "Europe/Berlin", "currency": "EUR"}
        for depot in ("north", "south")
    ]
    card = random_costs(seed + 100)["rate_card"].assign(recorded_at=late["recorded_at"], valid_from=START.date())
    shifts = random_costs(seed + 100).get("shift", pd.DataFrame())
    if len(shifts):
        shifts = shifts.assign(recorded_at=late["recorded_at"], shift_id="longer " + shifts.shift_id)
    second = random_costs(seed + 200)
    plan = {
        "plan": second["plan"].assign(plan_id="plan 2", version=2),
        "route": second["route"].assign(plan_id="plan 2"),
        "planned_stop": second["planned_stop"].assign(plan_id="plan 2", stop=lambda rows: rows.stop[::-1].values),
    }
    approval = second["event"].assign(event_id=str(stable_id("second", seed)), payload=[{"plan_id": "plan 2"}], **late)
    return [plan, {"vehicle": pd.DataFrame(vehicles)}, {"depot": pd.DataFrame(depots)}, {"event": approval},
            {"rate_card": card}, {"shift": shifts}]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_costs_kept_by_each_append_are_those_that_the_ledger_gives_at_once(tmp_path, seed: int):
    """Whatever comes in, and in whatever order: the derived rows are what the same macro makes of the whole ledger."""
    store = Store.open(tmp_path / "kept.duckdb")
    costs = [{table: rows} for table, rows in random_costs(seed).items()]
    batches = [*random_batches(seed), *costs, *later_words(seed)]
    random.Random(seed).shuffle(batches)
    for batch in batches:
        store.append(batch)
        assert differences(store) == 0, list(batch)
    assert store.value("select count(distinct route_id) from route_drop") == 5
    assert store.value("select count(*) from route_drop where kind = 'visit'") > 20
    store.close()


def differences(store: Store) -> int:
    """Rows that differ between the costs as kept and as known at the end of time, from the events themselves."""
    ledger = "select * from drop_cost('infinity'::timestamptz, null::date, null::date) where kind <> 'charge'"
    kept = "select * from drop_cost(null::timestamptz, null::date, null::date) where kind <> 'charge'"
    return store.value(
        f"with ledger as materialized ({ledger}), kept as materialized ({kept}) select count(*) from "
        "((from ledger except from kept) union all (from kept except from ledger))"
    )


def test_undoing_an_import_takes_its_charges_out_of_the_costs(store: Store):
    before = routes_of(store).total_cents[MORNING]
    store.append({"charge": charges(("toll", 5.0, None, MORNING))}, import_id="wrong")
    assert drops_of(store).query("route_id == @MORNING").cents.sum() == before + 5_00
    with store.write() as connection:
        connection.execute("insert into undone_import values ('wrong', now(), 'test', null)")
        store.merge_touched(connection, "wrong")
    assert drops_of(store).query("route_id == @MORNING").cents.sum() == before


@pytest.fixture(scope="module", params=range(6))
def random_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store.open(tmp_path_factory.mktemp("cost") / "random.duckdb")
    for batch in [*random_batches(request.param), random_costs(request.param)]:
        store.append(batch)
    yield store
    store.close()


@pytest.mark.parametrize("hours", [None, 30, 60])
def test_the_drops_of_a_route_add_up_to_its_cost_to_the_cent(random_store: Store, hours: int | None):
    as_of = None if hours is None else START + timedelta(hours=hours)
    routes = routes_of(random_store, as_of)
    drops = drops_of(random_store, as_of).query("kind != 'charge'")
    assert len(routes) >= 4
    assert set(drops.route_id) == set(routes.index)
    shared = drops.groupby("route_id").cents.agg(lambda cents: cents.sum(min_count=1))
    for route_id, total in routes.total_cents.items():
        assert (pd.isna(total) and pd.isna(shared[route_id])) or shared[route_id] == total, route_id


def test_every_charge_is_counted_once(random_store: Store):
    booked = random_store.value("select sum(round(amount * 100))::bigint from charge")
    alone = drops_of(random_store).query("kind == 'charge'").cents.sum()
    assert routes_of(random_store).charge_cents.sum() + alone == booked


def test_the_parts_of_a_routes_cost_add_up(random_store: Store):
    routes = routes_of(random_store).dropna(subset="total_cents")
    parts = [
        "vehicle_cents",
        "time_cents",
        "overtime_cents",
        "distance_cents",
        "stop_cents",
        "minimum_cents",
        "charge_cents",
    ]
    assert (routes[parts].fillna(0).sum(axis=1) == routes.total_cents).all()


def test_no_visit_is_counted_twice(random_store: Store):
    visits = drops_of(random_store).query("kind == 'visit'")
    assert not visits.duplicated(["route_id", "delivery_id"]).any()
    assert visits.groupby("route_id").volume_share.sum().tolist() == pytest.approx([1.0] * visits.route_id.nunique())


def test_asked_again_every_drop_costs_the_same(random_store: Store):
    def asked() -> list[tuple]:
        drops = (
            drops_of(random_store)[["kind", "route_id", "delivery_id", "charge_id", "cents"]]
            .astype(object)
            .fillna("")
            .astype(str)
        )
        return sorted(drops.itertuples(index=False, name=None))

    first = asked()
    assert all(asked() == first for _ in range(4))
    assert len({row[:4] for row in first}) == len(first)


def test_paid_time_is_never_shorter_than_the_time_on_the_road(random_store: Store):
    routes = routes_of(random_store)
    assert (routes.paid_minutes >= routes.on_road_minutes - 1e-9).all()
    assert (routes.overtime_minutes <= routes.paid_minutes).all()
