"""Each page through the tower's own script, without a browser: what it shows, and that it never breaks."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from lastmile import attention, kpis, queries
from lastmile.model import Scope, stable_id
from lastmile.replanning.travel import fortnight_before, learned_travel
from lastmile.store import Store
from lastmile.ui import figures, format
from tests.conftest import FRIDAY, lent, opened

ROOT = Path(__file__).parents[1]
PAGES = {
    "live": "Live",
    "exceptions": "Exceptions",
    "response": "Response",
    "routes": "Routes",
    "deliveries": "Deliveries",
    "kpis": "KPIs",
    "import_data": "Import",
    "connections": "Connections",
    "notices": "Notices",
    "data_quality": "Data quality",
}
ADDRESSES = {"import_data": "import", "data_quality": "data-quality"}
DAY = date(2026, 11, 20)
BERLIN = ZoneInfo("Europe/Berlin")
LONG = (
    "Bundesanstalt für Wasserbau, Außenstelle Großbeeren-Süd, Abteilung für wasserbauliche Verbringungsmaßnahmen " * 2
)

pytestmark = pytest.mark.xdist_group("pages")


@cache
def components() -> BidiComponentManager:
    """What installed packages bring of their own for pages: looked up once, as a server does when it starts."""
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


def visit(page: str = "live", **address: str | list[str]) -> AppTest:
    """A page as a person with that address sees it."""
    app = AppTest.from_file(ROOT / "lastmile" / "ui" / "tower.py", default_timeout=60)
    app._bidi_component_manager = components()
    for name, value in address.items():
        app.query_params[name] = value
    if page != "live":  # `switch_page` knows a page by its address only after a first run, which would keep its widgets
        app._page_hash = calc_hash(ADDRESSES.get(page, page))
    return app.run()


def shows_no_error(app: AppTest) -> bool:
    return not app.exception and not app.error


def words(app: AppTest) -> str:
    """All that is written on a page outside its tables."""
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success]
    return "\n".join(str(part.value) for part in parts)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def frame(app: AppTest, told: str) -> pd.DataFrame:
    """The rows of the table whose name for screen readers starts so."""
    return next(table.value for table in app.dataframe if table.proto.alt.startswith(told))


# Every page


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_the_demo_without_an_error(demo_tower, name):
    app = visit(name)

    assert shows_no_error(app)
    assert app.title[0].value == PAGES[name]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_database(bare_tower, name):
    app = visit(name)

    assert shows_no_error(app)
    assert app.title[0].value == PAGES[name]


@pytest.mark.parametrize("name", ["live", "exceptions", "response", "routes", "kpis", "data_quality"])
def test_an_bare_tower_says_how_to_begin(bare_tower, name):
    app = visit(name)

    assert "Nothing is on record yet" in words(app)
    assert [link.value for link in app.page_link] == ["Bring in a file"]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_takes_a_scope_that_holds_nothing(demo_tower, name):
    app = visit(name, depots="Westhafen", carriers="Panke Logistik (3PL)", services="medical")

    assert shows_no_error(app)
    if name in ("live", "deliveries"):
        assert app.info


@pytest.mark.parametrize("name", PAGES)
def test_every_page_takes_a_day_that_nothing_is_planned_for_yet(demo_tower, name):
    app = visit(name, day="2026-11-21", period="Other days", days=["2026-11-21", "2026-11-21"], carriers="Own fleet")

    assert shows_no_error(app)
    if name in ("live", "Routes of the day"):
        assert app.info


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("import_data", "connections", "notices")])
def test_every_page_of_data_stands_at_a_past_instant_and_says_so(demo_tower, name):
    app = visit(name, as_of="2026-11-19T10:30")

    assert shows_no_error(app)
    assert "As known then" in words(app)
    assert "Thu 19 Nov, 10:30 CET" in words(app)


@pytest.fixture(scope="module")
def opened_single(empty_file, tmp_path_factory):
    path = Path(shutil.copy(empty_file, tmp_path_factory.mktemp("single") / "tower.duckdb"))
    store = Store.open(path)
    store.append({"booking": pd.DataFrame([booking("ONE-1", recipient="Workshop Lindner")])})
    store.close()
    yield from opened(path)


@pytest.fixture
def single_tower(opened_single, monkeypatch):
    """The tower with one delivery on record. For reading."""
    yield from lent(opened_single, monkeypatch)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_shows_a_single_delivery(single_tower, name):
    app = visit(name)

    assert shows_no_error(app)
    assert "Nothing is on record yet" not in words(app)


@pytest.fixture(scope="module")
def opened_long(demo_file, tmp_path_factory):
    path = Path(shutil.copy(demo_file, tmp_path_factory.mktemp("long") / "demo.duckdb"))
    store = Store.open(path)
    long_named(store)
    store.close()
    yield from opened(path)


@pytest.fixture
def long_tower(opened_long, monkeypatch):
    """The tower on a demo with very long names. For reading."""
    yield from lent(opened_long, monkeypatch)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_takes_very_long_names(long_tower, name):
    app = visit(name, chosen="delivery~LONG-1", delivery="LONG-1", vehicle="V-LONG")

    assert shows_no_error(app)
    if name in ("live", "deliveries"):
        assert LONG.strip() in words(app)


@pytest.mark.parametrize("name", PAGES)
def test_an_address_that_names_what_is_not_there_is_no_error(demo_tower, name):
    app = visit(
        name, depots="Atlantis", chosen="delivery~nobody", delivery="nobody", vehicle="none", kpi="none", as_of="when?"
    )

    assert shows_no_error(app)


def booking(delivery_id: str, **more: object) -> dict[str, object]:
    """A parcel for Friday morning between nine and eleven, in Berlin."""
    morning = datetime(2026, 11, 20, 9, tzinfo=BERLIN)
    return {
        "booking_id": stable_id(delivery_id),
        "recorded_at": morning - timedelta(days=1),
        "delivery_id": delivery_id,
        "kind": "delivery",
        "source": "shop",
        "depot_id": "WHF",
        "service": "parcels",
        "criticality": "routine",
        "day": DAY,
        "zone": "Europe/Berlin",
        "window_from": morning,
        "window_due": morning + timedelta(hours=2),
        "window_semantics": "arrival",
        "early_minutes": 0.0,
        "late_minutes": 0.0,
        "lon": 13.4,
        "lat": 52.5,
    } | more


def long_named(store) -> None:
    """Long names everywhere: depot, carrier, vehicle, and a delivery that is late."""
    told = {"recorded_at": FRIDAY, "name": LONG}
    depots = queries.depots(store)
    westhafen = depots[depots.depot_id == "WHF"].iloc[0]
    place = {"lon": westhafen.lon, "lat": westhafen.lat, "zone": "Europe/Berlin", "currency": "EUR"}
    vehicle = queries.vehicles(store, FRIDAY, DAY, Scope()).iloc[0]
    store.append(
        {
            "depot": pd.DataFrame([told | place | {"depot_id": "WHF"}]),
            "carrier": pd.DataFrame([told | {"carrier_id": "own", "kind": "own"}]),
            "vehicle": pd.DataFrame(
                [told | {"vehicle_id": vehicle.vehicle_id, "depot_id": "WHF", "carrier_id": "own"}]
            ),
            "booking": pd.DataFrame([booking("LONG-1", recipient=LONG, address=LONG, service=LONG.lower())]),
        }
    )


# Live


def test_the_tiles_of_live_are_the_measured_kpis(demo_tower):
    shown = metrics(visit())

    measured = kpis.measure(demo_tower.store, ["on_time_rate", "first_attempt_success"], day_from=DAY, day_to=DAY)
    for figure in measured.itertuples():
        assert shown[kpis.find(figure.key).label] == format.percent(figure.value)
    assert len(measured) == 2


def test_the_cost_of_a_running_day_is_that_of_the_last_whole_one(demo_tower):
    shown = metrics(visit())

    thursday = DAY - timedelta(days=1)
    measured = kpis.measure(demo_tower.store, ["cost_per_drop"], day_from=thursday, day_to=thursday).iloc[0]
    assert shown[kpis.find("cost_per_drop").label] == figures.shown(kpis.find("cost_per_drop"), measured.value, "EUR")


def test_the_counts_of_live_are_those_of_its_stops(demo_tower):
    shown = metrics(visit())

    counts = attention.counts(queries.stops(demo_tower.store, FRIDAY, DAY, Scope()))
    assert shown["Handed over"] == format.number(counts["handed_over"])
    assert shown["Late or at risk"] == format.number(counts["late"] + counts["at_risk"])
    assert counts["late"] > 0


def test_a_depot_in_the_address_narrows_figures_and_map(demo_tower):
    scope = Scope(depots=("WHF",))

    app = visit(depots="Westhafen")

    counts = attention.counts(queries.stops(demo_tower.store, FRIDAY, DAY, scope))
    assert metrics(app)["Late or at risk"] == format.number(counts["late"] + counts["at_risk"])
    measured = kpis.measure(demo_tower.store, ["on_time_rate"], day_from=DAY, day_to=DAY, scope=scope).iloc[0]
    assert metrics(app)[kpis.find("on_time_rate").label] == format.percent(measured.value)


def test_what_is_chosen_in_the_address_is_told_with_its_promise_and_cause(demo_tower):
    stops = queries.stops(demo_tower.store, FRIDAY, DAY, Scope())
    first = next(stops[~stops.done & (stops.status == "late") & stops.recipient.notna()].itertuples())

    app = visit(chosen=f"delivery~{first.delivery_id}")

    assert f"**{first.recipient}**" in words(app)
    assert attention.cause(first) in words(app)
    assert "Read its whole story" in [link.value for link in app.page_link]


def test_live_at_a_past_instant_counts_only_what_was_known_then(demo_tower):
    at = datetime(2026, 11, 20, 9, 30, tzinfo=BERLIN)

    shown = metrics(visit(as_of="2026-11-20T09:30"))

    then = attention.counts(queries.stops(demo_tower.store, at, DAY, Scope(), at))
    now = attention.counts(queries.stops(demo_tower.store, FRIDAY, DAY, Scope()))
    assert shown["Handed over"] == format.number(then["handed_over"])
    assert then["handed_over"] < now["handed_over"]


# Routes


def test_routes_lists_every_vehicle_of_the_day_with_what_it_has_done(demo_tower):
    shown = frame(visit("routes"), "Routes of the day")

    vehicles = queries.vehicles(demo_tower.store, FRIDAY, DAY, Scope())
    assert sorted(shown.name) == sorted(vehicles.vehicle)
    assert sorted(shown.done) == sorted(f"{row.deliveries_done} of {row.deliveries}" for row in vehicles.itertuples())


def test_routes_asks_which_depot_and_a_click_narrows_the_scope(demo_tower):
    app = visit("routes")
    assert "Which one?" in words(app)

    app.button(key="replan WHF").click().run()

    assert shows_no_error(app)
    assert app.query_params["depots"] == "Westhafen"
    assert "Re-optimize Westhafen" in [button.label for button in app.button]


def test_routes_says_how_good_the_travel_times_are_and_shows_the_hours_and_zones_behind_them(demo_tower):
    app = visit("routes", depots="Westhafen")
    learned = learned_travel(demo_tower.store, "WHF", **fortnight_before(DAY))
    assert learned.words in words(app)
    assert "off by" in learned.words and "the plain default by" in learned.words

    app.button(key="travel rows").click().run()

    rows = frame(app, "Travel times by hour and zone")
    assert rows.legs.sum() == learned.legs
    assert shows_no_error(app)


def test_routes_names_the_road_network_that_is_asked_or_what_is_wrong_with_the_setting(demo_tower, monkeypatch):
    monkeypatch.setenv("LASTMILE_TRAVEL", "valhalla:http://roads.example:8002")
    assert "Ways are asked of Valhalla at roads.example:8002" in words(visit("routes", depots="Westhafen"))

    monkeypatch.setenv("LASTMILE_TRAVEL", "roads.example")
    assert "The setting LASTMILE_TRAVEL can't be used" in words(visit("routes", depots="Westhafen"))


def test_a_past_day_cannot_be_changed(demo_tower):
    app = visit("routes", day="2026-11-19", depots="Westhafen")

    assert "can't" in words(app) or "not changed" in words(app)
    assert not [button for button in app.button if button.label.startswith("Re-optimize")]


def test_the_first_plan_of_each_depot_is_in_force_until_another_is_approved(demo_tower):
    versions = frame(visit("routes"), "Versions of the plans")

    assert versions.version.tolist() == [1, 1, 1]
    assert versions.depot_id.tolist() == ["GRB", "MRZ", "WHF"]


# Deliveries


def test_deliveries_finds_by_what_a_person_types(demo_tower):
    stops = queries.stops(demo_tower.store, FRIDAY, DAY, Scope())
    one = stops.dropna(subset=["recipient"]).iloc[0]

    shown = frame(visit("deliveries", q=one.delivery_id.lower()), "Deliveries found")

    assert one.delivery_id in shown.delivery_id.tolist()
    assert visit("deliveries", q="no such thing").info


def test_a_story_tells_the_promise_the_outcome_and_every_event_with_its_source(demo_tower):
    stops = queries.stops(demo_tower.store, FRIDAY, DAY, Scope())
    late = stops[stops.done & (stops.status == "late") & (stops.state == "delivered") & ~stops.revised].iloc[0]

    app = visit("deliveries", delivery=late.delivery_id)

    delivery = queries.delivery(demo_tower.store, late.delivery_id)
    events = queries.delivery_events(demo_tower.store, late.delivery_id)
    assert format.span(delivery.window_from, delivery.window_due, "Europe/Berlin") in words(app)
    assert format.instant(delivery.handed_over_at, "Europe/Berlin") in words(app)
    assert f"**{format.minutes(delivery.minutes_after_due)}** after the end" in words(app)
    shown = frame(app, "Events of")
    assert shown.source[shown.source != "positions"].tolist() == events.source.tolist()
    assert len(events) > 3


def test_a_story_tells_of_a_visit_that_no_scan_told_but_the_positions_of_the_van(demo_tower):
    seen = demo_tower.store.ask(
        "from inferred_visit_state($at, $day, $day) where left_at is not null order by entered_at, delivery_id",
        at=FRIDAY,
        day=DAY,
    ).iloc[0]

    shown = frame(visit("deliveries", delivery=seen.delivery_id), "Events of")

    inferred = shown[shown.status_source == "inferred"]
    assert inferred.what.tolist() == ["arrived (inferred)", "departed stop (inferred)"]
    assert inferred.occurred_at.tolist() == [seen.entered_at, seen.left_at]
    assert shown.occurred_at.is_monotonic_increasing


# KPIs and data quality


def test_the_scorecard_holds_every_kpi_of_the_catalogue_with_its_measured_value(demo_tower):
    shown = frame(visit("kpis", period="Yesterday"), "All KPIs").set_index("label")

    thursday = DAY - timedelta(days=1)
    measured = kpis.measure(demo_tower.store, list(kpis.CATALOGUE), day_from=thursday, day_to=thursday)
    assert sorted(shown.index) == sorted(kpi.label for kpi in kpis.CATALOGUE.values())
    for _, figure in measured.iterrows():
        kpi = kpis.find(figure.key)
        currency = figure.currency if format.known(figure.get("currency")) else None
        assert shown.loc[kpi.label, "value"] == figures.shown(kpi, figure.value, currency), kpi.key
        assert shown.loc[kpi.label, "n"] == figure.n


def test_a_kpi_of_every_kind_of_fact_opens_down_to_its_rows(demo_tower):
    app = visit("kpis", period="Yesterday")
    one_of_each = {kpi.fact: (key, kpi) for key, kpi in kpis.CATALOGUE.items()}

    for key, kpi in one_of_each.values():
        app.query_params["kpi"] = key
        app.run()
        assert shows_no_error(app), key
        assert f"#### {kpi.label}" in words(app), key


def test_the_rows_behind_a_figure_add_up_to_it(demo_tower):
    rows = frame(visit("kpis", kpi="on_time_rate", period="Yesterday"), "Rows behind On time")

    thursday = DAY - timedelta(days=1)
    figure = kpis.measure(demo_tower.store, ["on_time_rate"], day_from=thursday, day_to=thursday).iloc[0]
    assert len(rows) == figure.total
    parts = rows.part.value_counts()
    assert parts["numerator"] / (parts["numerator"] + parts["denominator"]) == pytest.approx(figure.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_a_menu_of_dishes_fed_to_the_import_page_is_answered_once(bare_tower, encoding):
    app = visit("import_data")
    menu = "Dish,Price,Chef\nSoup of the day,4.50,Ana\nRoast,12.90,Bo\n".encode(encoding)
    app.file_uploader[0].set_value([("menu.csv", menu, "text/csv")]).run()
    assert not app.exception and [error.value[:44] for error in app.error] == [
        "No column of menu.csv is known by its name ("
    ]
    assert not app.warning


def test_a_file_that_lacks_a_column_says_on_the_import_page_once_which(bare_tower):
    app = visit("import_data")
    app.file_uploader[0].set_value([("places.csv", b"latitude,longitude,speed\n52.5,13.4,40\n", "text/csv")]).run()
    said = "columns.time is missing; a mapping of positions needs time, vehicle_id"
    assert not app.exception and [error.value for error in app.error] == [said]
    assert said not in words(app)
