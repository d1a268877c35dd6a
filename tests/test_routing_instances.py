"""Files of the routing literature: read exactly, by a stated convention of distances, or refused with the reason."""

import os
from pathlib import Path

import pytest

from lastmile.routing import evaluate
from lastmile.routing.instances import BadInstance, Distances, built, known_solution, read_instance, read_sheet

REAL = Path(os.environ.get("LASTMILE_REAL_FILES", "../shared/data")) / "routing"

real_files = pytest.mark.skipif(
    not REAL.is_dir() and "LASTMILE_REQUIRE_REAL_FILES" not in os.environ,
    reason="the real files are not beside the checkout",
)

TWO_CUSTOMERS = """\
NAME : two
COMMENT : depot at the origin, customers 5 and 10 away, the root of 45 between them
TYPE : CVRP
DIMENSION : 3
CAPACITY : 30
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 0 10
DEMAND_SECTION
1 0
2 12
3 18
DEPOT_SECTION
1
-1
EOF
"""

SOLOMON = """\
two

VEHICLE
NUMBER     CAPACITY
  2          30

CUSTOMER
CUST NO.  XCOORD.    YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME

    0      0          0          0          0        100          0
    1      3          4         12         10         20          2
    2      0         10         18          0         60          3
"""

ASYMMETRIC = """\
NAME : roads
TYPE : VRPTW
DIMENSION : 3
VEHICLES : 1
CAPACITY : 30
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : FULL_MATRIX
EDGE_WEIGHT_SECTION
0 10 20
11 0 7
21 8 0
DEMAND_SECTION
1 0
2 12
3 18
TIME_WINDOW_SECTION
1 0 100
2 0 50
3 30 60
SERVICE_TIME_SECTION
1 0
2 5
3 5
DEPOT_SECTION
1
-1
EOF
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="two.vrp"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def cost(instance, routes):
    return evaluate(instance.problem, routes).cost.total


BOTH = {"V1": ("1", "2")}


def test_capacities_alone_are_published_with_rounded_distances(file):
    instance = read_instance(file(TWO_CUSTOMERS))
    assert instance.distances == Distances.ROUNDED
    assert cost(instance, BOTH) == 5 + 7 + 10
    assert "rounded to whole units (CVRPLIB)" in instance.words


def test_time_windows_are_published_with_distances_truncated_to_a_tenth(file):
    instance = read_instance(file(SOLOMON, "two.txt"))
    assert instance.distances == Distances.DIMACS
    assert cost(instance, BOTH) == 50 + 67 + 100


def test_plain_distances_are_not_rounded(file):
    instance = read_instance(file(SOLOMON, "two.txt"), Distances.PLAIN)
    assert cost(instance, BOTH) == pytest.approx(15 + 45**0.5, rel=1e-6)


def test_windows_and_service_are_in_the_ticks_of_the_distances(file):
    instance = read_instance(file(SOLOMON, "two.txt"))
    plan = evaluate(instance.problem, BOTH)
    first, second = plan.stops["1"], plan.stops["2"]
    assert (first.service_starts_at, first.departs_at) == (100, 120)
    assert second.arrives_at == 120 + 67
    assert [len(plan.violations), plan.unserved] == [0, ()]


def test_a_window_is_hard(file):
    instance = read_instance(file(SOLOMON.replace("10         20", " 0          4"), "two.txt"))
    assert [violation.stop_id for violation in evaluate(instance.problem, BOTH).violations] == ["1"]


def test_a_matrix_is_taken_as_it_is_in_both_directions(file):
    instance = read_instance(file(ASYMMETRIC))
    assert instance.distances == Distances.GIVEN
    assert cost(instance, {"V1": ("1", "2")}) == 10 + 7 + 21
    assert cost(instance, {"V1": ("2", "1")}) == 20 + 8 + 11
    assert len(instance.problem.vehicles) == 1


def test_half_a_matrix_is_both_halves(file):
    half = TWO_CUSTOMERS.replace("EUC_2D", "EXPLICIT\nEDGE_WEIGHT_FORMAT : LOWER_ROW").replace(
        "DEMAND_SECTION", "EDGE_WEIGHT_SECTION\n4\n9 6\nDEMAND_SECTION"
    )
    assert cost(read_instance(file(half)), BOTH) == 4 + 6 + 9


def test_without_a_number_of_vehicles_there_are_more_than_the_loads_need(file):
    assert len(read_instance(file(TWO_CUSTOMERS)).problem.vehicles) == 2
    assert "no limit in the file" in read_instance(file(TWO_CUSTOMERS)).words


def test_capacity_holds(file):
    instance = read_instance(file(TWO_CUSTOMERS.replace("CAPACITY : 30", "CAPACITY : 29")))
    assert [v.cause for v in evaluate(instance.problem, BOTH).violations] == ["capacity"]


def test_leaving_a_customer_out_costs_more_than_any_detour(file):
    instance = read_instance(file(TWO_CUSTOMERS))
    longest = 10
    assert cost(instance, {"V1": ("1",)}) == 2 * 5 + 10 * 2 * longest


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TWO_CUSTOMERS.replace("TYPE : CVRP", "TYPE : TSP"), "of type TSP"),
        (TWO_CUSTOMERS.replace("CAPACITY : 30", "CAPACITY : 30\nDISTANCE : 50"), "not understood: distance"),
        (TWO_CUSTOMERS.replace("DEPOT_SECTION\n1\n", "DEPOT_SECTION\n1\n2\n"), "exactly one depot"),
        (TWO_CUSTOMERS.replace("DIMENSION : 3", "DIMENSION : 4"), "says 4 places and lists 3"),
        (TWO_CUSTOMERS.replace("3 18\n", ""), "DEMAND_SECTION does not fit 3 places"),
        ("deliveries,of,a,day\n1,2,3,4\n", "neither a VRPLIB nor a Solomon file"),
        ("", "neither a VRPLIB nor a Solomon file"),
    ],
)
def test_what_is_not_understood_is_refused_and_never_dropped(file, text, why):
    with pytest.raises(BadInstance, match=why):
        read_instance(file(text))


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(BadInstance, match="can't be read"):
        read_instance(tmp_path / "nowhere.vrp")


@pytest.mark.parametrize(("text", "distances"), [(ASYMMETRIC, Distances.DIMACS), (TWO_CUSTOMERS, Distances.GIVEN)])
def test_a_convention_that_does_not_fit_the_file_is_refused(file, text, distances):
    with pytest.raises(BadInstance, match="do not fit it"):
        read_instance(file(text), distances)


def test_long_legs_without_windows_are_driven_in_coarser_ticks(file):
    far = TWO_CUSTOMERS.replace("3 0 10", "3 0 9000000")
    instance = read_instance(file(far))
    plan = evaluate(instance.problem, BOTH)
    assert instance.ticks == 0.01
    assert plan.cost.total == 5 + 8_999_996 + 9_000_000
    assert plan.violations == ()


def test_legs_longer_than_any_day_are_refused_where_windows_count(file):
    with pytest.raises(BadInstance, match="longer than a plan of a day"):
        read_instance(file(ASYMMETRIC.replace("0 10 20", "0 10 2000000")))


def test_plain_distances_keep_time_to_a_ten_thousandth_where_legs_allow(file):
    near, far = SOLOMON, SOLOMON.replace("0         10         18", "0        500         18")
    assert read_instance(file(near, "two.txt"), Distances.PLAIN).ticks == 10_000
    assert read_instance(file(far, "two.txt"), Distances.PLAIN).ticks == 1_000


def test_a_solution_beside_the_file_is_judged_by_our_evaluator(file):
    path = file(SOLOMON, "two.txt")
    file("Route #1: 1 2\nCost 21.7\n", "two.sol")
    known = known_solution(path, read_instance(path))
    assert (known.cost, known.stated_cost) == (217, 21.7)
    assert known.routes == BOTH


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Route #1: 1\nRoute #2: 2\nRoute #3: 2\n", "3 routes, the instance 2 vehicles"),
        ("Route #1: 1 7\n", "does not belong"),
    ],
)
def test_a_solution_of_another_instance_is_refused(file, text, why):
    path = file(SOLOMON, "two.txt")
    file(text, "two.sol")
    with pytest.raises(BadInstance, match=why):
        known_solution(path, read_instance(path))


def test_no_solution_beside_the_file_is_none(file):
    path = file(SOLOMON, "two.txt")
    assert known_solution(path, read_instance(path)) is None


@real_files
@pytest.mark.parametrize(("name", "best"), [("R1_10_1", 530261), ("RC2_10_5", 257975)])
def test_the_best_known_solutions_of_a_thousand_customers_cost_what_was_published(name, best):
    path = REAL / f"{name}.vrp"
    instance = read_instance(path)
    known = known_solution(path, instance)
    assert known.cost == best
    assert known.stated_cost * instance.distances.units == pytest.approx(best, abs=1e-6)
    assert (known.evaluation.violations, known.evaluation.unserved) == ((), ())


@real_files
@pytest.mark.parametrize(
    ("name", "customers", "vehicles", "capacity"),
    [("R101", 100, 25, 200), ("C2_2_3", 200, 50, 700), ("RC1_4_1", 400, 100, 200), ("RC2_8_2", 800, 200, 1000)],
)
def test_solomon_files_are_read_whole(name, customers, vehicles, capacity):
    sheet = read_sheet(REAL / f"{name}.txt")
    assert (sheet.customers, sheet.vehicles, sheet.capacity) == (customers, vehicles, capacity)
    assert len(built(sheet).problem.stops) == customers
