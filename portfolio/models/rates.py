"""What one unit of an asset cost in another, by whom and when; and the daily closes in USD that history is drawn with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from portfolio.fields import AmountField


class RateQuerySet(models.QuerySet["Rate"]):
    """Questions asked of quotes."""

    def among(self, assets: Iterable[str]) -> Self:
        """Quotes of one of these assets in another of them."""
        names = list(assets)
        return self.filter(base__in=names, counter__in=names)

    def known_at(self, moment: datetime) -> Self:
        """The newest of each pair and source by then: one look into the unique index for each."""
        by_then = (
            Rate.objects.filter(
                base=OuterRef("base"), counter=OuterRef("counter"), source=OuterRef("source"), at__lte=moment
            )
            .order_by("-at")
            .values("pk")[:1]
        )
        marked = self.filter(newest=True).order_by().values_list(Subquery(by_then))
        return Rate.objects.filter(pk__in=marked)  # type: ignore[return-value]


class Rate(models.Model):
    """A quote from a named source at a time; the newest ones make the current prices.

    `newest` marks the last one of its pair and source, so that finding it never costs more as rows gather. The
    writer clears it on older rows; a row left marked costs time, not truth.
    """

    base = models.CharField(max_length=32)
    counter = models.CharField(max_length=32)
    price = AmountField()
    source = models.CharField(max_length=40)
    at = models.DateTimeField()
    fetched_at = models.DateTimeField()
    newest = models.BooleanField(default=True)

    objects = RateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["base", "counter", "source", "at"], name="rate_once"),
            models.CheckConstraint(condition=~Q(price=0), name="rate_not_zero"),
            models.CheckConstraint(condition=~Q(base=models.F("counter")), name="rate_of_two_assets"),
        ]
        indexes = [
            models.Index(fields=["base", "counter", "-at"], name="rate_by_time"),
            models.Index(fields=["base", "counter"], name="rate_newest", condition=Q(newest=True)),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.counter} {self.price}"


class DailyPrice(models.Model):
    """What one asset was worth in USD at the end of a UTC day, by which route; no row means unpriced.

    `at` is the time of the oldest quote used; `carried_days` how many days it was carried forward.
    """

    asset = models.CharField(max_length=32)
    day = models.DateField()
    price_usd = AmountField()
    source = models.CharField(max_length=60)
    route = models.CharField(max_length=120)
    at = models.DateTimeField()
    carried_days = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "day"], name="daily_price_once")]

    def __str__(self) -> str:
        return f"{self.asset} {self.day} {self.price_usd}"


class PriceHistory(models.Model):
    """From which day an asset's prices are wanted, and which days have been asked for: the queue of gaps.

    Written when holdings are valued, worked off by a task; a page never asks anybody for a price.
    """

    asset = models.CharField(max_length=32, unique=True)
    wanted_since = models.DateField()
    asked_from = models.DateField(null=True)
    asked_until = models.DateField(null=True)
    asked_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=400, blank=True)

    class Meta:
        verbose_name_plural = "price histories"
        constraints = [
            models.CheckConstraint(
                condition=Q(asked_from__isnull=True, asked_until__isnull=True)
                | Q(asked_from__lte=models.F("asked_until")),
                name="price_history_span_forward",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asset} since {self.wanted_since}"
