"""What all rows that belong to a connection share: they are reached through `for_user`."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models

from accounts.models import Connection

Row = TypeVar("Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[Row]):
    """Rows of connections; everything personal starts from `for_user`."""

    def for_user(self, user: Any) -> Self:
        """Only what this user may see."""
        return self.filter(connection__user=user)

    def of(self, connection: Connection) -> Self:
        """Only what this connection brought."""
        return self.filter(connection=connection)
