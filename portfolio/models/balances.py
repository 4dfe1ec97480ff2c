"""What the exchanges said is held, stored when it changes."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from accounts.models import Connection
from portfolio.fields import AmountField
from portfolio.models.owned import OwnedQuerySet
from portfolio.models.raw import Raw


class BalanceQuerySet(OwnedQuerySet["BalanceSnapshot"]):
    """Questions asked of balances."""

    def newest(self) -> Self:
        """The newest snapshot of each connection and asset."""
        newest = (
            BalanceSnapshot.objects.filter(connection=OuterRef("connection"), asset=OuterRef("asset"))
            .order_by("-first_seen", "-pk")
            .values("pk")[:1]
        )
        return self.filter(pk=Subquery(newest))

    def known_at(self, moment: datetime) -> Self:
        """Those that had been seen by `moment`."""
        return self.filter(first_seen__lte=moment)


class BalanceSnapshot(models.Model):
    """What the exchange said a balance was, from first to last seen; zero when the asset is gone."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="balances")
    raw = models.ForeignKey(Raw, on_delete=models.PROTECT, related_name="balances")
    asset = models.CharField(max_length=32)
    total = AmountField()
    available = AmountField()
    pending = AmountField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    objects = BalanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "asset", "first_seen"], name="balance_once"),
            models.CheckConstraint(condition=Q(last_seen__gte=F("first_seen")), name="balance_span_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.total} {self.asset}"
