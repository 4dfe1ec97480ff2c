"""Prices are asked of everybody, kept where they are news, and remembered as far as they were asked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from accounts.models import Connection, User
from exchanges.connect import public
from exchanges.errors import Unreachable
from exchanges.records import Candle, Quote
from exchanges.sandbox.server import exchanges
from exchanges.sandbox.world import World
from portfolio import rates
from portfolio.models import DailyPrice, PriceHistory, Rate
from portfolio.rates import closing_time
from portfolio.sync import quotes
from portfolio.sync.ecb import ReferenceRates
from portfolio.sync.market import keep, thin
from portfolio.valuation import update
from tests.conftest import make_connection
from tests.exchanges.clocks import VirtualClock
from tests.portfolio.rates_rows import make_rate
from tests.portfolio.valuation_rows import make_balance

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 30, 15, 0, tzinfo=UTC)
TODAY = NOW.date()


def quote(pair: str, price: str, *, at: datetime = NOW, source: str = "BTSE") -> Quote:
    """What a source says about "BTC/USD"."""
    base, counter = pair.split("/")
    return Quote(base=base, counter=counter, price=Decimal(price), source=source, at=at)


class Silent:
    """A source that cannot be reached."""

    def quotes(self, assets: Iterable[str]) -> Iterator[Quote]:
        """Says one thing, then nothing."""
        yield quote("BTC/USD", "1", at=NOW - timedelta(minutes=3), source="Silent")
        raise Unreachable

    def candles(self, asset: str, start: date, end: date) -> Iterator[Candle]:
        """Never answers."""
        raise Unreachable
        yield


class Closing(Silent):
    """A source that knows one close of everything."""

    def candles(self, asset: str, start: date, end: date) -> Iterator[Candle]:
        """The close of the last day asked for."""
        yield Candle(base=asset, counter="USD", day=end, close=Decimal("1.1"), source="X")


@pytest.fixture
def reference(tmp_path: Path) -> ReferenceRates:
    """The ECB's rates as they come with the package."""
    return ReferenceRates(tmp_path)


@pytest.fixture
def sources() -> quotes.Sources:
    """BTSE and Tokens.net of the sandbox, without sockets."""
    clock = VirtualClock(NOW)
    world = World("rates", now=clock.now)
    apps = exchanges(world, btse={"pace": None})
    return {
        name: public(
            name,
            base_url=f"http://127.0.0.1:{port}",
            clock=clock,
            client=httpx2.Client(transport=httpx2.WSGITransport(app=app)),
        )
        for port, (name, app) in enumerate(apps.items(), start=8801)
    }


@pytest.fixture
def account(alice: User) -> Connection:
    """Some bitcoin, tether, euros, and a gift that nobody prices."""
    connection = make_connection(alice)
    for asset in ("BTC", "USDT", "EUR", "GIFT"):
        make_balance(connection, asset, "1", seen=NOW - timedelta(days=40), until=NOW)
    return connection


def test_a_refresh_prices_what_is_held_and_leaves_out_what_nobody_prices(
    account: Connection, sources: quotes.Sources, reference: ReferenceRates
) -> None:
    done = quotes.refresh(NOW, sources=sources, reference=reference)
    known = rates.current(["BTC", "USDT", "EUR", "GIFT"], NOW)
    assert done.failures == () and set(known) == {"BTC", "USDT", "EUR"}
    assert known["EUR"].source == "ECB" and 1000 < known["BTC"].usd < 1_000_000
    assert {row.asset for row in DailyPrice.objects.filter(day=TODAY)} == {"BTC", "USDT", "EUR"}


def test_rates_of_weeks_without_the_ecb_are_filled_in_when_it_answers_again(
    account: Connection, tmp_path: Path
) -> None:
    def said(*days: str) -> ReferenceRates:
        table = "Date,USD,\n" + "".join(f"{day},1.2,\n" for day in days)
        with zipfile.ZipFile(tmp_path / "eurofxref-hist.zip", "w") as archive:
            archive.writestr("eurofxref-hist.csv", table)
        return ReferenceRates(tmp_path)

    before = NOW - timedelta(days=28)
    quotes.refresh(before, sources={}, reference=said("2026-10-02"))
    done = quotes.refresh(NOW, sources={}, reference=said("2026-10-30", "2026-10-15", "2026-10-02"))

    late = DailyPrice.objects.get(asset="EUR", day=date(2026, 10, 16))
    assert late.carried_days == 1
    assert [(one.asset, one.first) for one in done.changed] == [("EUR", date(2026, 10, 3))]


def test_nobody_is_asked_for_what_nobody_holds(db: None, reference: ReferenceRates) -> None:
    done = quotes.refresh(NOW, sources={"Silent": Silent()}, reference=reference)
    assert done.failures == () and not Rate.objects.exclude(source="ECB").exists()


def test_a_source_that_fails_is_named_and_does_not_stop_the_others(
    account: Connection, sources: quotes.Sources, reference: ReferenceRates
) -> None:
    done = quotes.refresh(NOW, sources={"Silent": Silent(), **sources}, reference=reference)
    assert [failure.source for failure in done.failures] == ["Silent"] and done.failures[0].advice
    assert "BTC" in rates.current(["BTC"], NOW) and Rate.objects.filter(source="Silent").count() == 1


