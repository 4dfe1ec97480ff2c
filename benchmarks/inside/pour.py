"""Inserts millions of rows as fast as a database takes them: COPY on PostgreSQL, one statement of many rows on SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection as database
from django.db import models

from portfolio.fields import plain


def pour(model: type[models.Model], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows that give these columns; every other column gets its default."""
    meta = model._meta  # noqa: SLF001
    others = [
        field
        for field in meta.concrete_fields
        if field.attname not in columns and not (field.primary_key or field.null)
    ]
    defaults = tuple(field.get_db_prep_save(field.get_default(), connection=database) for field in others)
    names = ", ".join(f'"{name}"' for name in [*columns, *(field.column for field in others)])
    ready = (tuple(map(_ready, row)) + defaults for row in rows)
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            with cursor.copy(f"COPY {meta.db_table} ({names}) FROM STDIN") as copy:
                for row in ready:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * (len(columns) + len(others)))
        cursor.executemany(f"INSERT INTO {meta.db_table} ({names}) VALUES ({marks})", ready)  # type: ignore[arg-type]  # noqa: S608


def last_key(model: type[models.Model]) -> int:
    """The highest primary key so far."""
    return models.QuerySet(model).aggregate(last=models.Max("pk"))["last"] or 0


def settle(*tables: type[models.Model]) -> None:
    """Let the database number on after keys that were given, and look at what has changed."""
    with database.cursor() as cursor:
        for model in tables if database.vendor == "postgresql" else ():
            table = model._meta.db_table  # noqa: SLF001
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608
            )
        cursor.execute("ANALYZE")
        if database.vendor == "sqlite":
            # Otherwise the next small write pays for moving all of this out of the log.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _ready(value: Any) -> Any:
    """As the database stores it."""
    if isinstance(value, datetime):
        return str(value.replace(tzinfo=None)) if database.vendor == "sqlite" else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return plain(value) if isinstance(value, Decimal) else value
