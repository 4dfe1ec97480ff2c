"""What is rendered once stays true: each word has its own text, and no page shows another's."""

from __future__ import annotations

import re

from django.template import engines
from django.test import Client
from django.urls import set_script_prefix

from portfolio.templatetags.steady import MOST

STEADY = "{% load steady %}{% steady word %}{{ word }}{{ turn }}{% endsteady %}"


def test_a_stretch_is_rendered_once_for_each_word() -> None:
    template = engines["django"].from_string(STEADY)
    assert [template.render({"word": word, "turn": n}) for n, word in enumerate("aba")] == ["a0", "b1", "a0"]


def test_words_without_end_are_rendered_but_not_kept() -> None:
    template = engines["django"].from_string(STEADY)
    for word in range(MOST + 1):
        template.render({"word": word, "turn": "-"})
    assert template.render({"word": 0, "turn": "+"}) == "0-"
    assert template.render({"word": MOST, "turn": "+"}) == f"{MOST}+"


def test_links_follow_the_place_under_which_a_request_finds_us() -> None:
    template = engines["django"].from_string(
        "{% load steady %}{% steady %}{% url 'holdings' %}{% endsteady %}"
    )
    links = []
    for prefix in ("/", "/money/", "/"):
        set_script_prefix(prefix)
        links.append(template.render())
    assert links == ["/holdings/", "/money/holdings/", "/holdings/"]


def test_the_navigation_marks_the_page_that_is_shown(as_alice: Client) -> None:
    for address in ("/", "/holdings/", "/ledger/", "/"):
        page = as_alice.get(address).content.decode()
        assert re.findall(r'<li><a href="([^"]+)" aria-current="page"', page) == [address]


def test_the_switch_marks_the_currency_of_each_user(as_alice: Client) -> None:
    for currency in ("EUR", "BTC", "EUR"):
        as_alice.post("/settings/currency/", {"currency": currency})
        assert f"<option selected>{currency}</option>" in as_alice.get("/").content.decode()