def test_the_same_quote_is_kept_once_and_a_new_price_or_time_again(db: None) -> None:
    first = quote("BTC/USD", "1", at=NOW - timedelta(minutes=5))
    assert [keep([first, first], NOW).new, keep([first], NOW).new] == [1, 0]
    assert keep([quote("BTC/USD", "1", at=NOW)], NOW).new == 1
    assert list(Rate.objects.filter(newest=True).values_list("at", flat=True)) == [NOW]


def test_an_older_quote_that_comes_late_does_not_become_the_newest(db: None) -> None:
    keep([quote("BTC/USD", "2", at=NOW)], NOW)
    keep([quote("BTC/USD", "1", at=NOW - timedelta(days=1))], NOW)
    assert list(Rate.objects.order_by("at").values_list("newest", flat=True)) == [False, True]


def test_a_quote_from_the_future_counts_as_of_now(db: None) -> None:
    keep([quote("BTC/USD", "2", at=NOW + timedelta(days=900))], NOW)
    assert Rate.objects.get().at == NOW


@pytest.mark.parametrize(
    "line", ["BTC/USD 0", "BTC/USD -1", "BTC/BTC 2", "BTC/USD 1e-30", "BTC/USD 1e30", "/USD 1"]
)
def test_what_can_be_no_price_is_refused_and_counted(db: None, line: str) -> None:
    assert keep([quote(*line.split(), at=NOW)], NOW).refused == 1
    assert not Rate.objects.exists()


def test_old_quotes_are_thinned_to_one_an_hour_and_then_one_a_day_and_the_last_of_each_stays(
    db: None,
) -> None:
    start = NOW - timedelta(hours=30)
    for n in range(12):
        make_rate("BTC/USD", str(n + 1), at=start + timedelta(minutes=10 * n), newest=False)
    thin(NOW)
    assert [int(price) for price in Rate.objects.order_by("at").values_list("price", flat=True)] == [6, 12]
    thin(NOW + timedelta(days=7))
    assert [int(price) for price in Rate.objects.values_list("price", flat=True)] == [12]


def test_gaps_are_filled_with_daily_closes_as_far_back_as_something_was_held(
    account: Connection, sources: quotes.Sources, reference: ReferenceRates
) -> None:
    update(account, since=None, now=NOW)
    done = quotes.fill_gaps(NOW, sources=sources, reference=reference)
    assert (done.more, done.failures, done.done) == (False, (), done.wanted)
    known = rates.daily(["BTC", "USDT", "EUR", "GIFT"], TODAY - timedelta(days=40), TODAY - timedelta(days=1))
    assert {asset: sum(a == asset for a, _ in known) for asset in ("BTC", "USDT", "EUR", "GIFT")} == {
        "BTC": 40,
        "USDT": 40,
        "EUR": 40,
        "GIFT": 0,
    }


def test_filling_goes_on_where_it_stopped_and_asks_only_for_what_is_new(
    account: Connection, sources: quotes.Sources, reference: ReferenceRates
) -> None:
    update(account, since=None, now=NOW)
    calls = 1
    while quotes.fill_gaps(NOW, sources=sources, reference=reference, steps=1).more:
        calls += 1
    assert calls == PriceHistory.objects.count() == 5
    later = quotes.fill_gaps(NOW + timedelta(days=1), sources=sources, reference=reference, steps=0)
    assert later.more, "another day is over"
    assert PriceHistory.objects.get(asset="BTC").asked_until == TODAY - timedelta(days=1)


def test_a_filling_that_fails_is_remembered_and_tried_again(
    account: Connection, reference: ReferenceRates
) -> None:
    update(account, since=None, now=NOW)
    done = quotes.fill_gaps(NOW, sources={"Silent": Silent()}, reference=reference)
    row = PriceHistory.objects.get(asset="BTC")
    assert (len(done.failures), done.more, row.asked_until) == (1, False, None) and row.error


def test_closes_of_asked_days_become_prices_with_their_source(
    db: None, sources: quotes.Sources, reference: ReferenceRates
) -> None:
    since = TODAY - timedelta(days=3)
    quotes.fill_history(
        ["BTC", "GBP"], since, TODAY - timedelta(days=1), NOW, sources=sources, reference=reference
    )
    row = DailyPrice.objects.get(asset="BTC", day=since)
    assert (row.source, row.at, row.carried_days) == ("BTSE close", closing_time(since), 0)
    assert DailyPrice.objects.get(asset="GBP", day=since).route == "GBP > EUR > USD"


def test_where_the_ecbs_file_is_old_the_exchanges_closes_serve(db: None, reference: ReferenceRates) -> None:
    soon, late = reference.newest + timedelta(days=2), reference.newest + timedelta(days=20)
    for end in (soon, late):
        now = datetime.combine(end, time(23), UTC) + timedelta(days=1)
        quotes.fill_history(["EUR"], end, end, now, sources={"X": Closing()}, reference=reference)
    by_day = dict(DailyPrice.objects.filter(asset="EUR").values_list("day", "source"))
    assert by_day == {soon: "ECB", late: "X close"}
