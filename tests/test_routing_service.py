"""Travel times from a road network: each service as it documents its answers, on a real server; and each way to fail."""

import pickle
import time

import numpy as np
import pytest

from lastmile.routing import GreatCircleTravel
from lastmile.routing.travel import NO_WAY_SECONDS
from lastmile.routing.travel.choosing import travel_from
from lastmile.routing.travel.great_circle import great_circle_km
from lastmile.routing.travel.service import ServiceTravel
from tests.road_networks import DETOUR, METRES_A_SECOND, road_network

FLAT = GreatCircleTravel(circuity=1.3, speed_kmh_by_hour=(30.0,) * 24, setting_off_seconds=60)
SERVICES = ("osrm", "valhalla", "openrouteservice")
DAY = (1_750_000_000 // 86_400 * 86_400) + 6 * 3600


def places(count: int = 6) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(3)
    return draw.uniform(13.2, 13.6, count).round(6), draw.uniform(52.4, 52.6, count).round(6)


def matrix_of(roads, service: str = "osrm", count: int = 6, **options):
    travel = ServiceTravel(service, roads.address, **({"otherwise": FLAT, "timeout_seconds": 1} | options))
    return travel.matrix(*places(count), DAY, DAY + 8 * 3600, "UTC")


@pytest.mark.parametrize("service", SERVICES)
def test_times_and_distances_are_those_of_the_network_and_setting_off_comes_on_top(service):
    with road_network() as roads:
        matrix = matrix_of(roads, service)
    km = great_circle_km(*places()) * DETOUR
    expected = km * 1000 / METRES_A_SECOND + 60
    np.fill_diagonal(expected, 0)
    assert matrix.km == pytest.approx(km, abs=2e-3)
    assert matrix.seconds == pytest.approx(expected, abs=1.6)
    assert (matrix.seconds.dtype, matrix.km.dtype) == (np.int32, np.float32)
    assert matrix.source.endswith(f" at 127.0.0.1:{roads.address.rpartition(':')[2]}")


@pytest.mark.parametrize(("service", "width"), [("osrm", 100), ("valhalla", 50), ("openrouteservice", 50)])
def test_requests_are_cut_to_the_tables_that_a_server_allows(service, width):
    with road_network(most_pairs=width * width) as roads:
        matrix = matrix_of(roads, service, count=width + 20)
        whole = great_circle_km(*places(width + 20)) * DETOUR
    assert sorted(roads.tables) == [(20, 20), (20, width), (width, 20), (width, width)]
    assert matrix.km == pytest.approx(whole, abs=2e-3)


def test_a_server_with_a_wider_table_is_asked_once_and_vehicles_at_one_depot_are_one_place():
    lon, lat = (np.concatenate([axis, axis[[0] * 5]]) for axis in places(120))
    with road_network(most_pairs=1_000_000) as roads:
        travel = ServiceTravel("osrm", roads.address, FLAT, table=500)
        matrix = travel.matrix(lon, lat, DAY, DAY + 3600, "UTC")
    assert roads.tables == [(120, 120)]
    assert matrix.seconds[0, 120:].tolist() == [0] * 5
    assert matrix.seconds[3, 120] == matrix.seconds[3, 0] > 0


def test_all_that_is_made_of_one_problem_reckons_with_one_answer_in_another_process_too():
    lon, lat = places()
    with road_network() as roads:
        travel = ServiceTravel("osrm", roads.address, FLAT)
        whole = travel.matrix(lon, lat, DAY, DAY + 3600, "UTC")
    assert len(roads.tables) == 1
    sent = pickle.loads(pickle.dumps(travel))  # noqa: S301 - our own
    part = sent.matrix(lon[[4, 1]], lat[[4, 1]], DAY, DAY + 3600, "UTC")
    assert part.seconds.tolist() == whole.seconds[np.ix_([4, 1], [4, 1])].tolist()
    assert part.source == whole.source
    assert "can't be reached" in sent.matrix(lon + 1, lat, DAY, DAY + 3600, "UTC").source


def test_a_service_that_failed_is_not_waited_for_again():
    with road_network(delay_seconds=0.4) as roads:
        travel = ServiceTravel("osrm", roads.address, FLAT, timeout_seconds=0.2)
        sources = {travel.matrix(*places(count), DAY, DAY + 3600, "UTC").source for count in (6, 3, 9)}
    assert len(sources) == len(roads.tables) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_a_pair_without_a_way_is_never_zero(service):
    lon, lat = places()
    with road_network(islands={(lon[2], lat[2])}) as roads:
        matrix = matrix_of(roads, service)
    others = [place for place in range(6) if place != 2]
    assert (matrix.seconds[others, 2] == NO_WAY_SECONDS).all()
    assert (matrix.seconds[2, others] == NO_WAY_SECONDS).all()
    assert matrix.no_way.sum() == 10
    assert matrix.km[0, 2] == pytest.approx(great_circle_km(lon, lat)[0, 2] * 1.3, rel=1e-4)
    assert matrix.seconds[2, 2] == 0


@pytest.mark.parametrize("service", ["osrm", "openrouteservice"])
def test_a_place_that_is_near_no_road_is_left_out_and_the_rest_is_answered(service):
    lon, lat = places()
    with road_network(roadless={(lon[1], lat[1]), (lon[4], lat[4])}) as roads:
        matrix = matrix_of(roads, service)
    found = [0, 2, 3, 5]
    assert (matrix.seconds[np.ix_(found, [1, 4])] == NO_WAY_SECONDS).all()
    assert (matrix.seconds[np.ix_(found, found)] < 7200).all()
    assert "127.0.0.1" in matrix.source


def test_a_stop_without_a_position_is_not_asked_for():
    lon, lat = places()
    lon[3] = lat[3] = 0.0
    with road_network() as roads:
        matrix = ServiceTravel("osrm", roads.address, FLAT).matrix(lon, lat, DAY, DAY + 3600, "UTC")
    assert roads.tables == [(5, 5)]
    assert matrix.no_way[3, [0, 1, 2, 4, 5]].all()


def test_a_network_knows_no_hour_so_the_learned_hours_scale_it():
    rush = tuple(20.0 if hour == 8 else 40.0 for hour in range(24))
    learned = GreatCircleTravel(
        speed_kmh_by_hour=rush, setting_off_seconds=0, source="great circle, learned from 9 legs"
    )
    with road_network() as roads:
        matrix = matrix_of(roads, otherwise=learned)
    # the mean pace of 7 to 19 h is (11 × 90 + 180) / 12 = 97.5 s a km
    km = great_circle_km(*places())[0, 1] * DETOUR
    assert matrix.periods == 3
    assert matrix.at(0)[0, 1] == pytest.approx(km * 100 * 90 / 97.5, abs=1.1)
    assert matrix.at(1)[0, 1] == pytest.approx(km * 100 * 180 / 97.5, abs=1.1)
    assert matrix.source.endswith("hours of the day as of great circle, learned from 9 legs")


def spoiled(status: int, body):
    return lambda _: (status, body)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (spoiled(500, {"message": "out of memory"}), "answered with an error (500)"),
        (spoiled(401, {"error": "Access denied"}), "refused (401"),
        (spoiled(429, {"error": "Rate limit exceeded"}), "allows no more requests now"),
        (spoiled(200, "<html>It works!</html>"), "gave an answer that can't be read"),
        (spoiled(200, {"code": "Ok"}), "gave no table"),
        (spoiled(200, {"durations": [[0.0, 1.0], [1.0, 0.0]]}), "answered with a table of 2 × 2, not of 6 × 6"),
        (spoiled(200, {"durations": [[0.0], [1.0, 0.0]]}), "gave an answer that can't be read"),
        (spoiled(200, {"durations": [["far"] * 6] * 6}), "gave an answer that can't be read"),
        (spoiled(200, {"durations": [[-1.0] * 6] * 6}), "gave a time or distance that no way can have"),
    ],
    ids=["500", "401", "429", "no JSON", "no table", "wrong size", "ragged", "words", "negative"],
)
def test_what_the_service_does_wrong_is_told_and_the_learned_times_are_used(spoil, why):
    with road_network(spoil=spoil) as roads:
        matrix = matrix_of(roads)
    plain = FLAT.matrix(*places(), DAY, DAY + 8 * 3600, "UTC")
    assert matrix.seconds.tolist() == plain.seconds.tolist()
    assert f" {why}" in matrix.source
    assert matrix.source.endswith("; great circle, plain default")


