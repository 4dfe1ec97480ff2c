"""What users choose about money: the currency they see, USDT at par or not; and which price source comes first."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from portfolio.models.mine import MineQuerySet


class MoneyChoice(models.Model):
    """In which currency a user looks at things; the stored truth stays USD."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="money_choice"
    )
    currency = models.CharField(max_length=10, default="USD")
    usdt_at_par = models.BooleanField(default=False)

    objects = MineQuerySet["MoneyChoice"].as_manager()

    def __str__(self) -> str:
        return self.currency


class SourceOrder(models.Model):
    """Which sources of an asset's prices come first, for the whole installation; those not named come after."""

    asset = models.CharField(max_length=32, unique=True)
    sources = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.asset}: {', '.join(map(str, self.sources))}"
