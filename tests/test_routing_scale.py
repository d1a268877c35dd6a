"""Many depots, many processes, a cluster: as many plans at once as there are workers, and nothing lost when one dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import LocalCluster

from lastmile.errors import NotPossible
from lastmile.routing import Problem, Workers, evaluate, rounds, solve, solve_many
from lastmile.routing import workers as workers_module
from lastmile.routing.rounds import Round, Work, run_round
from lastmile.routing.schedule import LONGEST_SLICE_SECONDS
from tests.routing_problems import random_problem
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A dask cluster of two worker processes on this machine."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as there:
        yield there


@pytest.fixture(scope="module")
def solvers(cluster: LocalCluster) -> Iterator[Workers]:
    workers = Workers(address=cluster.scheduler_address)
    workers.warm().result(120)
    yield workers
    workers.close()


def depots(count: int, stops: int = 25) -> dict[str, Problem]:
    return {f"D{i}": random_problem(200 + i, stops=stops) for i in range(count)}


# Many depots.


def test_ten_depots_at_once_each_with_its_own_progress_and_time(engine):
    problems, told = depots(10), {name: [] for name in depots(10)}
    solutions = solve_many(problems, 0.6, progress=lambda name, progress: told[name].append(progress))
    assert list(solutions) == list(problems)
    for name, solution in solutions.items():
        assert solution.evaluation == evaluate(problems[name], solution.routes)
        assert solution.evaluation.violations == ()
        assert solution.iterations > 0
        assert [one.phase for one in told[name]].count("first plan") == 1
        assert told[name][-1].best_cost == solution.cost
        assert solution.elapsed_seconds < 5


def test_one_depot_can_be_cancelled_and_the_others_go_on():
    problems, begun = depots(4), set()
    solutions = solve_many(
        problems, 1.0, progress=lambda name, _: begun.add(name), cancelled=lambda name: name == "D1" and name in begun
    )
    assert {name for name, solution in solutions.items() if solution.cancelled} == {"D1"}
    assert all(solution.evaluation.violations == () for solution in solutions.values())


def test_all_can_be_cancelled_those_that_wait_for_their_turn_too():
    stop, began = threading.Event(), time.monotonic()
    threading.Timer(1.0, stop.set).start()
    solutions = solve_many(depots(10), 30.0, cancelled=lambda _: stop.is_set())
    assert time.monotonic() - began < 10
    assert all(solution.cancelled for solution in solutions.values())
    assert all(solution.evaluation.violations == () for solution in solutions.values())


def test_no_depots_are_no_work():
    assert solve_many({}, 1.0) == {}


def test_a_cancelled_search_leaves_its_processes_free_for_the_next_at_once():
    workers, problem = Workers(1), random_problem(1, stops=120, vehicles=12, midday=True)
    workers.warm().result()
    begun = threading.Event()
    solve(problem, 60.0, progress=lambda told: begun.set() if told.phase == "improving" else None,
          cancelled=begun.is_set, workers=workers)  # fmt: skip
    again = solve(replace(problem), 0.0, workers=workers)
    workers.close()
    # a round lasts two seconds: to wait for its end would take longer
    assert again.first_plan_seconds < LONGEST_SLICE_SECONDS / 2
    assert again.evaluation.violations == ()


# Processes that die.


def kill_one(workers: Workers) -> None:
    process = next(iter(workers._begun()._executor._processes.values()))
    os.kill(process.pid, signal.SIGKILL)


def test_a_round_whose_process_is_killed_is_begun_again():
    workers, problem = Workers(2), random_problem(1, stops=40, vehicles=6)
    workers.warm().result()
    killer = threading.Timer(0.7, kill_one, [workers])
    killer.start()
    solution = solve(problem, 2.0, workers=workers)
    workers.close()
    assert solution.notes == ()
    assert solution.evaluation.violations == ()
    assert solution.cost <= solution.first_plan_cost


TOWER = """
from lastmile.routing.workers import Workers
workers = Workers(2)
workers.warm().result()
print(*workers._begun()._executor._processes, flush=True)
input()
"""


def test_processes_end_with_the_tower_that_was_killed():
    tower = subprocess.Popen(
        [sys.executable, "-c", TOWER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    workers = [int(word) for word in tower.stdout.readline().split()]
    assert len(workers) == 2
    assert all(is_there(worker) for worker in workers)

    tower.kill()
    tower.wait()

    until(lambda: not any(is_there(worker) for worker in workers))


COMMAND = """
import os, sys
from lastmile.routing.workers import Workers
workers = Workers(2)
workers.warm().result()
workers.dismiss()
os.execv(sys.executable, [sys.executable, "-c", "print('serving')"])
"""


def test_a_command_that_dismissed_its_processes_becomes_the_server_and_leaves_nothing_behind():
    done = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, cwd=Path(__file__).parents[1], timeout=60
    )
    assert done.stdout == "serving\n"
    assert done.stderr == ""


def test_a_round_after_processes_were_dismissed_gets_new_ones():
    workers, problem = Workers(1), random_problem(6, stops=10)
    first = solve(problem, 5, iterations=20, workers=workers)
    workers.dismiss()
    assert solve(problem, 5, iterations=20, workers=workers).routes == first.routes
    workers.close()


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_same_work_gives_the_same_plan_with_a_process_killed_in_the_middle():
    workers, problem = Workers(2), random_problem(7, stops=60, vehicles=8)
    workers.warm().result()
    undisturbed = solve(problem, 60, iterations=4000, lanes=2, workers=workers)
    killer = threading.Timer(0.3, kill_one, [workers])
    killer.start()
    disturbed = solve(problem, 60, iterations=4000, lanes=2, workers=workers)
    killer.join()
    workers.close()
    assert disturbed.routes == undisturbed.routes
    assert disturbed.iterations == undisturbed.iterations


def test_workers_that_are_closed_in_the_middle_leave_the_best_plan_and_a_note():
    workers, problem = Workers(1), random_problem(2, stops=40, vehicles=6)
    workers.warm().result()
    threading.Timer(0.8, workers.close).start()
    solution = solve(problem, 20, workers=workers)
    assert solution.elapsed_seconds < 10
    assert solution.notes[0].startswith("The search stopped early")
    assert solution.evaluation.violations == ()
    assert workers._team is None


# The problem is sent once.


def test_a_process_that_does_not_know_a_problem_asks_for_it():
    problem = random_problem(3)
    task = Round("never seen before", None, Work.REPAIR, problem.plan_in_force(), 1, 0.0)
    assert run_round(task) is None
    known = run_round(Round("never seen before", problem, Work.REPAIR, problem.plan_in_force(), 1, 0.0))
    assert run_round(task) == known


def test_small_problems_stay_ready_and_large_ones_make_room(monkeypatch):
    problem = random_problem(3)
    rounds._kernels.clear()
    for number in range(12):
        run_round(Round(f"K{number}", problem, Work.REPAIR, problem.plan_in_force(), 1, 0.0))
    assert len(rounds._kernels) == 12
    monkeypatch.setattr(rounds, "PLACES_KEPT", 5 * rounds._kernels["K0"].sheet.km.size)
    run_round(Round("K12", problem, Work.REPAIR, problem.plan_in_force(), 1, 0.0))
    assert list(rounds._kernels) == ["K8", "K9", "K10", "K11", "K12"]


# A cluster.


def test_a_cluster_finds_the_plan_that_this_machine_finds(solvers, engine):
    assert solvers.count == 2
    problem = random_problem(5, stops=40, vehicles=6)
    here, there = (solve(problem, 60, iterations=300, lanes=2, workers=one) for one in (engine, solvers))
    assert there.routes == here.routes
    assert there.iterations == here.iterations


def test_depots_are_solved_on_a_cluster_with_a_worker_killed_in_the_middle(cluster, solvers):
    problems = depots(4, 40)
    undisturbed = solve_many(problems, 60, iterations=6000)
    killed = next(iter(cluster.workers.values())).process.process
    killer = threading.Timer(0.5, lambda: os.kill(killed.pid, signal.SIGKILL))
    killer.start()
    solutions = solve_many(problems, 60, iterations=6000, workers=solvers)
    killer.join()
    while killed.exitcode is None:
        time.sleep(0.01)
    assert killed.exitcode == -signal.SIGKILL
    for name, solution in solutions.items():
        assert solution.notes == ()
        assert solution.routes == undisturbed[name].routes
        assert solution.iterations == undisturbed[name].iterations
        assert solution.evaluation.violations == ()


def test_a_search_on_a_cluster_answers_a_cancel(solvers):
    began = time.monotonic()
    solution = solve(random_problem(6, stops=40), 30, cancelled=lambda: time.monotonic() > began + 1, workers=solvers)
    assert time.monotonic() - began < 5
    assert solution.cancelled
    assert solution.evaluation.violations == ()


def test_the_setting_names_the_cluster(monkeypatch, cluster, engine):
    monkeypatch.setenv(workers_module.ADDRESS, cluster.scheduler_address)
    workers_module.use(None)
    try:
        assert workers_module.shared().count == 2
        assert solve(random_problem(8), 60, iterations=50).iterations > 0
    finally:
        workers_module.shared().close()
        workers_module.use(engine)


def test_a_cluster_that_is_not_there_is_said_so(monkeypatch):
    monkeypatch.setattr(workers_module, "JOINING_SECONDS", 0.5)
    with pytest.raises(NotPossible, match=r"The solvers at tcp://127.0.0.1:9 \(LASTMILE_SOLVERS\) can't be reached"):
        solve(random_problem(8), 0.5, workers=Workers(address="tcp://127.0.0.1:9"))


def test_without_the_library_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(NotPossible, match="pip install distributed"):
        solve(random_problem(8), 0.5, workers=Workers(address="tcp://127.0.0.1:9"))
