"""What one unit of an asset cost in another, by whom and when; and the daily closes in USD that history is drawn with."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from portfolio.fields import AmountField


class Rate(models.Model):
    """A quote from a named source at a time; the newest ones make the current prices."""

    base = models.CharField(max_length=32)
    counter = models.CharField(max_length=32)
    price = AmountField()
    source = models.CharField(max_length=40)
    at = models.DateTimeField()
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["base", "counter", "source", "at"], name="rate_once"),
            models.CheckConstraint(condition=~Q(price=0), name="rate_not_zero"),
            models.CheckConstraint(condition=~Q(base=models.F("counter")), name="rate_of_two_assets"),
        ]
        indexes = [models.Index(fields=["base", "counter", "-at"], name="rate_newest")]

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
