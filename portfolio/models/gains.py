"""Gains as they were last computed, so that pages need not: disposals, open lots, totals, and what is in doubt.

Written beside the last report and then switched to, so that a page never sees half of one.
"""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from portfolio.fields import AmountField
from portfolio.models.mine import MineQuerySet

Row = TypeVar("Row", bound=models.Model)
METHODS = [
    ("fifo", "FIFO: first in, first out"),
    ("lifo", "LIFO: last in, first out"),
    ("hifo", "HIFO: highest cost first"),
    ("average", "Average cost"),
    ("uk", "UK pool: same day, 30 days, section 104"),
]


class Withdrawals(models.TextChoices):
    """What a withdrawal is that arrived at no connection of the user's."""

    MOVED = "moved", "Moved away, still mine: the cost is kept, nothing is realised"
    SPENT = "spent", "Disposed of at the market value of the day"


class GainsChoice(models.Model):
    """How gains are found from the beginning of a year on, until the next choice; year 0 is the beginning."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since_year = models.PositiveSmallIntegerField(default=0)
    method = models.CharField(max_length=8, choices=METHODS, default="fifo")
    per_account = models.BooleanField(default=False)
    withdrawals = models.CharField(max_length=6, choices=Withdrawals.choices, default=Withdrawals.MOVED)
    created_at = models.DateTimeField(default=timezone.now)

    objects = MineQuerySet["GainsChoice"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "since_year"], name="gains_choice_once"),
            models.CheckConstraint(
                condition=Q(method__in=[name for name, _ in METHODS]), name="gains_choice_method_known"
            ),
            models.CheckConstraint(
                condition=Q(since_year=0) | Q(since_year__range=(2009, 9999)), name="gains_choice_year"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} since {self.since_year or 'the beginning'}"


class GainsReport(models.Model):
    """One computation; `fingerprint` is the SHA-256 of all that went in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    fingerprint = models.CharField(max_length=64)
    computed_at = models.DateTimeField(default=timezone.now)
    movements = models.PositiveIntegerField(default=0)
    unplaced_fees = AmountField(default=0)
    problem_counts = models.JSONField(default=dict)
    """How many problems there are of each code, so that a page need not count them."""

    objects = MineQuerySet["GainsReport"].as_manager()

    def __str__(self) -> str:
        return self.fingerprint[:12]


class GainsStateQuerySet(MineQuerySet["GainsState"]):
    """Questions asked of the queue."""

    def wanted(self) -> Self:
        """Those whose inputs may have changed, the longest waiting first."""
        return self.filter(wanted_at__isnull=False).order_by("wanted_at", "pk")


class GainsState(models.Model):
    """Which report is shown, and whether another one is wanted; a broker may forget, this does not."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    report = models.ForeignKey(GainsReport, on_delete=models.SET_NULL, null=True, related_name="+")
    wanted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    objects = GainsStateQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["wanted_at"], name="gains_wanted", condition=Q(wanted_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"gains of {self.user_id}"


class ReportQuerySet(models.QuerySet[Row]):
    """Rows of reports."""

    def for_user(self, user: Any) -> Self:
        """Only what this user may see."""
        return self.filter(report__user=user)

    def of(self, report: GainsReport | None) -> Self:
        """Only what this report found; nothing for none."""
        return self.filter(report=report) if report else self.none()


class GainDisposal(models.Model):
    """One disposed part with the cost it was matched with. `source` names the row that it came from."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="disposals")
    number = models.PositiveIntegerField()
    movement = models.PositiveIntegerField()
    year = models.PositiveSmallIntegerField()
    asset = models.CharField(max_length=32)
    account = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=12)
    match = models.CharField(max_length=12)
    term = models.CharField(max_length=8)
    acquired = models.DateTimeField(null=True)
    disposed = models.DateTimeField()
    quantity = AmountField()
    proceeds = AmountField()
    cost = AmountField()
    gain = AmountField()
    is_assumed = models.BooleanField(default=False)
    source = models.CharField(max_length=24, blank=True)

    objects = ReportQuerySet["GainDisposal"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="gain_disposal_once")]
        indexes = [models.Index(fields=["report", "year", "number"], name="gain_disposal_of_year")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.asset}"


class GainLot(models.Model):
    """What is still held of one acquisition."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="lots")
    number = models.PositiveIntegerField()
    asset = models.CharField(max_length=32)
    account = models.CharField(max_length=80, blank=True)
    acquired = models.DateTimeField(null=True)
    quantity = AmountField()
    cost = AmountField()
    is_assumed = models.BooleanField(default=False)

    objects = ReportQuerySet["GainLot"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="gain_lot_once")]
        indexes = [models.Index(fields=["report", "asset", "number"], name="gain_lot_of_asset")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.asset}"


class GainTotal(models.Model):
    """What one reason brought for one asset in one year; income is told apart and is no gain."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="totals")
    year = models.PositiveSmallIntegerField()
    asset = models.CharField(max_length=32)
    reason = models.CharField(max_length=12)
    count = models.PositiveIntegerField()
    quantity = AmountField()
    proceeds = AmountField()
    cost = AmountField()
    gain = AmountField()
    short_gain = AmountField()
    long_gain = AmountField()
    undated_gain = AmountField()

    objects = ReportQuerySet["GainTotal"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "year", "asset", "reason"], name="gain_total_once")
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.asset} {self.gain}"


class GainHolding(models.Model):
    """All open lots of one asset together, how many of them have an assumed cost, and what is away."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="holdings")
    asset = models.CharField(max_length=32)
    lots = models.PositiveIntegerField()
    quantity = AmountField()
    cost = AmountField()
    assumed = AmountField()
    away = AmountField()

    objects = ReportQuerySet["GainHolding"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "asset"], name="gain_holding_once")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.asset}"


class GainProblem(models.Model):
    """Something that the figures rest on and nobody has said for sure."""

    report = models.ForeignKey(GainsReport, on_delete=models.CASCADE, related_name="problems")
    number = models.PositiveIntegerField()
    code = models.CharField(max_length=16)
    at = models.DateTimeField(null=True)
    asset = models.CharField(max_length=32, blank=True)
    account = models.CharField(max_length=80, blank=True)
    quantity = AmountField(null=True)
    value_usd = AmountField(null=True)
    source = models.CharField(max_length=24, blank=True)

    objects = ReportQuerySet["GainProblem"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="gain_problem_once")]
        indexes = [models.Index(fields=["report", "code", "number"], name="gain_problem_by_code")]

    def __str__(self) -> str:
        return self.code
