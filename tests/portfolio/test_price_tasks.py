"""The tasks that fetch prices, against the sandbox over real sockets on this computer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Connection, User
from exchanges.sandbox.server import Serving, exchanges
from exchanges.sandbox.world import World
from portfolio import tasks, valuation
from portfolio.celery import app
from portfolio.models import DailyHolding, PriceHistory, WorthPoint
from portfolio.sync import quotes
from tests.conftest import make_connection
from tests.portfolio.valuation_rows import make_balance


@pytest.fixture
def market(settings: Settings) -> Iterator[None]:
    """Three exchanges that answer, and tasks that run at once."""
    app.conf.update(task_always_eager=True)
    with Serving(exchanges(World("prices"), btse={"pace": None}), port_base=0) as urls:
        settings.EXCHANGE_URLS = urls
        yield
    app.conf.update(task_always_eager=False)


@pytest.fixture
def account(alice: User) -> Connection:
    """A bitcoin seen nine days ago and confirmed now."""
    connection = make_connection(alice)
    now = timezone.now()
    make_balance(connection, "BTC", "1", seen=now - timedelta(days=9), until=now)
    valuation.update(connection, since=None, now=now)
    return connection


def test_one_refresh_values_now_and_all_of_the_past(account: Connection, alice: User, market: None) -> None:
    tasks.refresh_rates()
    assert valuation.portfolio_of(alice, timezone.now()).unpriced == ()
    assert not DailyHolding.objects.filter(value_usd=None).exists() and not quotes.has_news()


def test_filling_leaves_the_work_to_whoever_is_at_it(account: Connection, market: None) -> None:
    cache.add(tasks.FILLING, True, 60)
    tasks.fill_prices()
    assert PriceHistory.objects.filter(asked_at=None).exists()


def test_an_hour_without_a_sync_still_leaves_a_point(account: Connection, market: None) -> None:
    WorthPoint.objects.update(at=timezone.now() - timedelta(hours=2))
    tasks.refresh_rates()
    tasks.refresh_rates()
    assert WorthPoint.objects.count() == 2
