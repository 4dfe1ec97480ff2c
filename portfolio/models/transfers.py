"""Which withdrawal arrived as which deposit: proposed with reasons, confirmed or rejected, and remembered."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from portfolio.models.ledger import Transaction
from portfolio.models.mine import MineQuerySet


class MatchState(models.TextChoices):
    """What is thought of a pair."""

    SUGGESTED = "suggested", "Suggested"
    CONFIRMED = "confirmed", "Confirmed"
    REJECTED = "rejected", "Rejected"


class MatchQuerySet(MineQuerySet["TransferMatch"]):
    """Questions asked of pairs."""

    def confirmed(self) -> Self:
        """Those that count as own transfers."""
        return self.filter(state=MatchState.CONFIRMED)

    def suggested(self) -> Self:
        """Those that wait for a decision."""
        return self.filter(state=MatchState.SUGGESTED)


class TransferMatch(models.Model):
    """A row that went out of one connection and one that came into another: the same coins, perhaps.

    `decided_by` is empty where both exchanges named the same transaction on the chain, which settles it by itself.
    `is_split` allows one sending to arrive in several parts.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    outgoing = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="arrivals")
    incoming = models.ForeignKey(Transaction, on_delete=models.CASCADE, related_name="departures")
    state = models.CharField(max_length=10, choices=MatchState.choices, default=MatchState.SUGGESTED)
    score = models.PositiveSmallIntegerField()
    reasons = models.JSONField(default=list)
    is_split = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "transfer matches"
        constraints = [
            models.UniqueConstraint(fields=["outgoing", "incoming"], name="match_once"),
            models.UniqueConstraint(
                fields=["incoming"], condition=Q(state="confirmed"), name="match_arrives_once"
            ),
            models.UniqueConstraint(
                fields=["outgoing"], condition=Q(state="confirmed", is_split=False), name="match_leaves_once"
            ),
            models.CheckConstraint(condition=Q(state__in=MatchState.values), name="match_state_known"),
            models.CheckConstraint(condition=~Q(outgoing=F("incoming")), name="match_of_two_rows"),
            models.CheckConstraint(condition=Q(score__lte=100), name="match_score_in_percent"),
        ]
        indexes = [models.Index(fields=["user", "state", "-id"], name="match_by_state")]

    def __str__(self) -> str:
        return f"{self.outgoing_id} to {self.incoming_id}, {self.state}"
