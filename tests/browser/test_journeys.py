"""What people come for, from the first click to the last, in a real browser on the demo operation."""

from __future__ import annotations

import json
import re
import shutil
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.watching import A_WHILE, is_sound, settled

PATHS = ["/", "/exceptions", "/response", "/routes", "/deliveries", "/kpis", "/import", "/data-quality"]
SEARCHED = 120_000
"""Milliseconds until a proposal stands: the first search may wait for its processes, which compile once on a new machine."""
IN_FORCE = re.compile(r"Version \d+ is in force")
ROW, HEADING, TALL = 34, 34, 57
"""Height of a table's rows in pixels, and of those with words over two lines: tables are drawn, so that a row is clicked by
its place."""

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def tower_settings(demo_file, tmp_path_factory):
    """The tower on a copy of the demo: Friday 11:15, running on from there."""
    return {"LASTMILE_DATABASE": shutil.copy(demo_file, tmp_path_factory.mktemp("journeys") / "demo.duckdb")}


def click_row(page: Page, key: str, row: int, height: int = ROW) -> None:
    """Click the mark at the start of a table's row, `height` pixels high; the first is 0."""
    table = page.locator(f".st-key-{key} [data-testid=stDataFrame]").first
    table.scroll_into_view_if_needed()
    place = table.bounding_box()
    page.mouse.click(place["x"] + 16, place["y"] + HEADING + height * row + height / 2)


def chosen(page: Page, name: str = "chosen") -> str | None:
    """What the address bar says; Playwright's own `page.url` follows a page's history entries late."""
    return parse_qs(urlsplit(page.evaluate("location.href")).query).get(name, [None])[0]


def wait_for_address(page: Page, name: str) -> str:
    page.wait_for_url(re.compile(rf"[?&]{name}="), timeout=A_WHILE)
    return chosen(page, name)


def test_the_first_figures_stay_where_they_were_painted(screen):
    """Map, table and filters come after them, into room that was kept."""
    page = screen.open("/")
    figures = page.get_by_test_id("stMetricValue")
    figures.first.wait_for(timeout=A_WHILE)
    assert re.search(r"\d", figures.first.inner_text())
    painted = figures.first.bounding_box()

    page.get_by_test_id("stMultiSelect").first.wait_for(timeout=A_WHILE)
    settled(page)
    assert figures.first.bounding_box() == painted


def test_from_the_queue_to_the_history_of_an_exception_and_the_whole_story_of_its_delivery(screen):
    page = settled(screen.open("/"))
    page.get_by_text("Needs attention").wait_for()

    click_row(page, "queue", 0, TALL)
    kind, _, exception_id = wait_for_address(page, "chosen").partition("~")
    assert kind == "exception"
    page.get_by_role("link", name="Open with its history").wait_for()
    screen.shoot("journey_1_chosen")
    page.get_by_role("link", name="Open with its history").click()
    page.wait_for_url("**/exceptions?**")
    page.get_by_text(re.compile("^History")).wait_for(timeout=A_WHILE)
    assert chosen(page, "exception") == exception_id
    screen.shoot("journey_1_history")

    page = settled(screen.open("/exceptions?rules=Late"))
    click_row(page, "exceptions", 0, TALL)
    page.get_by_role("link", name="Read the delivery's whole story").click()
    page.wait_for_url("**/deliveries?**")
    settled(page)
    page.get_by_text("First promise").wait_for()
    page.get_by_text(re.compile(r"\d+ on record")).wait_for()
    events = page.locator("[data-testid=stDataFrame]").first
    events.scroll_into_view_if_needed()
    for heading in ("Event", "Source", "Told by", "Latency"):
        expect(events.locator("th", has_text=heading).first).to_be_attached()
    assert is_sound(page)
    screen.shoot("journey_1_story")


def test_a_tick_keeps_the_choice_and_the_scope(screen):
    page = settled(screen.open("/?depots=Westhafen"))
    click_row(page, "queue", 0, TALL)
    before = wait_for_address(page, "chosen")
    badge = page.get_by_text(re.compile(r"as of \d\d:\d\d:\d\d")).first
    told = badge.inner_text()

    expect(badge).not_to_have_text(told, timeout=A_WHILE)  # the clock has gone on
    page.wait_for_timeout(6_000)  # and once more

    assert chosen(page) == before
    assert chosen(page, "depots") == "Westhafen"
    expect(page.get_by_role("link", name="Open with its history")).to_be_visible()
    assert is_sound(page)


def test_the_scope_goes_along_from_page_to_page(screen):
    page = settled(screen.open("/?depots=Westhafen"))

    for name in ("Routes", "KPIs", "Live"):
        page.get_by_role("link", name=name, exact=True).first.click()
        page.get_by_role("heading", name=name, exact=True).wait_for()
        settled(page)
        page.wait_for_function("new URL(location.href).searchParams.get('depots') === 'Westhafen'", timeout=A_WHILE)
        assert "Westhafen" in page.locator(".st-key-bar").inner_text(), name


