"""How fast a file becomes a validated ledger, against DuckDB's bare `create table as select * from read_csv(file)`.

    python -m bench.import_bench [rows]

Makes its files in a temporary folder and prints one line per kind of file. The aim: no less than a third of the bare speed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from lastmile.ingest.imported import Import
from lastmile.ingest.importing import run_import, take
from lastmile.ingest.mapping import Mapping, load
from lastmile.ingest.opened import Reading
from lastmile.ingest.reading import read_file
from lastmile.ingest.scratch import scratch
from lastmile.ingest.validating import check
from lastmile.store import Store

MAPPINGS = Path(__file__).parents[1] / "data" / "mappings"
MEMORY = "2GB"
TURNS = 5
WRITTEN = ("booking", "event", "plan", "route", "planned_stop")
EVENTS = """
select 'D' || (i // 6) as delivery_id,
    ['order_received', 'released_to_warehouse', 'loaded', 'departed_depot', 'arrived', 'delivered'][1 + i % 6] as event,
    strftime(timestamp '2026-01-01' + to_seconds((i * 7) % 20000000), '%Y-%m-%d %H:%M:%S') as occurred_at,
    strftime(timestamp '2026-01-01' + to_seconds((i * 7) % 20000000 + 30), '%Y-%m-%d %H:%M:%S') as recorded_at,
    'R' || (i // 100) as route_id, 'V' || (i % 300) as vehicle_id, 'north' as depot_id,
    round(13.3 + (i % 1000) / 5000, 5) as lon, round(52.4 + (i % 997) / 5000, 5) as lat, 5 as accuracy_m,
    null as reason, 'driver ' || (i % 300) as actor
from range($rows) as numbers(i)
"""
PICKUPS = """
select i as order_id, i % 130 as region_id, 'city ' || (i % 5) as city, i % 1200 as courier_id,
    strftime(accepted, '%m-%d %H:%M:%S') as accept_time,
    strftime(date_trunc('hour', accepted) + interval 1 hour, '%m-%d %H:%M:%S') as time_window_start,
    strftime(date_trunc('hour', accepted) + interval 3 hour, '%m-%d %H:%M:%S') as time_window_end,
    round(106.4 + (i % 1000) / 5000, 5) as lng, round(29.4 + (i % 997) / 5000, 5) as lat, i % 3000 as aoi_id, 1 as aoi_type,
    strftime(accepted + to_minutes(60 + i % 120), '%m-%d %H:%M:%S') as pickup_time,
    round(106.4 + (i % 1000) / 5000, 5) as pickup_gps_lng, round(29.4 + (i % 997) / 5000, 5) as pickup_gps_lat
from (select i, timestamp '2022-05-01' + to_seconds((i * 13) % 15000000) as accepted from range($rows) as numbers(i))
"""

ORDERS = """
select 'D' || i as delivery_id, 'O' || (i // 2) as order_id, 'delivery' as kind, 'depot ' || (i % 3) as depot_id,
    'carrier ' || (i % 4) as carrier_id, ['parcels', 'medical', 'spares', 'construction'][1 + i % 4] as service,
    'routine' as criticality, strftime(starts, '%Y-%m-%d') as day, strftime(starts, '%Y-%m-%dT%H:%M:%SZ') as window_from,
    strftime(starts + interval 2 hour, '%Y-%m-%dT%H:%M:%SZ') as window_due,
    strftime(starts - interval 12 hour, '%Y-%m-%dT%H:%M:%SZ') as ordered_at, 'Recipient ' || (i % 70000) as recipient,
    'Street ' || (i % 5000) || ' ' || (i % 90) as address, lpad((10000 + i % 4000)::varchar, 5, '0') as postcode, 'area ' || (i % 12) as area,
    round(13.1 + (i % 1000) / 2000, 5) as lon, round(52.3 + (i % 997) / 2500, 5) as lat, round(1 + i % 300 / 10, 1) as weight_kg,
    1 + i % 5 as pieces, 3 as service_minutes
from (select i, timestamp '2026-01-01 08:00:00' + to_minutes(i * 7 % 400000) as starts from range($rows) as numbers(i))
"""
ROUTES = """
select 'R' || (i // 80) as route_id, 'V' || (i // 80 % 300) as vehicle_id, 'depot ' || (i // 80 % 3) as depot_id,
    'carrier ' || (i // 80 % 4) as carrier_id, strftime(leaves, '%Y-%m-%d') as day, 1 + i % 80 as stop, 'D' || i as delivery_id,
    strftime(leaves + to_minutes(30 + 6 * (i % 80)), '%Y-%m-%dT%H:%M:%SZ') as arrive_at,
    strftime(leaves + to_minutes(34 + 6 * (i % 80)), '%Y-%m-%dT%H:%M:%SZ') as depart_at,
    strftime(leaves, '%Y-%m-%dT%H:%M:%SZ') as departs_at, strftime(leaves + interval 10 hour, '%Y-%m-%dT%H:%M:%SZ') as returns_at,
    1.2 as distance_km, 3 as drive_minutes
from (select i, timestamp '2026-01-01 07:00:00' + to_days((i // 24000)::integer) as leaves from range($rows) as numbers(i))
"""
POSITIONS = """
select 'V' || (i % 300) as vehicle_id, 'R' || (i % 300) as route_id,
    strftime(timestamp '2026-01-01' + to_seconds(i // 300 * 30 + i % 27), '%Y-%m-%dT%H:%M:%SZ') as occurred_at,
    strftime(timestamp '2026-01-01' + to_seconds(i // 300 * 30 + i % 27 + hash(i) % 5), '%Y-%m-%dT%H:%M:%SZ') as recorded_at,
    round(13.3 + (i % 300) / 1000 + hash(i, 1) % 1000 / 50000, 5) as lon,
    round(52.4 + (i % 300) / 1000 + hash(i, 2) % 1000 / 50000, 5) as lat, 3 + hash(i, 3) % 20 as accuracy_m, hash(i, 4) % 90 as speed_kmh
from range($rows) as numbers(i)
"""


@dataclass(frozen=True)
class Taken:
    """Seconds of the clock, and of the processor over all its threads."""

    clock: float
    processor: float


FILES = {
    "own_events": EVENTS,
    "own_positions": POSITIONS,
    "own_routes": ROUTES,
    "own_orders": ORDERS,
    "lade_pickups": PICKUPS,
}


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def make_file(folder: Path, name: str, query: str, rows: int) -> Path:
    """A CSV file of made-up rows."""
    path = folder / f"{name}.csv"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create table made as {query}", {"rows": rows})
        connection.table("made").write_csv(str(path))
    return path


def measure(folder: Path, path: Path, mapping: Mapping) -> str:
    """One line: bare seconds, seconds to the ledger, seconds with the derived tables, and the ratios of speeds.

    The ratio of processor seconds stands beside that of the clock: it tells more where other work runs on the machine. The
    ratio of writing alone is what an import could reach that neither read nor checked anything.
    """
    # by turns, and the median of their ratios: the best of each would favour the shorter one where other work runs
    turns = [_one_turn(folder, path, mapping, turn) for turn in range(TURNS)]
    bare, ledger = (statistics.median(turn[place].clock for turn in turns) for place in (0, 1))
    speeds = statistics.median(turn[0].clock / turn[1].clock for turn in turns)
    worked = statistics.median(turn[0].processor / turn[1].processor for turn in turns)
    floor = statistics.median(turn[0].processor / turn[2].processor for turn in turns)
    store = Store.open(folder / f"{path.stem}.whole.duckdb", MEMORY)
    whole = timed(lambda: run_import(store, path, mapping, "bench"))
    again = timed(lambda: run_import(store, path, mapping, "bench"))
    store.close()
    return (
        f"read_csv {bare:.2f} s, to the ledger {ledger:.2f} s (ratio of speeds {speeds:.2f}, by processor seconds "
        f"{worked:.2f}, of writing the same rows alone {floor:.2f}), "
        f"with derived tables {whole:.2f} s, the same file again {again:.2f} s"
    )


def _one_turn(folder: Path, path: Path, mapping: Mapping, turn: int) -> list[Taken]:
    """What the bare read, the import and writing the import's rows from memory take, each into a new database."""
    stores = [Store.open(folder / f"{path.stem}.{name}{turn}.duckdb", MEMORY) for name in ("bare", "ledger", "written")]
    bare, ledger, written = stores
    taken = [
        _taken(partial(_read_bare, bare, path)),
        _taken(partial(_import_to_ledger, ledger, path, mapping)),
    ]
    ledger.close()
    with written.cursor() as connection:
        tables = _into_memory(connection, ledger.path)
        taken.append(_taken(partial(_write_again, connection, tables)))
    for store in stores:
        store.close()
        store.path.unlink()
    return taken


def _taken(action: Callable[[], None]) -> Taken:
    worked = time.process_time()
    clock = timed(action)
    return Taken(clock, time.process_time() - worked)


def _into_memory(connection: duckdb.DuckDBPyConnection, ledger: Path) -> list[str]:
    """Copy what an import wrote into a database in memory, `rows`; returns the tables."""
    connection.execute("attach ':memory:' as rows")
    connection.execute(f"attach '{ledger}' as ledger (read_only)")
    tables = [name for name in WRITTEN if connection.execute(f"select exists (from ledger.{name})").fetchone()[0]]
    for name in tables:
        connection.execute(f"create table rows.{name} as from ledger.{name}")
    connection.execute("detach ledger")
    return tables


def _write_again(connection: duckdb.DuckDBPyConnection, tables: list[str]) -> None:
    connection.execute("begin")
    for name in tables:
        connection.execute(f"insert into {name} from rows.{name}")
    connection.execute("commit")


def _read_bare(store: Store, path: Path) -> None:
    with store.cursor() as connection:
        connection.execute("create or replace table bare as select * from read_csv($path)", {"path": str(path)})


def _import_to_ledger(store: Store, path: Path, mapping: Mapping) -> None:
    imported = Import("bench", mapping, datetime.now(UTC))
    with scratch(store) as place:
        opened = read_file(place.connection, path, Reading.of(mapping))
        checked = check(place.connection, opened, mapping, imported.now)
        with store.write() as connection:
            place.see_both(connection)
            take(connection, imported, opened, checked, lambda *_: None)


def run(folder: Path, rows: int = 1_000_000) -> list[tuple[str, str]]:
    """The figures for each kind of file that comes in bulk."""
    files = {name: make_file(folder, name, query, rows) for name, query in FILES.items()}
    return [
        (
            f"Import of {rows:,} rows, kind {load(MAPPINGS / f'{name}.toml').kind}",
            measure(folder, path, load(MAPPINGS / f"{name}.toml")),
        )
        for name, path in files.items()
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for what, figure in run(Path(name), *map(int, sys.argv[1:])):
            print(f"{what}: {figure}")
