"""A van breaks down: one grouped exception, re-optimized from it, approved, customers told, resolved, and measured."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.test_journeys import A_WHILE, IN_FORCE, SEARCHED, cells, choose, chosen, settled
from tests.browser.watching import is_sound

VAN, DEPOT = "WHF-03", "Westhafen"
NOTICED = 90_000
"""Milliseconds until the driver's call is on record and the tower has looked at the day again, on a slow machine."""
HEADING, ROW = 36, 57

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def tower_settings(demo_file, tmp_path_factory):
    """The tower on a copy of the demo: Friday 11:15, running on from there."""
    return {"LASTMILE_DATABASE": shutil.copy(demo_file, tmp_path_factory.mktemp("exception") / "demo.duckdb")}


@pytest.mark.timeout(600)
def test_a_van_breaks_down_and_its_stops_are_saved_and_the_response_is_measured(screen):
    page = settled(screen.open(f"/?depots={DEPOT}"))
    page.get_by_role("button", name=re.compile("^Demo")).click()
    choose(page, "A van that is out", VAN)
    page.get_by_role("button", name="Let it break down").click()
    settled(page)
    page.get_by_text("10 times", exact=True).click()  # the driver's call comes two minutes later
    page.get_by_role("button", name="Demo · 10 times").wait_for(timeout=A_WHILE)

    page = settled(screen.open(f"/exceptions?depots={DEPOT}&rules=Vehicle+broke+down"))
    say_who_i_am(page, "Mira Adler")
    page.get_by_text(re.compile("^1 shown")).wait_for(timeout=NOTICED)
    tick_first(page)
    detail = page.locator(".st-key-exception").first
    detail.get_by_text(re.compile(rf"Vehicle broke down · {VAN}, \d+ stops")).first.wait_for(timeout=A_WHILE)
    exception_id = chosen(page, "exception")
    settled(page)
    page.wait_for_timeout(2_500)  # the map is drawn
    screen.shoot("exception_1_chosen")

    page.get_by_role("button", name="Take it").click()
    detail.get_by_text("owner Mira Adler").wait_for(timeout=A_WHILE)
    page.get_by_role("button", name="Re-optimize without this van").click()
    page.wait_for_url("**/routes**", timeout=A_WHILE)
    page.get_by_role("button", name="Approve").wait_for(timeout=SEARCHED)
    settled(page)
    page.wait_for_timeout(2_000)
    screen.shoot("exception_2_proposal")
    expect(page.get_by_text(re.compile(f"{VAN} drives no more")).first).to_be_visible()
    page.get_by_label("Why").fill("the van stands still")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("checkbox", name=re.compile(r"Tell \d+ customers"))).to_be_checked()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text(IN_FORCE).wait_for(timeout=A_WHILE)
    page.get_by_text("Customers are told").wait_for(timeout=A_WHILE)

    page.get_by_role("link", name="Exceptions", exact=True).first.click()
    page.get_by_role("heading", name="Exceptions", exact=True).wait_for()
    detail.get_by_text(re.compile(rf"Vehicle broke down · {VAN}")).first.wait_for(timeout=A_WHILE)
    settled(page)
    closed = detail.get_by_text(re.compile("resolved: prevented|over by itself")).first
    try:
        closed.wait_for(timeout=20_000)  # its stops are on other vans: the tower sees that by itself
    except TimeoutError:
        resolve(page)
        closed.wait_for(timeout=A_WHILE)
    page.wait_for_timeout(1_500)
    screen.shoot("exception_3_resolved")
    told = cells(page)
    for step in ("detected", "assigned", "acted on"):
        assert step in told
    assert "Mira Adler" in told

    page.get_by_role("link", name="Response", exact=True).first.click()
    page.get_by_role("heading", name="Response", exact=True).wait_for()
    choose(page, "Period", "Today")
    row = response_row(page, "Vehicle broke down")
    screen.shoot("exception_4_response")
    assert row["n"] == "1"
    assert row["open"] == "0"
    assert all(re.search(r"\d", row[time]) for time in ("detect_p50", "acknowledge_p50", "act_p50", "resolve_p50"))
    assert exception_id
    assert is_sound(page)


def resolve(page: Page) -> None:
    """Close it by hand, with what came of it and why."""
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Resolve").or_(page.get_by_role("option", name="Resolve")).first.click()
    page.get_by_label("Why").fill("its stops are on other vans")
    page.get_by_role("button", name="Resolve").last.click()


def response_row(page: Page, name: str) -> dict[str, str]:
    """The row of a group of the table by rule: column → what its cell says to a screen reader."""
    table = page.locator(".st-key-groups [data-testid=stDataFrame]").first
    table.wait_for(timeout=A_WHILE)
    table.scroll_into_view_if_needed()
    cell = table.locator("[role=gridcell]", has_text=name).first
    expect(cell).to_be_attached(timeout=A_WHILE)
    texts = cell.locator("xpath=ancestor::tr[1]").locator("[role=gridcell]").all_text_contents()
    names = ["name", "n", "open", "detect_p50", "acknowledge_p50", "act_p50", "resolve_p50", "resolve_p90"]
    return dict(zip(names, texts, strict=False))


def say_who_i_am(page: Page, name: str) -> None:
    page.get_by_role("button", name="Who are you?").click()
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("button", name=name).wait_for(timeout=A_WHILE)
    page.keyboard.press("Escape")
    settled(page)
    page.reload()  # the browser remembers it
    page.get_by_role("button", name=name).wait_for(timeout=A_WHILE)
    settled(page)


def tick_first(page: Page) -> None:
    """Tick the first row of the queue, which is drawn: by its place."""
    place = page.locator(".st-key-exceptions [data-testid=stDataFrame]").first.bounding_box()
    page.mouse.click(place["x"] + 16, place["y"] + HEADING + ROW / 2)
    page.wait_for_url(re.compile(r"[?&]exception="), timeout=A_WHILE)
