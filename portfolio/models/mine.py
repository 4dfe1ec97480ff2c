"""What all rows that belong to a user rather than to a connection share: they are reached through `for_user`."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class MineQuerySet(models.QuerySet[Row]):
    """Rows with a `user`; everything personal starts from `for_user`."""

    def for_user(self, user: Any) -> Self:
        """Only what this user may see."""
        return self.filter(user=user)


class DoneQuerySet(MineQuerySet[Row]):
    """Rows that can be undone and stay as a record."""

    def active(self) -> Self:
        """Those that nobody undid."""
        return self.filter(undone_at__isnull=True)
