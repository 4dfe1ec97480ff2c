"""What the raw records mean: transactions and their postings. The postings of completed ones sum to the balance."""

from __future__ import annotations

from typing import Self

from django.db import connection as database
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Connection
from exchanges.records import Assumption, Kind, Role, Status
from portfolio.fields import AmountField
from portfolio.models.owned import OwnedQuerySet
from portfolio.models.raw import Raw


def _choices(closed: type[Kind] | type[Status] | type[Role] | type[Assumption]) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ") or "none") for member in closed]


KINDS = _choices(Kind)
STATUSES = _choices(Status)
ROLES = _choices(Role)
ASSUMPTIONS = _choices(Assumption)


class TransactionQuerySet(OwnedQuerySet["Transaction"]):
    """Questions asked of the ledger."""

    def newest_first(self) -> Self:
        """In the order of the ledger page; the key makes equal times stable."""
        return self.order_by("-occurred_at", "-pk")

    def open(self) -> Self:
        """Those the exchange may still change."""
        return self.filter(status=Status.PENDING)

    def completed(self) -> Self:
        """Those whose postings count."""
        return self.filter(status=Status.COMPLETED)


class Transaction(models.Model):
    """One leg of one transaction, as the winning raw record tells it."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="transactions")
    raw = models.ForeignKey(Raw, on_delete=models.RESTRICT, related_name="transactions")
    stream = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    leg = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=12, choices=KINDS)
    status = models.CharField(max_length=10, choices=STATUSES)
    occurred_at = models.DateTimeField()
    description = models.CharField(max_length=300, blank=True)
    raw_kind = models.CharField(max_length=60, blank=True)
    raw_status = models.CharField(max_length=60, blank=True)
    revised_at = models.DateTimeField(null=True)
    rank = models.SmallIntegerField(default=0)
    assumption = models.CharField(max_length=20, choices=ASSUMPTIONS, blank=True)
    balance_after = AmountField(null=True)
    network_id = models.CharField(max_length=160, blank=True)
    assets = models.CharField(max_length=140, blank=True)
    """The assets it moves, for filters: " BTC USDT " with a blank on both sides of each."""
    first_seen = models.DateTimeField(default=timezone.now)

    objects = TransactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "stream", "external_id", "leg"], name="transaction_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[k.value for k in Kind]), name="transaction_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in Status]), name="transaction_status_known"
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="transaction_has_id"),
        ]
        indexes = [
            models.Index(fields=["connection", "-occurred_at", "-id"], name="transaction_newest"),
            models.Index(
                fields=["connection", "status"], name="transaction_open", condition=Q(status="pending")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


_NEXT_ASSET = "SELECT min(asset) FROM portfolio_posting WHERE connection_id = %(connection)s"
_ASSETS = f"""
    WITH RECURSIVE step(asset) AS (
        {_NEXT_ASSET}
        UNION ALL
        SELECT ({_NEXT_ASSET} AND asset > step.asset) FROM step WHERE step.asset IS NOT NULL
    )
    SELECT asset FROM step WHERE asset IS NOT NULL
"""  # noqa: S608


class PostingQuerySet(OwnedQuerySet["Posting"]):
    """Questions asked of single amounts."""

    def counted(self) -> Self:
        """Those that are part of the ledger balance."""
        return self.filter(counts=True)

    def assets_of(self, connection: Connection) -> set[str]:
        """All assets that a connection ever moved: a step into the index for each, where DISTINCT would read all rows."""
        with database.cursor() as cursor:
            cursor.execute(_ASSETS, {"connection": connection.pk})
            return {asset for (asset,) in cursor.fetchall()}


class Posting(models.Model):
    """One signed amount of one asset in a transaction.

    `occurred_at`, `kind` and `counts` (the transaction is completed) repeat the transaction's, so that sums by time
    need no join; `sync` writes both together.
    """

    transaction = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="postings")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    asset = models.CharField(max_length=32)
    amount = AmountField()
    role = models.CharField(max_length=10, choices=ROLES)
    kind = models.CharField(max_length=12, choices=KINDS)
    occurred_at = models.DateTimeField()
    counts = models.BooleanField()

    objects = PostingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=[r.value for r in Role]), name="posting_role_known"),
            models.CheckConstraint(condition=~Q(asset=""), name="posting_has_asset"),
        ]
        indexes = [models.Index(fields=["connection", "asset", "occurred_at"], name="posting_by_time")]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset}"
