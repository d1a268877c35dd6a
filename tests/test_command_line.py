"""The command line: help that teaches, JSON for programs, exit status 0, 1 and 2, messages for people."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lastmile.__main__ import main
from lastmile.commands import COMMANDS
from lastmile.store import Store
from tests.conftest import FRIDAY
from tests.receiving import mail_server
from tests.road_networks import road_network

ROOT = Path(__file__).parents[1]
UNTIL = FRIDAY.isoformat()


@pytest.fixture
def empty_database(tmp_path, monkeypatch):
    monkeypatch.setenv("LASTMILE_DATABASE", str(tmp_path / "tower.duckdb"))
    return tmp_path / "tower.duckdb"


@pytest.fixture
def demo_copy(demo_database, monkeypatch):
    """A copy of the demo that a test may write to, named by the setting."""
    monkeypatch.setenv("LASTMILE_DATABASE", str(demo_database))
    return demo_database


@pytest.fixture
def demo(demo_to_read, monkeypatch):
    """The demo for reading, named by the setting."""
    monkeypatch.setenv("LASTMILE_DATABASE", str(demo_to_read))
    return demo_to_read


def said(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_help_names_every_command_and_teaches_the_first_steps():
    told = subprocess.run([sys.executable, "-m", "lastmile", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0
    assert all(command.name in told.stdout for command in COMMANDS)
    assert "First steps" in told.stdout


def test_a_call_that_is_off_ends_with_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["deliver"])
    assert ended.value.code == 2
    assert "invalid choice: 'deliver'" in capsys.readouterr().err


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_each_command_has_help_of_its_own(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert command in capsys.readouterr().out


def test_doctor_says_what_to_do_where_there_is_no_database(empty_database, capsys):
    assert main(["doctor"]) == 1
    assert "make run" in capsys.readouterr().out


def test_doctor_finds_a_demo_in_order(demo, capsys):
    assert main(["doctor", "--json"]) == 0
    findings = {finding["what"]: finding for finding in said(capsys)}
    assert all(finding["ok"] for finding in findings.values())
    assert findings["table delivery"]["found"] == "0 rows differ from the ledger"
    assert "source telematics" in findings


def test_a_demo_is_not_built_over_a_database_by_accident(demo, capsys):
    assert main(["demo"]) == 1
    assert "--replace" in capsys.readouterr().err


def test_kpi_splits_and_prints_json(demo, capsys):
    assert (
        main(["kpi", "--kpi", "on_time_rate", "--by", "depot", "--from", "2026-11-19", "--to", "2026-11-19", "--json"])
        == 0
    )
    rows = said(capsys)
    assert [row["depot"] for row in rows] == ["GRB", "MRZ", "WHF"]
    assert all(row["included"] + row["excluded"] + row["unknown"] == row["total"] for row in rows)
    assert all(0.5 < row["value"] <= 1 for row in rows)


def test_kpi_says_which_keys_there_are(demo, capsys):
    assert main(["kpi", "--kpi", "speed"]) == 1
    assert "on_time_rate" in capsys.readouterr().err


def test_kpi_as_of_an_instant_knows_less(demo, capsys):
    day = ["--kpi", "first_attempt_success", "--from", "2026-11-19", "--to", "2026-11-19", "--json"]
    main(["kpi", *day, "--as-of", "2026-11-19T11:00+01:00"])
    then = said(capsys)[0]["n"]
    main(["kpi", *day])
    assert 0 < then < said(capsys)[0]["n"]


def test_reoptimize_proposes_and_approves(demo_copy, capsys):
    assert main(["reoptimize", "--seconds", "1", "--at", UNTIL, "--json"]) == 1
    assert "Name one depot with --depot, or all. There are: GRB, MRZ, WHF." in capsys.readouterr().err
    call = ["reoptimize", "--depot", "Westhafen", "--seconds", "1", "--at", UNTIL, "--approve", "a test", "--json"]
    assert main(call) == 0
    told = said(capsys)
    assert told["decision"] == "approved"
    assert told["open_stops"] > 100
    assert told["cost"][1] <= told["cost"][0] or told["not_served"]


def test_reoptimize_all_proposes_for_every_depot_beside_each_other(demo_copy, capsys):
    assert main(["reoptimize", "--depot", "all", "--seconds", "0.5", "--at", UNTIL, "--json"]) == 0
    told = said(capsys)
    assert [one["depot_id"] for one in told] == ["GRB", "MRZ", "WHF"]
    assert {one["decision"] for one in told} == {"proposed"}
    assert all(one["cost"][1] <= one["cost"][0] or one["not_served"] for one in told)
    assert main(["reoptimize", "--depot", "all", "--out", "WHF-12"]) == 1
    assert "name it with --depot" in capsys.readouterr().err


def test_depots_without_a_plan_are_told_and_make_the_exit_status_1(demo_copy, capsys):
    assert main(["reoptimize", "--depot", "all", "--seconds", "0.5", "--at", "2026-11-22T11:00+01:00", "--json"]) == 1
    told = said(capsys)
    assert [one["depot_id"] for one in told] == ["GRB", "MRZ", "WHF"]
    assert all("No plan is in force" in one["refused"] for one in told)


def test_ctrl_c_ends_the_searches_of_all_depots_and_nothing_is_proposed(demo_copy):
    call = ["reoptimize", "--depot", "all", "--seconds", "120", "--at", UNTIL]
    with subprocess.Popen(
        [sys.executable, "-m", "lastmile", *call], stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as run:
        told = iter(run.stderr.readline, "")
        assert any("improving" in line for line in told)
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 1
        assert "Stopped. Nothing half done was kept." in run.stderr.read()
    store = Store.open(demo_copy)
    assert store.value("select count(*) from plan where made_by = 'command line'") == 0
    store.close()


def test_travel_says_how_far_off_it_is_and_lists_hours_and_zones_of_one_depot(demo, capsys):
    assert main(["travel", "--json"]) == 0
    depots = said(capsys)
    assert [one["depot_id"] for one in depots] == ["GRB", "MRZ", "WHF"]
    assert all(
        0 < one["misses"]["mean_absolute_minutes"] < one["default_misses"]["mean_absolute_minutes"] for one in depots
    )
    assert all(sum(hour["legs"] for hour in one["hours"]) == one["legs"] for one in depots)
    assert main(["travel", "--depot", "Westhafen"]) == 0
    told = capsys.readouterr().out
    assert "Now used: great circle, learned from" in told
    assert "default_off_minutes" in told
    assert main(["travel", "--depot", "Nowhere"]) == 1
    assert "There is no such depot. There are: GRB, MRZ, WHF." in capsys.readouterr().err


def test_travel_asks_the_road_network_of_the_settings_and_tells_what_became_of_it(demo, monkeypatch, capsys):
    with road_network() as roads:
        monkeypatch.setenv("LASTMILE_TRAVEL", f"osrm:{roads.address}")
        assert main(["travel", "--depot", "WHF"]) == 0
        assert f"Now used: OSRM at {roads.address[7:]}, hours" in capsys.readouterr().out
    assert main(["travel", "--depot", "WHF"]) == 0
    assert "can't be reached; great circle, learned from" in capsys.readouterr().out


def test_a_file_goes_in_and_comes_out(empty_database, tmp_path, capsys):
    assert main(["import", str(ROOT / "data" / "templates" / "orders.csv"), "--json"]) == 0
    counts = next(iter(said(capsys)["files"].values()))
    assert counts["rows_read"] == counts["rows_taken"] + counts["rows_repeated"] + counts["rows_refused"] > 0
    target = tmp_path / "out.csv"
    assert main(["export", "delivery", str(target)]) == 0
    assert target.read_text(encoding="utf-8-sig").startswith("delivery_id,")
    capsys.readouterr()
    assert main(["import", "--undo", counts["import_id"]]) == 0
    capsys.readouterr()
    main(["kpi", "--kpi", "on_time_rate", "--json"])
    assert said(capsys)[0]["total"] == 0


def test_a_file_that_nobody_knows_is_refused_with_the_way_on(empty_database, tmp_path, capsys):
    strange = tmp_path / "strange.csv"
    strange.write_text("a,b\n1,2\n")
    assert main(["import", str(strange)]) == 1
    assert "python -m lastmile guess" in capsys.readouterr().err


def test_guess_prints_a_mapping(empty_database, capsys):
    assert main(["guess", str(ROOT / "data" / "templates" / "events.csv"), "--json"]) == 0
    told = said(capsys)
    assert told["known"] == "own_events"
    assert told["preview"]["rows_refused"] == 0


def test_a_backup_can_be_opened(demo, tmp_path, monkeypatch, capsys):
    copy = tmp_path / "saved.duckdb"
    assert main(["backup", str(copy), "--json"]) == 0
    events = sum(source["events"] for source in said(capsys)["sources"])
    monkeypatch.setenv("LASTMILE_DATABASE", str(copy))
    assert main(["doctor", "--json"]) == 0
    assert events > 10_000


LADE = ROOT.parent / "shared" / "data" / "lade"


@pytest.mark.skipif(
    not LADE.exists() and "LASTMILE_REQUIRE_REAL_FILES" not in os.environ,
    reason="the LaDe files are not beside the checkout",
)
def test_the_lade_pickups_give_their_known_answers_on_the_command_line(empty_database, capsys):
    """6,190 pickups: the figures that were worked out from the file itself when it was published to us."""
    assert main(["import", str(LADE / "pickup_five_cities_6190.csv"), "--json"]) == 0
    counts = next(iter(said(capsys)["files"].values()))
    assert (counts["rows_read"], counts["rows_taken"], counts["rows_refused"]) == (6190, 6190, 0)
    keys = ["early_rate", "on_time_rate", "late_rate", "minutes_late_p50", "lead_time_p50", "handover_far_rate"]
    main(["kpi", *(part for key in keys for part in ("--kpi", key)), "--json"])
    rows = {row["key"]: row for row in said(capsys)}
    assert [round(100 * rows[key]["value"], 2) for key in keys[:3]] == [23.28, 74.96, 1.76]
    assert (rows["minutes_late_p50"]["value"], rows["lead_time_p50"]["value"]) == (40, 124)
    assert rows["handover_far_rate"]["numerator"] == 537


@pytest.mark.skipif(
    not LADE.exists() and "LASTMILE_REQUIRE_REAL_FILES" not in os.environ,
    reason="the LaDe files are not beside the checkout",
)
def test_the_jilin_deliveries_have_no_promise_and_say_so(empty_database, capsys):
    assert main(["import", str(LADE / "delivery_jl_first106.csv"), "--json"]) == 0
    capsys.readouterr()
    main(["kpi", "--kpi", "on_time_rate", "--json"])
    row = said(capsys)[0]
    assert (row["value"], row["n"], row["unknown"]) == (None, 0, 106)
    assert row["trust_why"] == "only 0 % of deliveries have a promised window"


def test_the_definitions_in_docs_are_those_of_the_catalogue(capsys):
    assert main(["kpi", "--define"]) == 0
    assert (ROOT / "docs" / "kpis.md").read_text(encoding="utf-8") == capsys.readouterr().out
    assert main(["exceptions", "--define"]) == 0
    assert (ROOT / "docs" / "exceptions.md").read_text(encoding="utf-8").endswith(f"\n\n{capsys.readouterr().out}")


def test_notices_lists_what_was_told_and_a_test_says_what_came_of_it(demo, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LASTMILE_DATABASE", str(shutil.copy(demo, tmp_path / "told.duckdb")))
    assert main(["notices"]) == 0
    assert "No notice was asked for" in capsys.readouterr().out
    assert main(["notices", "--test", "ann@example.com"]) == 1
    assert "no mail server is set up (LASTMILE_SMTP)" in capsys.readouterr().err
    with mail_server() as inbox:
        monkeypatch.setenv("LASTMILE_SMTP", f"smtp://127.0.0.1:{inbox.port}")
        monkeypatch.setenv("LASTMILE_SMTP_FROM", "Dispatch <dispatch@example.com>")
        assert main(["notices", "--test", "ann@example.com"]) == 0
        assert "took it on" in capsys.readouterr().out
        assert main(["notices", "--test", "ann at example"]) == 1
        assert "no web address" in capsys.readouterr().err
    assert inbox.recipients == [["ann@example.com"]]
    assert main(["notices", "--json"]) == 0
    [told] = said(capsys)
    assert (told["state"], told["address"], told["audience"]) == ("sent", "ann@example.com", "test")
