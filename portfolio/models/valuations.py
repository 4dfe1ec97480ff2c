"""Aggregates that pages read: per day and asset, per day, and per hour. Kept by the sync, derivable at any time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Self

from django.db import models

from accounts.models import Connection
from portfolio.fields import AmountField
from portfolio.models.ledger import KINDS, ROLES
from portfolio.models.owned import OwnedQuerySet


class Certainty(models.TextChoices):
    """How a quantity at the end of a day is known."""

    SNAPSHOT = "snapshot", "Seen"
    LEDGER = "ledger", "From the ledger"
    UNCERTAIN = "uncertain", "Uncertain"


class DailyHolding(models.Model):
    """One asset of one connection at the end of a UTC day; a missing price leaves the value empty, never zero.

    `flow` is what came in (+) or went out (-) from outside on that day (deposits, withdrawals, transfers, issue,
    redeem, adjustments, and what no row explains), in the asset; `unexplained` is the part of it that no row of the
    ledger explains, such as what was there when the connection was added. `flow_usd` is what entered or left the
    priced part of the portfolio: `flow` valued, what was exchanged for something unpriced, and all of the asset on
    the day on which it gets or loses its price.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="daily_holdings")
    asset = models.CharField(max_length=32)
    day = models.DateField()
    quantity = AmountField()
    certainty = models.CharField(max_length=10, choices=Certainty.choices)
    price_usd = AmountField(null=True)
    value_usd = AmountField(null=True)
    flow = AmountField()
    flow_usd = AmountField(null=True)
    unexplained = AmountField(default=0)

    objects = OwnedQuerySet["DailyHolding"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "asset", "day"], name="daily_holding_once")
        ]
        indexes = [
            models.Index(fields=["connection", "day"], name="daily_holding_by_day"),
            models.Index(
                fields=["connection", "day"],
                name="daily_holding_unpriced",
                condition=models.Q(value_usd__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.quantity} {self.asset}"


class DailyWorth(models.Model):
    """All of one connection at the end of a UTC day: the sum of its priced holdings, and how many were held and priced.

    `came_before` is what came in from outside at the close before, `came_after` the same at the close of the day, as
    far as it had both prices and was held before; `assets` names what has a row on the day, with a blank on both sides
    of each. All three are empty where they have not been told yet.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="daily_worth")
    day = models.DateField()
    value_usd = AmountField()
    flow_usd = AmountField()
    held = models.PositiveSmallIntegerField()
    priced = models.PositiveSmallIntegerField()
    uncertain = models.PositiveSmallIntegerField(default=0)
    came_before = AmountField(null=True)
    came_after = AmountField(null=True)
    assets = models.TextField(blank=True)

    objects = OwnedQuerySet["DailyWorth"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "day"], name="daily_worth_once"),
            models.CheckConstraint(
                condition=models.Q(priced__lte=models.F("held")), name="daily_worth_priced_within_held"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.value_usd}"


class WorthPoint(models.Model):
    """All of one connection at a moment within the last days, for the short spans of the chart.

    `flow_usd` is what had flowed in on its UTC day as known then, so that gains since then can leave out flows.
    `usdt` and `usdt_usd` are the USDT in it and its part of the value, for who counts it at par; empty where unknown.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="worth_points")
    at = models.DateTimeField()
    value_usd = AmountField()
    flow_usd = AmountField(default=0)
    usdt = AmountField(null=True)
    usdt_usd = AmountField(null=True)
    held = models.PositiveSmallIntegerField()
    priced = models.PositiveSmallIntegerField()

    objects = OwnedQuerySet["WorthPoint"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "at"], name="worth_point_once")]

    def __str__(self) -> str:
        return f"{self.at} {self.value_usd}"


class DailyFlow(models.Model):
    """What the ledger moved of one asset of one connection on a UTC day, by kind and role, and in how many postings.

    Together with `DailyHolding.unexplained` it makes up the whole change of a day's quantity.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="daily_flows")
    asset = models.CharField(max_length=32)
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=KINDS)
    role = models.CharField(max_length=10, choices=ROLES)
    amount = AmountField()
    count = models.PositiveIntegerField()

    objects = OwnedQuerySet["DailyFlow"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "asset", "day", "kind", "role"], name="daily_flow_once"
            )
        ]
        indexes = [models.Index(fields=["connection", "day"], name="daily_flow_by_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.amount} {self.asset}"


class MonthlyChangeQuerySet(OwnedQuerySet["MonthlyChange"]):
    """Questions asked of months."""

    def of_days(self, days: Collection[date]) -> Self:
        """Those that one of these days has a part in: its own, and of a last day, from which the next begins, that too."""
        both = {day.replace(day=1) for day in days}
        return self.filter(month__in=both | {(day + timedelta(days=1)).replace(day=1) for day in days})


class MonthlyChange(models.Model):
    """How the worth of one connection changed in a UTC month that is over: the bars of the bridge in USD, by asset.

    Made from `DailyHolding` and `DailyFlow`. It is deleted before any of these rows changes and made again after, so
    that a month which stands is true; where there is none, the days are read instead.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="monthly_changes")
    month = models.DateField()
    bars = models.JSONField()
    """For each asset the amount of each bar as text; an amount of nothing is left out."""
    unpriced = models.JSONField()
    """Assets that were held without a price on some day."""

    objects = MonthlyChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "month"], name="monthly_change_once"),
            # No constraint on the day: SQLite knows no parts of dates by itself, so no other tool could check the file.
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class ToldHolding(models.Model):
    """What a holding was said to be worth when its day closed: written once, never told again.

    Late rows, other prices and corrections change `DailyHolding`; the difference to this row is what was restated.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="told_holdings")
    asset = models.CharField(max_length=32)
    day = models.DateField()
    value_usd = AmountField(null=True)

    objects = OwnedQuerySet["ToldHolding"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "asset", "day"], name="told_holding_once")
        ]
        indexes = [models.Index(fields=["connection", "day"], name="told_holding_by_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.value_usd} for {self.asset}"
