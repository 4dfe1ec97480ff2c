"""Gains as they were last computed, so that pages need not: disposals, open lots, totals, and what is in doubt.

Written beside the last report and then switched to, so that a page never sees half of one.
"""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from portfolio.fields import AmountField
from portfolio.models.mine import MineQuerySet

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
    rules = models.PositiveSmallIntegerField(default=0)
    """Under which edition of our rules it was found; an older one is not gone on with."""
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
    since = models.DateTimeField(null=True)
    """From when on something may have changed; empty while `wanted_at` is set: from the beginning."""
    whole_at = models.DateTimeField(null=True)
    """When it was last found from the beginning."""
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
