"""The figures that pages draw: what Plotly accepts, gaps open, nothing that a name could break."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio import charts
from portfolio.looks import AssetPoint, Point
from portfolio.rates import DayPrice, Price, closing_time
from portfolio.valuation import Part
from tests.portfolio.rates_rows import NOW

START = datetime(2026, 1, 1, tzinfo=UTC)


def line(*values: str, uncertain: tuple[int, ...] = ()) -> list[Point]:
    """A point a day; "-" is a gap."""
    return [
        Point(
            at=START + timedelta(days=n),
            value=None if value == "-" else Decimal(value),
            uncertain=n in uncertain,
        )
        for n, value in enumerate(values)
    ]


def part(label: str, value: str | None) -> Part:
    """A share of the whole."""
    return Part(
        key=label, label=label, holdings=(), value_usd=None if value is None else Decimal(value), share=None
    )


def asset_day(n: int, value: str | None = "2") -> AssetPoint:
    """The n-th day of an asset."""
    known = None if value is None else Decimal(value)
    day = date(2026, 1, 1) + timedelta(days=n)
    return AssetPoint(day=day, quantity=Decimal(n), value=known)


def price(n: int) -> DayPrice:
    """A price on the n-th day."""
    day = date(2026, 1, 1) + timedelta(days=n)
    return DayPrice(
        asset="BTC",
        day=day,
        usd=Decimal(n + 1),
        source="s",
        route=("BTC", "USD"),
        at=closing_time(day),
        carried_days=0,
    )


FIGURES = {
    "worth": charts.worth_figure(line("1", "2", "-", "4", "5", uncertain=(4,))),
    "worth of nothing": charts.worth_figure([]),
    "ring": charts.allocation_figure([part("BTC", "5"), part("GIFT", None)]),
    "asset": charts.asset_figure([asset_day(0), asset_day(1, None)]),
    "rate": charts.rate_figure([price(0), price(1), price(4)]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_accepts_every_figure_and_it_travels_as_json(name: str) -> None:
    go.Figure(FIGURES[name])
    assert json.loads(json.dumps(FIGURES[name], allow_nan=False)) == FIGURES[name]


@pytest.mark.parametrize("name", FIGURES)
def test_only_what_the_basic_bundle_draws_is_used(name: str) -> None:
    assert {trace["type"] for trace in FIGURES[name]["data"]} <= {"scatter", "bar", "pie"}


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", FIGURES)
def test_colours_are_names_of_the_stylesheet_and_nothing_is_loaded(name: str) -> None:
    texts = _strings(FIGURES[name])
    assert not [text for text in texts if text.startswith("#") or "http" in text]


def test_a_line_of_worth_keeps_gaps_open_and_dashes_what_is_uncertain() -> None:
    sure, unsure = FIGURES["worth"]["data"]
    assert sure["y"] == [1.0, 2.0, None, 4.0, None] and not sure["connectgaps"]
    assert unsure["y"] == [None, None, None, 4.0, 5.0] and unsure["line"]["dash"] == "dot"


def test_what_is_certain_needs_no_dashed_line() -> None:
    assert len(charts.worth_figure(line("1", "2"))["data"]) == 1


def test_years_of_days_are_thinned_but_ends_and_gaps_stay() -> None:
    values = [str(n) for n in range(2000)]
    values[777] = "-"
    y = charts.worth_figure(line(*values))["data"][0]["y"]
    assert (y[0], y[-1], y.count(None)) == (0.0, 1999.0, 1) and len(y) <= 401


def test_small_parts_are_drawn_together_and_the_ring_is_whole() -> None:
    ring = charts.allocation_figure([part(f"A{n}", str(n)) for n in range(1, 21)])["data"][0]
    assert (len(ring["labels"]), ring["labels"][-1], sum(ring["values"])) == (8, "13 others", 210)


def test_what_is_unpriced_has_no_slice() -> None:
    assert FIGURES["ring"]["data"][0]["labels"] == ["BTC"]


def test_a_name_cannot_bring_a_tag_into_a_chart() -> None:
    label = charts.allocation_figure([part("<a href=x>BTC</a>", "5")])["data"][0]["labels"][0]
    assert label == "a href=xBTC/a"


def test_days_without_a_price_leave_the_line_of_a_rate_open() -> None:
    assert FIGURES["rate"]["data"][0]["y"] == [1.0, 2.0, None, 5.0]


def test_the_current_price_ends_the_line_of_a_rate() -> None:
    now = Price(asset="BTC", usd=Decimal(9), source="s", route=("BTC", "USD"), at=NOW)
    assert charts.rate_figure([price(0)], now)["data"][0]["y"] == [1.0, 9.0]


@pytest.mark.parametrize(
    ("values", "path"),
    [
        (["1", "2", "3"], "M1.0 23.0L48.0 12.0L95.0 1.0"),
        (["1", "1"], "M1.0 12.0L95.0 12.0"),
        (["1", None, "2", "3"], "M1.0 23.0M63.7 12.0L95.0 1.0"),
        (["1"], ""),
        ([None, None], ""),
        ([], ""),
    ],
)
def test_a_small_line_is_a_path(values: list[str | None], path: str) -> None:
    assert charts.sparkline([None if value is None else Decimal(value) for value in values]) == path


@given(st.lists(st.none() | st.decimals(0, 10**18, places=6), max_size=40))
def test_a_small_line_never_leaves_its_box(values: list[Decimal | None]) -> None:
    numbers = charts.sparkline(values).replace("M", " ").replace("L", " ").split()
    assert all(0 <= float(x) <= 96 for x in numbers[::2]) and all(0 <= float(y) <= 24 for y in numbers[1::2])
