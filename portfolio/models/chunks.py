"""Writes many rows in small transactions: a long one would keep every other writer of a SQLite file waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.db import connection, models, transaction

ROWS = 500
PAUSE = 0.02
"""Seconds between two chunks on SQLite, in which others get their turn."""

Row = TypeVar("Row", bound=models.Model)


def insert(into: models.QuerySet[Row], rows: Sequence[Row]) -> None:
    """Insert the rows."""
    for chunk in _chunks(rows):
        with transaction.atomic():
            into.bulk_create(chunk)


def upsert(
    into: models.QuerySet[Row], rows: Sequence[Row], *, unique: Sequence[str], update: Sequence[str]
) -> None:
    """Insert the rows, or update these fields of those that are there."""
    for chunk in _chunks(rows):
        with transaction.atomic():
            into.bulk_create(chunk, update_conflicts=True, unique_fields=unique, update_fields=update)


def delete(among: models.QuerySet[Row], keys: Sequence[int]) -> None:
    """Delete rows by their primary keys."""
    for chunk in _chunks(keys):
        with transaction.atomic():
            among.filter(pk__in=chunk).delete()


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), ROWS):
        if start and connection.vendor == "sqlite":
            time.sleep(PAUSE)
        yield rows[start : start + ROWS]
