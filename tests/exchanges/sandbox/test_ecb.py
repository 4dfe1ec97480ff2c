"""The ECB's file of the invented world: as the product reads it, up to the last working day, in one piece with the prices."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from exchanges.sandbox.btse_market import MARKETS
from exchanges.sandbox.ecb import PATH, ReferenceRates
from exchanges.sandbox.world import World
from portfolio.rates import FIAT
from portfolio.sync import ecb

SATURDAY = datetime(2026, 11, 21, 9, tzinfo=UTC)


def world(now: datetime) -> World:
    """Looked at at that moment."""
    return World("ecb", now=lambda: now, opened=SATURDAY - timedelta(days=2))


def read(folder: Path, now: datetime) -> ecb.ReferenceRates:
    """What the product keeps of it."""
    client = httpx2.Client(transport=httpx2.WSGITransport(app=ReferenceRates(world(now))))
    rates = ecb.ReferenceRates(folder, f"http://ecb.test{PATH}", client)
    assert rates.refresh(now).error == ""
    return rates


def test_the_product_reads_the_price_of_the_world(tmp_path: Path) -> None:
    [found] = read(tmp_path, SATURDAY).quotes([], date(2026, 11, 20), date(2026, 11, 20))

    price = world(SATURDAY).prices.usd("EUR", datetime(2026, 11, 20, 13, 15, tzinfo=UTC))
    assert price is not None
    assert abs(found.price - price) < Decimal("0.0001")


def test_it_knows_every_currency_that_can_be_looked_in(tmp_path: Path) -> None:
    quotes = read(tmp_path, SATURDAY).quotes(FIAT, date(2026, 11, 20), date(2026, 11, 20))

    assert FIAT - {quote.counter for quote in quotes} == {"EUR", "BGN", "HRK", "RUB"}


@pytest.mark.parametrize(
    ("hour", "last"), [(14, date(2026, 11, 19)), (15, date(2026, 11, 20)), (24, date(2026, 11, 20))]
)
def test_a_days_rates_come_in_the_afternoon_and_no_weekend_has_any(
    tmp_path: Path, hour: int, last: date
) -> None:
    now = datetime.combine(date(2026, 11, 20), time(), UTC) + timedelta(hours=hour)
    assert read(tmp_path, now).newest == last


def test_it_reaches_back_before_every_life(tmp_path: Path) -> None:
    first = min(step.at for step in world(SATURDAY).tether.rows())
    assert list(read(tmp_path, SATURDAY).quotes([], first.date() - timedelta(days=5), first.date()))


def test_nothing_else_is_there() -> None:
    with httpx2.Client(transport=httpx2.WSGITransport(app=ReferenceRates(world(SATURDAY)))) as client:
        assert client.get("http://ecb.test/stats").status_code == 404


def test_what_is_held_has_closes_of_the_past_or_is_unpriced_on_purpose() -> None:
    closes = {market.split("-")[0] for market in MARKETS} | {"USD", "EUR"}
    assert set(World("demo", opened=SATURDAY).worth(SATURDAY)) - closes == {"GIFT", "DTRV"}
