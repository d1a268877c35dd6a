"""Every page of the program, alone, on an empty database, in a real browser."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

PATHS = ["/", "/exceptions", "/response", "/routes", "/deliveries", "/kpis", "/import", "/data-quality"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tower_settings(tmp_path_factory):
    return {"LASTMILE_DATABASE": str(tmp_path_factory.mktemp("empty") / "empty.duckdb")}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_opens_on_an_empty_database_and_asks_for_nothing_from_elsewhere(screen, theme):
    asked = set()
    screen.page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))

    for path in PATHS:
        page = screen.open(path)
        page.locator("h1").first.wait_for()
        assert page.locator("[data-testid=stException]").count() == 0, path
        assert page.get_by_text("This part can't be shown").count() == 0, path
        screen.shoot(f"empty{path.replace('/', '_')}_{theme}")

    assert asked - {None, ""} == {"127.0.0.1"}


@pytest.mark.parametrize("width", [390])
def test_no_page_scrolls_sideways_on_a_phone(screen, width):
    for path in PATHS:
        page = screen.open(path)
        page.locator("h1").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
