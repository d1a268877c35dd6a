"""python -m lastmile solve: any engine on a file, a JSON shape to rely on, exit status 0, 1 and 2."""

import json

import pytest

from lastmile.__main__ import main
from lastmile.routing.peers import ENGINES
from tests.test_routing_instances import SOLOMON


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "two.txt"
    path.write_text(SOLOMON)
    path.with_suffix(".sol").write_text("Route #1: 1 2\nCost 21.7\n")
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_the_answer_says_all_that_a_comparison_needs(two, capsys, engine):
    assert (
        main(["solve", str(two), "--seconds", "0.3", "--engine", engine, "--cores", "1", "--seed", "7", "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {
        "instance", "customers", "distances", "distances_words", "engine", "seconds", "cores", "seed", "cost", "distance",
        "vehicles", "vehicles_available", "unserved", "first_plan_seconds", "elapsed_seconds", "trace", "best_known", "gap",
        "notes", "routes",
    }  # fmt: skip
    assert (told["engine"], told["seed"], told["cores"], told["distances"]) == (engine, 7, 1, "dimacs")
    assert (told["cost"], told["distance"], told["best_known"], told["gap"]) == (217, 217, 217, 0)
    assert (told["vehicles"], told["vehicles_available"], told["unserved"]) == (1, 2, [])
    assert told["trace"][-1][1] == 217
    assert sorted(stop for row in told["routes"].values() for stop in row) == ["1", "2"]


def test_people_read_the_convention_and_the_gap(two, capsys):
    assert main(["solve", str(two), "--seconds", "0.3", "--engine", "pyvrp", "--cores", "1"]) == 0
    text = capsys.readouterr().out
    assert "truncated to a tenth, times ten" in text
    assert "+0.00% against the best known, 217.0" in text


def test_without_a_solution_beside_it_there_is_no_gap(two, capsys):
    two.with_suffix(".sol").unlink()
    main(["solve", str(two), "--seconds", "0.2", "--engine", "pyvrp", "--cores", "1", "--distances", "plain", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["best_known"], told["gap"], told["distances"]) == (None, None, "plain")


def test_a_file_that_is_no_instance_ends_with_status_1(tmp_path, capsys):
    path = tmp_path / "orders.csv"
    path.write_text("order,site\n1,2\n")
    assert main(["solve", str(path)]) == 1
    assert "neither a VRPLIB nor a Solomon file" in capsys.readouterr().err


def test_an_engine_that_is_not_installed_ends_with_status_2(two, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert main(["solve", str(two), "--engine", "vroom"]) == 2
    assert "pip install pyvroom==1.15.2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [["--engine", "best"], ["--seconds", "0"], ["--seconds", "nan"], ["--cores", "0"], ["--distances", "guess"]],
)
def test_a_call_that_is_off_ends_with_status_2(two, wrong):
    with pytest.raises(SystemExit) as ended:
        main(["solve", str(two), *wrong])
    assert ended.value.code == 2