@pytest.mark.timeout(600)
def test_a_day_is_re_optimized_compared_approved_and_driven(screen):
    layers: list[dict] = []
    screen.page.on(
        "response", lambda answer: "/layers/routes" in answer.url and layers.append({"url": answer.url, "body": answer})
    )
    page = settled(screen.open("/?depots=Westhafen"))
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(e => e.name.includes('/layers/routes'))"
    )
    before = orders(page, layers[-1]["url"])

    page = settled(screen.open("/routes?depots=Westhafen"))
    page.get_by_text("3 s", exact=True).click()
    page.get_by_role("button", name="Re-optimize Westhafen").click()
    page.get_by_role("button", name="Approve").wait_for(timeout=SEARCHED)
    settled(page)
    for figure in ("Cost of the rest of the day", "Distance", "Late minutes", "Promises broken", "Not served"):
        expect(page.get_by_text(figure, exact=True).first).to_be_visible()
    page.wait_for_timeout(2_000)  # the map is drawn
    screen.shoot("journey_2_proposal")

    page.get_by_role("button", name="Approve").click()
    page.get_by_text("Say in a word why").wait_for()
    page.get_by_label("Why").fill("Two vans were running late")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text(IN_FORCE).wait_for(timeout=A_WHILE)
    settled(page)
    page.get_by_text("Plan versions").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    screen.shoot("journey_2_approved")
    told = cells(page)
    assert "approved" in told
    assert "operator" in told
    assert "Two vans were running late" in told

    page = settled(
        screen.open("/notices")
    )  # customers were told with the approval; the demo sends nothing, and says so
    expect(page.get_by_text("No e-mail goes out")).to_be_visible()
    waiting = page.get_by_test_id("stMetric").filter(has_text="Waiting")
    expect(waiting).not_to_have_text(re.compile(r"Waiting\D*0\D"), timeout=A_WHILE)
    screen.shoot("journey_2_notices")

    layers.clear()
    page = settled(screen.open("/?depots=Westhafen"))
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(e => e.name.includes('/layers/routes'))"
    )
    page.wait_for_timeout(2_000)
    screen.shoot("journey_2_live")
    after = orders(page, layers[-1]["url"])
    assert set(after) == set(before)
    assert [route for route in after if after[route] != before.get(route)]
    assert is_sound(page)


@pytest.mark.timeout(600)
def test_a_van_is_taken_out_within_a_budget_and_a_calmer_plan_of_the_frontier_comes_into_force(screen):
    page = settled(screen.open("/routes?depots=Marzahn"))
    page.get_by_role("button", name="By hand").click()
    choose(page, "Vehicle", "MRZ-08")
    page.get_by_label("Why").fill("flat tyre")
    page.keyboard.press("Tab")
    settled(page)
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="MRZ-08 drives no more (flat tyre)").wait_for(timeout=A_WHILE)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Limits").click()
    for label, most in (("Stops changing vehicle", "12"), ("Stops' goods handed over", "12")):
        page.get_by_role("spinbutton", name=label).fill(most)
        page.keyboard.press("Tab")
        settled(page)
    page.keyboard.press("Escape")
    page.get_by_text("At most 12 stops change vehicle").wait_for(timeout=A_WHILE)
    page.get_by_text("3 s", exact=True).click()
    settled(page)
    screen.shoot("journey_4_asked")
    page.get_by_role("button", name=re.compile("^Re-optimize")).click()
    page.get_by_role("button", name="Cancel").wait_for(timeout=A_WHILE)

    page.get_by_role("link", name="KPIs", exact=True).first.click()  # it goes on while somebody looks elsewhere
    page.get_by_role("heading", name="KPIs", exact=True).wait_for()
    settled(page)
    page.get_by_role("link", name="Routes", exact=True).first.click()
    page.get_by_role("button", name="Approve").wait_for(timeout=SEARCHED)
    settled(page)
    for asked in ("MRZ-08 drives no more (flat tyre)", "At most 12 stops change vehicle"):
        expect(page.get_by_text(asked).first).to_be_visible()
    page.wait_for_timeout(2_000)
    screen.shoot("journey_4_proposal")

    best = figure(page, "Stops that change vehicle")
    assert 0 < best <= 12
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("ArrowLeft")
    page.get_by_text(re.compile("Shown: the frontier's plan")).wait_for(timeout=A_WHILE)
    settled(page)
    calmer = figure(page, "Stops that change vehicle")
    assert calmer < best
    screen.shoot("journey_4_calmer")

    page.get_by_label("Why").fill("Fewer drivers to call")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text(IN_FORCE).wait_for(timeout=A_WHILE)
    settled(page)
    page.locator(".st-key-hindsight").first.scroll_into_view_if_needed()
    page.wait_for_timeout(800)
    screen.shoot("journey_4_approved")
    told = cells(page)
    assert "Fewer drivers to call" in told
    assert "approved" in told
    assert is_sound(page)


def choose(page: Page, label: str, text: str) -> None:
    """Type into a selectbox and take what it offers."""
    page.get_by_label(label, exact=True).click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    settled(page)


def figure(page: Page, label: str) -> int:
    """The whole number on the tile with this label."""
    tile = page.locator("[data-testid=stMetric]", has_text=label)
    return int(re.sub(r"\D", "", tile.locator("[data-testid=stMetricValue]").inner_text()))


def orders(page: Page, url: str) -> dict[str, list]:
    """Route → the places that it visits, in order, as the map's layer tells."""
    answer = page.request.get(url)
    assert answer.status == 200
    features = json.loads(answer.text())["features"]
    return {feature["properties"]["id"]: feature["geometry"]["coordinates"] for feature in features}


def cells(page: Page) -> str:
    """What the tables say to a screen reader."""
    return " ".join(page.locator("[data-testid=stDataFrame] [role=gridcell]").all_text_contents())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_sound_in_both_themes(screen, theme):
    for path in PATHS:
        page = settled(screen.open(path))
        page.locator("h1").first.wait_for()
        page.wait_for_timeout(700)  # maps and charts are drawn
        screen.shoot(f"demo{path.replace('/', '_')}_{theme}")
        assert is_sound(page), path


@pytest.mark.parametrize("width", [390])
def test_live_can_be_read_on_a_phone(screen, width):
    page = settled(screen.open("/"))
    page.get_by_text("Needs attention").wait_for()
    page.wait_for_timeout(1_500)
    screen.shoot("demo_live_phone")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert is_sound(page)
