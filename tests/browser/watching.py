"""What the journeys share: waiting for a page, and seeing that it is sound."""

from __future__ import annotations

from playwright.sync_api import Page, expect

A_WHILE = 30_000
"""Milliseconds that a page may take on a slow machine."""


def settled(page: Page) -> Page:
    """Wait until the page has run to its end, and all that it draws has come."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=A_WHILE)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=A_WHILE)
    return page


def is_sound(page: Page) -> bool:
    """No traceback, and no box that says that something went wrong."""
    broken = page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count()
    return broken == 0 and "Traceback" not in page.inner_text("body")
