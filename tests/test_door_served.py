"""The door of a real server: nothing accepted is lost by a kill, and the OpenAPI document says what is so."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lastmile import runtime
from lastmile.api import routes
from lastmile.api.answers import plain
from lastmile.api.document import document
from lastmile.connections import Connection, Register, TokenScope
from lastmile.intake import Intake
from lastmile.store import Store
from tests.serving import Served

pytestmark = [pytest.mark.xdist_group("served"), pytest.mark.timeout(600)]

ERP = Connection("erp", "The ERP", "Europe/Berlin")
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
DELIVERIES, STEPS = 60, ("loaded", "en_route_to_stop", "arrived", "delivered", "departed_stop")


def prepared(database) -> str:
    """A database with a token that may do all."""
    store = Store.open(database)
    register = Register(store)
    register.connect(ERP, "somebody")
    token = register.make_token("erp", list(TokenScope), "test", "somebody").secret
    store.close()
    return token


def requests() -> list[tuple[str, list[dict]]]:
    """(route, rows) of some hundred requests: orders, then the scans of each delivery; received when they happened."""
    orders = [
        {
            "delivery_id": f"D-{n}",
            "window_due": (START + timedelta(hours=4)).isoformat(),
            "recorded_at": START.isoformat(),
        }
        for n in range(DELIVERIES)
    ]
    scans = [
        {"delivery_id": f"D-{n}", "event": step, "occurred_at": at, "recorded_at": at, "route_id": f"R-{n % 5}"}
        for place, step in enumerate(STEPS)
        for n in range(DELIVERIES)
        for at in [(START + timedelta(minutes=20 * place, seconds=n)).isoformat()]
    ]
    parts = [("orders", orders[n : n + 5]) for n in range(0, len(orders), 5)]
    return parts + [("events", scans[n : n + 3]) for n in range(0, len(scans), 3)]


class InThisProcess:
    """The same routes without a server of their own: what nobody kills."""

    def __init__(self) -> None:
        self._client = TestClient(Starlette(routes=routes()))

    def asked(self, path: str, token: str, sent: list[dict]) -> tuple[int, Any]:
        answer = self._client.post(path, json=sent, headers={"authorization": f"Bearer {token}"})
        return answer.status_code, answer.json()


def send_all(
    served: Served | InThisProcess, token: str, senders: int = 6, killed_after: int | None = None
) -> list[tuple[str, dict]]:
    """Send all requests from some threads at once; the rows of those that were answered with 202.

    `killed_after`: so many accepted rows later the server is killed, whatever is on its way then.
    """
    waiting, accepted, lock = requests(), [], threading.Lock()

    def sender() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                route, rows = waiting.pop(0)
            status, _ = served.asked(f"/api/v1/{route}", token, rows)
            with lock:
                accepted.extend((route, row) for row in rows if status == 202)
                if status != 202:
                    waiting.clear()
                elif killed_after is not None and len(accepted) >= killed_after:
                    served.kill()

    threads = [threading.Thread(target=sender) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return accepted


def ledger(database) -> dict[str, list[dict]]:
    """All that the ledger and the tables of the present hold, once a tower has taken in what was accepted."""
    store = Store.open(database)
    Intake(store).stop()
    held = {
        table: plain(store.ask(f"from {table} order by all"))
        for table in ("event", "booking", "delivery", "route_run", "quarantined_row")
    }
    store.close()
    return held


def test_after_a_kill_a_restart_and_sending_all_again_the_ledger_is_as_if_nothing_had_happened(tmp_path, stand_on):
    undisturbed, killed = tmp_path / "undisturbed.duckdb", tmp_path / "killed.duckdb"
    token = prepared(undisturbed)
    stand_on(undisturbed)
    assert len(send_all(InThisProcess(), token, senders=1)) == DELIVERIES * (1 + len(STEPS))
    runtime.stop()

    token = prepared(killed)
    served = Served(killed)
    accepted = send_all(served, token, killed_after=100)
    held = ledger(killed)

    # what was answered with 202 is there, and it was neither nothing nor all
    known = {(row["delivery_id"], row["type"]) for row in held["event"]} | {
        (row["delivery_id"], "") for row in held["booking"]
    }
    assert {(f"erp:{row['delivery_id']}", row.get("event", "")) for _, row in accepted} <= known
    assert 0 < len(accepted) < DELIVERIES * (1 + len(STEPS))

    served = Served(killed)
    assert len(send_all(served, token)) == DELIVERIES * (1 + len(STEPS))
    served.stop()
    assert ledger(killed) == ledger(undisturbed)


# The document


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    database = tmp_path_factory.mktemp("served") / "tower.duckdb"
    token = prepared(database)
    served = Served(database)
    served.token = token
    for route, row in (
        ("orders", {"delivery_id": "D-1", "day": "2026-03-02"}),
        ("events", {"delivery_id": "D-1", "event": "loaded", "occurred_at": START.isoformat()}),
    ):
        assert served.asked(f"/api/v1/{route}", token, row)[0] == 202
    yield served
    served.stop()


def test_the_document_that_is_served_is_the_one_that_is_made(served):
    assert served.asked("/api/v1/openapi.json") == (200, document())


CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, unsupported_method,
]  # fmt: skip
OPERATIONS = [(path, method) for path, methods in document()["paths"].items() for method in methods]


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: part)
def test_answers_are_what_the_document_says_for_what_it_allows_and_for_what_it_does_not(served, path, method):
    schema = schemathesis.openapi.from_dict(document())
    schema.config.update(base_url=served.url)
    operation = schema[path][method.upper()]
    headers = {"Authorization": f"Bearer {served.token}"}
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]

    for mode in modes:
        cases = drawn(operation, mode)
        assert cases or mode is schemathesis.GenerationMode.NEGATIVE
        for case in cases:
            answer = case.call(headers=headers)
            case.validate_response(answer, checks=CHECKS)
            # rows of a list are judged one by one: some may be taken beside those that are wrong; and in an address
            # all values are texts, so what is of a wrong type there can't be told from a right one
            if mode is schemathesis.GenerationMode.NEGATIVE and method == "post" and not isinstance(case.body, list):
                case.validate_response(answer, checks=[negative_data_rejection])


def drawn(operation, mode, most: int = 12) -> list:
    """Some cases of an operation, the same in each run."""
    cases: list = []

    @settings(
        max_examples=most, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case):
        cases.append(case)

    with suppress(Unsatisfiable):  # nothing can be wrong with a request that has no parameter
        collect()
    return cases
