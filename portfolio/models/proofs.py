"""Whether each balance is what the ledger says: opening + postings = closing, with the exact residual."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Connection
from portfolio.fields import AmountField
from portfolio.models.owned import OwnedQuerySet


class Verdict(models.TextChoices):
    """What a proof came to."""

    PROVED = "proved", "Proved"
    ASSUMED = "assumed", "Proved with an assumption"
    UNEXPLAINED = "unexplained", "Unexplained"
    NO_LEDGER = "no_ledger", "No ledger offered"
    INCOMPLETE = "incomplete", "Incomplete"


class Proof(models.Model):
    """One interval between two snapshots of one asset; `start` is null for the stretch before the first snapshot.

    `later` names transactions dated within it (or carried into it) that took effect only after its end, `earlier` those
    dated just after its end that had taken effect before. `failing_since` is when this residual was first seen.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="proofs")
    asset = models.CharField(max_length=32)
    start = models.DateTimeField(null=True)
    end = models.DateTimeField()
    opening = AmountField()
    postings = AmountField()
    closing = AmountField()
    residual = AmountField()
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    note = models.CharField(max_length=300, blank=True)
    later = models.JSONField(default=list)
    earlier = models.JSONField(default=list)
    failing_since = models.DateTimeField(null=True)

    objects = OwnedQuerySet["Proof"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "asset", "end"], name="proof_once"),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="proof_verdict_known"),
            models.CheckConstraint(
                condition=Q(start__isnull=True) | Q(start__lte=F("end")), name="proof_span_forward"
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "asset", "verdict"],
                name="proof_not_proved",
                condition=~Q(verdict="proved"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asset} {self.get_verdict_display()}"
