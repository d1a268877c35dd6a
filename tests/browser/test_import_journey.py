"""A stranger's first hour: an empty tower, a real file, and what it says about the service."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.watching import A_WHILE, is_sound, settled

PICKUPS = Path(__file__).resolve().parents[3] / "shared" / "data" / "lade" / "pickup_five_cities_6190.csv"
SAYS = {"early_rate": "23.3", "on_time_rate": "75.0", "late_rate": "1.8"}
"""Percent of the promised pickups; worked out by hand-written SQL in the tests of the KPIs."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        not PICKUPS.exists() and not os.environ.get("LASTMILE_REQUIRE_REAL_FILES"), reason=f"{PICKUPS.name} is not here"
    ),
]


@pytest.fixture(scope="module")
def tower_settings(tmp_path_factory):
    return {"LASTMILE_DATABASE": str(tmp_path_factory.mktemp("import") / "empty.duckdb")}


def test_a_real_file_is_imported_and_the_kpis_tell_what_it_holds(screen):
    page = settled(screen.open("/"))
    page.get_by_role("link", name="Bring in a file").click()
    page.get_by_role("heading", name="Import").wait_for()

    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(PICKUPS)
    start = page.get_by_role("button", name=f"Import {PICKUPS.name}")
    start.wait_for(timeout=A_WHILE)
    settled(page)
    assert is_sound(page)
    screen.shoot("journey_3_preview")
    start.click()
    done = page.locator("[data-testid=stAlertContentSuccess]", has_text="is done:")
    done.wait_for(timeout=2 * A_WHILE)
    settled(page)
    screen.shoot("journey_3_imported")
    told = re.sub(r"\s+(?=\d{3}\b)", "", done.inner_text())
    read, taken, repeated, refused = (
        int(number) for number in re.findall(r"(\d+) (?:rows read|taken|repeated|refused)", told)
    )
    assert (read, taken) == (6190, 6190)
    assert read == taken + repeated + refused
    assert is_sound(page)

    page.get_by_role("link", name="See what it says").click()
    page.get_by_role("heading", name="KPIs").wait_for()
    settled(page)
    period = {
        name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items() if name in ("period", "days")
    }
    for kpi, percent in SAYS.items():
        page = settled(screen.open(f"/kpis?{urlencode(period | {'kpi': kpi})}"))
        figure = page.locator("strong", has_text=re.compile(rf"^{re.escape(percent)}\s?%$"))
        expect(figure.first).to_be_visible(timeout=A_WHILE)
        assert is_sound(page)
    screen.shoot("journey_3_kpis")
