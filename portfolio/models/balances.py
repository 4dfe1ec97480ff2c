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
        return self._last_of_each(BalanceSnapshot.objects.all())

    def held_at(self, moment: datetime) -> Self:
        """What each connection was known to hold at `moment`: its newest snapshot of each asset by then."""
        return self._last_of_each(BalanceSnapshot.objects.filter(first_seen__lte=moment))

    def known_at(self, moment: datetime) -> Self:
        """Those that had been seen by `moment`."""
        return self.filter(first_seen__lte=moment)

    def _last_of_each(self, among: BalanceQuerySet) -> Self:
        # One look into the unique index for each marked row, so that old snapshots cost nothing.
        last = (
            among.filter(connection=OuterRef("connection"), asset=OuterRef("asset"))
            .order_by("-first_seen", "-pk")
            .values("pk")[:1]
        )
        marked = self.filter(newest=True).order_by().values_list(Subquery(last))
        return BalanceSnapshot.objects.filter(pk__in=marked)  # type: ignore[return-value]


class BalanceSnapshot(models.Model):
    """What the exchange said a balance was, from first to last seen; zero when the asset is gone.

    `newest` marks the last one of its connection and asset, so that finding it never costs more as rows gather. The
    writer of a newer one clears it on the older; a row left marked costs time, not truth.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="balances")
    raw = models.ForeignKey(Raw, on_delete=models.RESTRICT, related_name="balances")
    asset = models.CharField(max_length=32)
    total = AmountField()
    available = AmountField()
    pending = AmountField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    newest = models.BooleanField(default=True)

    objects = BalanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "asset", "first_seen"], name="balance_once"),
            models.CheckConstraint(condition=Q(last_seen__gte=F("first_seen")), name="balance_span_forward"),
        ]
        indexes = [
            models.Index(fields=["connection", "asset"], name="balance_newest", condition=Q(newest=True)),
        ]

    def __str__(self) -> str:
        return f"{self.total} {self.asset}"
