"""A chromium that looks at the real pages: a closed network, no plug-ins, what it complains of is written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect, sync_playwright

from accounts.models import User

Scheme = Literal["light", "dark"]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"
# Playwright keeps an event loop in this thread; Django would take every query for an asynchronous one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
PATIENCE = 120_000
"""Milliseconds until a page that does not come counts as missing, on however busy a computer."""
expect.set_options(timeout=PATIENCE)


@dataclass
class Visitor:
    """Alice's browser window and all that went wrong in it."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    strange_hosts: list[str] = field(default_factory=list)

    def listen(self, host: str) -> None:
        """Write down errors, dialogs, and whatever is asked of another host."""

        def complain(text: str) -> None:
            self.complaints.append(text)

        def refuse(dialog: Dialog) -> None:
            complain(f"A dialog says {dialog.message}")
            dialog.dismiss()

        def watch(asked: Request) -> None:
            if not asked.url.startswith((host, "data:", "blob:")):
                self.strange_hosts.append(asked.url)

        def hear(said: ConsoleMessage) -> None:
            if said.type in {"error", "warning"}:
                complain(said.text)

        self.page.on("console", hear)
        self.page.on("pageerror", lambda error: complain(str(error)))
        self.page.on("dialog", refuse)
        self.page.on("request", watch)

    def open(self, path: str) -> Page:
        """The page of that path, drawn."""
        self.page.goto(self.address + path, wait_until="networkidle")
        return self.page

    def shoot(self, name: str) -> None:
        """Put a picture of the whole page where a person can look at it."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; skipped where there is none, unless REQUIRE_BROWSER is set."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("chromium is missing and REQUIRE_BROWSER is set.")
        pytest.skip("chromium is not installed: apt-get install chromium, or run make test as root.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(
    chromium: Browser, live_server: Any, alice: User, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    """A window of 1440 px in light colours, or as `indirect` parameters (width, scheme) say."""
    width, scheme = cast(tuple[int, Scheme], getattr(request, "param", (1440, "light")))
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    session = Client()
    session.force_login(alice)
    context.add_cookies(
        [{"name": "session", "value": session.cookies["session"].value, "url": live_server.url}]
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    visitor = Visitor(page, live_server.url)
    visitor.listen(live_server.url)
    yield visitor
    context.close()