def test_a_network_without_distances_has_its_kilometres_from_the_great_circle():
    with road_network(spoil=lambda body: (200, {"durations": body["durations"]})) as roads:
        matrix = matrix_of(roads)
    assert matrix.km == pytest.approx(great_circle_km(*places()) * 1.3, rel=1e-4)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_too_slow_is_not_waited_for(service):
    with road_network(delay_seconds=1.5) as roads:
        began = time.perf_counter()
        matrix = matrix_of(roads, service, timeout_seconds=0.2)
        assert time.perf_counter() - began < 1
    assert "did not answer within 0.2 s; great circle" in matrix.source


def test_many_tables_together_have_an_end_too():
    with road_network(delay_seconds=0.15) as roads:
        began = time.perf_counter()
        matrix = matrix_of(roads, count=60, table=4, patience_seconds=0.5)
        assert time.perf_counter() - began < 2
    assert "was not done within 0.5 s" in matrix.source


@pytest.mark.filterwarnings("ignore:Server down")
def test_a_busy_server_is_asked_again_for_as_long_as_the_time_out():
    answers = iter([(503, {}), None])
    with road_network(spoil=lambda body: next(answers) or (200, body)) as roads:
        matrix = matrix_of(roads, timeout_seconds=3)
    assert "great circle" not in matrix.source


def test_a_service_that_is_not_there_is_told():
    with road_network() as roads:
        pass
    matrix = ServiceTravel("valhalla", roads.address, FLAT).matrix(*places(), DAY, DAY + 3600, "UTC")
    assert matrix.source.startswith("Valhalla at 127.0.0.1:")
    assert "can't be reached; great circle" in matrix.source


def test_the_key_goes_to_openrouteservice_and_into_no_sentence():
    with road_network() as roads:
        matrix = matrix_of(roads, "openrouteservice", key="s3cret")
    assert roads.keys == ["s3cret"]
    assert "s3cret" not in matrix.source
    assert ServiceTravel("osrm", "http://me:s3cret@roads.example:5000").name == "OSRM at roads.example:5000"


def test_the_setting_says_which():
    assert travel_from("", FLAT) is FLAT
    chosen = travel_from("osrm:http://localhost:5000", FLAT, table="1000")
    assert chosen == ServiceTravel("osrm", "http://localhost:5000", FLAT, table=1000)
    assert travel_from("openrouteservice:https://roads.example", FLAT, "key").key == "key"
    for wrong in ("http://localhost:5000", "osrm", "google:http://x", "osrm:localhost:5000"):
        with pytest.raises(ValueError, match=r"travel service|starts with http"):
            travel_from(wrong, FLAT)
    with pytest.raises(ValueError, match="no number of places"):
        travel_from("osrm:http://localhost:5000", FLAT, table="many")
