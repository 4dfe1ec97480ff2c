"""In a real browser: the first visitor, an authenticator app, a passkey and the admin pages, without a console error."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

CHROMIUM = shutil.which("chromium")
PASSWORD = "a long pass phrase"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}
ADMIN = (
    "",
    "accounts/connection/",
    "accounts/connection/add/",
    "accounts/user/",
    "portfolio/run/",
    "auditlog/logentry/",
)


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said."""
    return []


@pytest.fixture
def page(complaints: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page with a passkey device; Django's database is used beside the browser's event loop."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on(
            "console",
            lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        device = page.context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        yield page
        browser.close()


def submit(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.fill(f"[name={name}]", value)
    page.click("main button.primary")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_way_in_works_in_a_browser(page: Page, complaints: list[str], live_server: LiveServer) -> None:
    address = live_server.url
    page.goto(address)
    submit(page, email="owner@example.org", password1=PASSWORD, password2=PASSWORD)
    page.goto(f"{address}/accounts/2fa/totp/activate/")
    submit(page, password=PASSWORD)
    secret = page.input_value("#authenticator_secret")
    submit(page, code=format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))
    page.goto(f"{address}/accounts/2fa/webauthn/add/")
    page.check("[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(f"{address}/accounts/2fa/")
    for each in ADMIN:
        page.goto(f"{address}/admin/{each}")
        assert page.url == f"{address}/admin/{each}"
    page.goto(f"{address}/accounts/logout/")
    submit(page)
    page.click("#passkey_login")
    page.wait_for_url(f"{address}/")
    assert complaints == []
