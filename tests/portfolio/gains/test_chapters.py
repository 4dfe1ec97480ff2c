"""Gains that are gone on with are those found from the beginning, whatever changed and wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import Connection, User
from exchanges.catalog import ExchangeName
from exchanges.records import Kind
from portfolio import gains, transfers
from portfolio.corrections import correct_cost, correct_kind, enter, undo
from portfolio.gains import stream
from portfolio.models import (
    Correction,
    GainDisposal,
    GainHolding,
    GainLot,
    GainProblem,
    GainsChapter,
    GainsChoice,
    GainsReport,
    GainsState,
    GainTotal,
    ManualEntry,
    MatchState,
    Transaction,
    TransferMatch,
    Treatment,
)
from portfolio.models.gains import METHODS
from tests.conftest import make_connection
from tests.portfolio.valuation_rows import at, make_entry

BEGIN = at("2024-10-01")
NOW = at("2025-06-20")
SHOWN = {
    GainDisposal: ("number", "movement", "year", "asset", "account", "reason", "match", "term", "acquired", "disposed",
                   "quantity", "proceeds", "cost", "gain", "is_assumed", "source"),
    GainLot: ("asset", "account", "number", "acquired", "quantity", "cost", "is_assumed"),
    GainTotal: ("year", "asset", "reason", "count", "quantity", "proceeds", "cost", "gain", "short_gain", "long_gain",
                "undated_gain"),
    GainHolding: ("asset", "lots", "quantity", "cost", "assumed", "away"),
    GainProblem: ("number", "code", "at", "asset", "account", "quantity", "value_usd", "source"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def short_chapters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks between all days, also old ones, so that a few rows have many chapters."""
    monkeypatch.setattr(stream, "LEAST", 4)
    monkeypatch.setattr(stream, "NEAR", timedelta(days=400))


def shown(report: GainsReport) -> dict[str, Any]:
    """All that a report says."""
    found: dict[str, Any] = {
        model.__name__: sorted(map(repr, model.objects.of(report).values_list(*names)))  # type: ignore[attr-defined]
        for model, names in SHOWN.items()
    }
    counted = (report.fingerprint, report.movements, report.unplaced_fees, report.problem_counts)
    return found | {"report": counted}


class Story:
    """A user's history that goes on: a day's new rows, late rows, corrections, transfers, other choices."""

    def __init__(self, user: User, seed: int) -> None:
        self.user = user
        self.here = make_connection(user, label="here")
        self.there = make_connection(user, ExchangeName.TETHER, label="there")
        self.random = Random(seed)
        self.now = BEGIN
        self.steps: list[Callable[[], datetime]] = [
            self.new_day, self.new_day, self.new_day, self.late_row, self.correction, self.taken_back, self.own_row,
            self.transfer, self.conversion,
        ]  # fmt: skip

    def row(self, when: datetime) -> Transaction:
        """Some trade, deposit, withdrawal or income; sales are often short."""
        draw = self.random
        amount = f"{draw.randint(1, 9)}.{draw.randint(0, 99):02}"
        worth = draw.randint(100, 999)
        asset = draw.choice(["BTC", "ETH"])
        drawn: tuple[Kind, tuple[str, ...]] = draw.choice(
            [
                (Kind.TRADE, (f"{amount} {asset}", f"-{worth} USD", "-1 USD fee")),
                (Kind.TRADE, (f"{amount} {asset}", f"-{worth} USD", f"-0.01 {asset} fee")),
                (Kind.TRADE, (f"-{amount} {asset}", f"{worth} USD", "-1 USD fee")),
                (Kind.TRADE, (f"-{amount} {asset}", f"{worth} USD")),
                (Kind.DEPOSIT, (f"{amount} {asset}",)),
                (Kind.WITHDRAWAL, (f"-{amount} {asset}", f"-0.02 {asset} fee")),
                (Kind.INCOME, (f"0.{worth} {asset}",)),
            ]
        )
        return make_entry(draw.choice([self.here, self.there]), drawn[0], when, *drawn[1])

    def new_day(self) -> datetime:
        """Time passes, and the next day brings rows."""
        self.now += timedelta(days=self.random.choice([1, 1, 2, 5, 20]))
        day = self.now.replace(hour=0)
        for _ in range(self.random.randint(3, 7)):
            self.row(day + timedelta(minutes=self.random.choice([0, 5, 600, 1380, 1439])))
        return day

    def late_row(self) -> datetime:
        """A row of an earlier day comes up."""
        when = BEGIN + self.random.random() * (self.now - BEGIN)
        self.row(when)
        return when

    def correction(self) -> datetime:
        """The user says what something cost, or that it was spent."""
        rows = Transaction.objects.filter(kind__in=[Kind.DEPOSIT, Kind.WITHDRAWAL]).order_by("pk")
        row = self.random.choice(list(rows) or [self.row(self.now)])
        if row.kind == Kind.DEPOSIT:
            correct_cost(self.user, row, Decimal(self.random.randint(1, 99)), self.now)
        else:
            correct_kind(self.user, row, self.random.choice([Treatment.SPENT, Treatment.IGNORED]), self.now)
        return row.occurred_at

    def taken_back(self) -> datetime:
        """A correction is undone."""
        said = Correction.objects.active().exclude(transaction=None).order_by("pk").last()
        if said is None or said.transaction is None:
            return self.now
        undo(said, self.now)
        return said.transaction.occurred_at

    def own_row(self) -> datetime:
        """A row of the user's own."""
        when = BEGIN + self.random.random() * (self.now - BEGIN)
        entry = ManualEntry(
            account="Safe", identity=str(self.random.random()), kind="buy", asset="BTC", quantity=Decimal(1),
            value_usd=Decimal(50), occurred_at=when,
        )  # fmt: skip
        enter(self.user, entry, self.now)
        return when

    def transfer(self) -> datetime:
        """Something is sent from here to there and told, around midnight, by clocks that differ."""
        sent = self.now.replace(hour=0, minute=self.random.choice([0, 3]))
        out = make_entry(self.here, Kind.WITHDRAWAL, sent, "-0.5 BTC")
        came = make_entry(
            self.there, Kind.DEPOSIT, sent - timedelta(minutes=self.random.randint(0, 9)), "0.5 BTC"
        )
        match = TransferMatch.objects.create(user=self.user, outgoing=out, incoming=came, score=90)
        transfers.confirm(match, self.user, self.now)
        assert match.state == MatchState.CONFIRMED
        return came.occurred_at

    def conversion(self) -> datetime:
        """An exchange told in two halves, on two sides of midnight."""
        first = self.now.replace(hour=23, minute=59) - timedelta(days=self.random.randint(0, 9))
        make_entry(self.here, Kind.CONVERSION, first, "-1 ETH")
        make_entry(
            self.here, Kind.CONVERSION, first + timedelta(seconds=self.random.choice([50, 90])), "0.1 BTC"
        )
        return first

    def told(self, count: int) -> int:
        """Go through so many steps, each followed by an update; how many went on with what was there."""
        went_on = 0
        for _ in range(count):
            before = GainsState.objects.filter(user=self.user).values_list("report", flat=True).first()
            since = self.random.choice(self.steps)()
            gains.want(self.user, self.now, since=since)
            report = gains.compute(self.user, self.now)
            went_on += report is not None and report.pk == before
        return went_on


