"""Theme and hidden amounts are cookies, set by POST alone."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.parametrize("address", ["/", "/holdings/", "/ledger/", "/connections/", "/rates/", "/settings/"])
def test_a_page_asks_an_anonymous_visitor_to_log_in(db: None, client: Client, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_amounts_are_hidden_until_they_are_shown_again(as_alice: Client) -> None:
    as_alice.post("/settings/amounts/", {"amounts": "hidden", "next": "/settings/"})
    hidden = as_alice.get("/settings/").content
    as_alice.post("/settings/amounts/", {"amounts": "shown"})

    assert b'data-amounts="hidden"' in hidden
    assert b'data-amounts="hidden"' not in as_alice.get("/settings/").content


def test_the_theme_is_one_of_three(as_alice: Client) -> None:
    as_alice.post("/settings/theme/", {"theme": "dark"})
    dark = as_alice.get("/settings/").content
    as_alice.post("/settings/theme/", {"theme": '"><script>'})

    assert b'data-theme="dark"' in dark
    assert b"data-theme" not in as_alice.get("/settings/").content


def test_the_way_back_never_leads_to_another_host(as_alice: Client) -> None:
    response = as_alice.post("/settings/amounts/", {"amounts": "hidden", "next": "https://evil.example/"})

    assert response["Location"] == "/"


def test_appearance_changes_by_post_alone(as_alice: Client) -> None:
    assert as_alice.get("/settings/amounts/").status_code == 405
    assert as_alice.get("/settings/theme/").status_code == 405


@pytest.mark.parametrize("address", ["/nowhere/", "/ledger/x/"])
def test_a_wrong_address_is_a_page_in_the_same_style(as_alice: Client, address: str) -> None:
    response = as_alice.get(address)

    assert response.status_code == 404
    assert b"There is nothing here" in response.content
