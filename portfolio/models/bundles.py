"""The accountant's bundle as it was last made: in the database, so that any web server can hand it out."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models

from portfolio.models.mine import MineQuerySet


class BundleQuerySet(MineQuerySet["GainsBundle"]):
    """Questions asked of bundles."""

    def wanted(self) -> Self:
        """Those that are to be made, the longest waiting first."""
        return self.filter(wanted_at__isnull=False).order_by("wanted_at", "pk")


class GainsBundle(models.Model):
    """One a user: wanted, being made, or there in pieces."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    wanted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)
    edition = models.PositiveIntegerField(default=0)
    """Which pieces are the whole: a new bundle is written beside the last one."""
    size = models.PositiveBigIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    objects = BundleQuerySet.as_manager()

    def __str__(self) -> str:
        return f"bundle of {self.user_id}"


class BundlePiece(models.Model):
    """Some bytes of a bundle."""

    bundle = models.ForeignKey(GainsBundle, on_delete=models.CASCADE, related_name="pieces")
    edition = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bundle", "edition", "number"], name="bundle_piece_once")
        ]

    def __str__(self) -> str:
        return f"{self.edition}.{self.number}"