def from_the_beginning(user: User, now: datetime) -> dict[str, Any]:
    """What is found when nothing is known."""
    GainsReport.objects.for_user(user).delete()
    GainsState.objects.filter(user=user).delete()
    report = gains.compute(user, now)
    assert report
    return shown(report)


@pytest.mark.parametrize("per_account", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize("method", [name for name, _ in METHODS])
def test_going_on_finds_what_the_beginning_does(alice: User, method: str, per_account: bool) -> None:
    GainsChoice.objects.create(user=alice, method=method, per_account=per_account)
    story = Story(alice, seed=len(method) + per_account)
    went_on = story.told(16)
    report = GainsReport.objects.get()
    assert went_on >= (2 if method == "uk" else 6) and GainsChapter.objects.of(report).exists()
    found = shown(report)
    assert found == from_the_beginning(alice, story.now)


@pytest.mark.parametrize("seed", range(4))
def test_also_where_the_method_changes_with_the_year(alice: User, seed: int) -> None:
    draw = Random(seed)
    for year in (0, 2025):
        method = draw.choice(METHODS)[0]
        GainsChoice.objects.create(
            user=alice, since_year=year, method=method, per_account=draw.random() < 0.5, withdrawals="spent"
        )
    story = Story(alice, seed)
    story.told(12)
    GainsChoice.objects.filter(since_year=2025).update(method=draw.choice(METHODS)[0])
    gains.want(alice, story.now, since=at("2025-01-01", 0))
    gains.compute(alice, story.now)
    story.told(4)
    found = shown(GainsReport.objects.get())
    assert found == from_the_beginning(alice, story.now)


def test_a_days_rows_ask_as_much_of_a_long_history_as_of_a_short_one(alice: User) -> None:
    here, asked = make_connection(alice), []
    for begin, days in ((0, 30), (30, 100)):
        for day in range(begin, begin + days):
            for hour in (6, 12):
                make_entry(here, Kind.TRADE, BEGIN + timedelta(days=day, hours=hour), "1 BTC", "-9 USD")
        gains.compute(alice, BEGIN + timedelta(days=begin + days))
        last = BEGIN + timedelta(days=begin + days)
        make_entry(here, Kind.TRADE, last, "-1 BTC", "99 USD")
        gains.want(alice, last, since=last)
        with CaptureQueriesContext(database) as queries:
            gains.compute(alice, last)
        asked.append(len(queries))
    assert asked[1] <= asked[0] + 2 and GainDisposal.objects.count() == 2


def test_a_report_of_older_rules_is_not_gone_on_with(alice: User) -> None:
    here: Connection = make_connection(alice)
    make_entry(here, Kind.TRADE, BEGIN, "1 BTC", "-9 USD")
    first = gains.compute(alice, NOW)
    GainsReport.objects.update(rules=0)
    gains.want(alice, NOW, since=NOW)
    assert gains.compute(alice, NOW) != first
