"""What the exchanges said, word for word, and what of it could not be read. Kept for ever; all else derives from it."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone

from accounts.models import Connection
from portfolio.models.owned import OwnedQuerySet
from portfolio.models.runs import Run


class RawQuerySet(OwnedQuerySet["Raw"]):
    """Questions asked of raw records."""

    def in_order(self) -> Self:
        """As they became current: the order in which meanings are derived."""
        return self.order_by("current_at", "pk")


class Raw(models.Model):
    """One record exactly as the exchange gave it; a changed record is another row.

    For observations (balances, reference lists) `source_id` is "scope@time of first sight". `current_at` is when it
    last became the newest version of its source id; `seen_at` when an observation was last confirmed.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="raws")
    stream = models.CharField(max_length=40)
    source_id = models.CharField(max_length=240)
    digest = models.CharField(max_length=64)
    body = models.TextField()
    received_at = models.DateTimeField(default=timezone.now)
    current_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="raws")

    objects = RawQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "stream", "source_id", "digest"], name="raw_once"),
            models.CheckConstraint(condition=~models.Q(body=""), name="raw_has_body"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.source_id}"


class Quarantine(models.Model):
    """A record that could not be read, and why; kept until a later version reads it."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="quarantine")
    stream = models.CharField(max_length=40)
    source_id = models.CharField(max_length=240, blank=True)
    digest = models.CharField(max_length=64)
    body = models.TextField()
    reason = models.CharField(max_length=400)
    received_at = models.DateTimeField(default=timezone.now)
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = OwnedQuerySet["Quarantine"].as_manager()

    class Meta:
        verbose_name_plural = "quarantine"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "stream", "source_id", "digest"], name="quarantine_once"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="quarantine_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.source_id}: {self.reason}"
