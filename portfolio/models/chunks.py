"""Writes many rows in small transactions: a long one would keep every other writer of a SQLite file waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection, connections, models, transaction

ROWS = 500
PAUSE = 0.02
"""Seconds between two chunks on SQLite, in which others get their turn."""

_AS_IT_IS = (models.IntegerField, models.CharField, models.ForeignKey)
"""Fields whose values a database takes as they are."""

Row = TypeVar("Row", bound=models.Model)


def insert(into: models.QuerySet[Row], rows: Sequence[Row]) -> None:
    """Insert the rows."""
    for chunk in _chunks(rows):
        with transaction.atomic():
            into.bulk_create(chunk)


def insert_plain(
    model: type[models.Model], same: Mapping[str, Any], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows that were never objects, in the caller's transaction; `same` holds what is the same in all of them."""
    meta, name = model._meta, connection.ops.quote_name  # noqa: SLF001
    fields: list[Any] = [meta.get_field(column) for column in (*same, *columns)]
    names = ", ".join(name(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {name(meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608
    preparing = [None if isinstance(field, _AS_IT_IS) else field.get_db_prep_save for field in fields]
    with connection.cursor() as cursor:
        cursor.executemany(
            sql,
            [
                [
                    prepare(value, connection) if prepare else value
                    for value, prepare in zip((*same.values(), *row), preparing, strict=True)
                ]
                for row in rows
            ],
        )


def upsert(
    into: models.QuerySet[Row],
    rows: Sequence[Row],
    *,
    unique: Sequence[str],
    update: Sequence[str],
    first: Callable[[Sequence[Row]], None] | None = None,
) -> None:
    """Insert the rows, or update these fields of those that are there; `first` is done in each transaction before."""
    for chunk in _chunks(rows):
        with transaction.atomic():
            if first:
                first(chunk)
            _put(into.model, chunk, unique, update)


def delete(among: models.QuerySet[Row], keys: Sequence[int]) -> None:
    """Delete rows by their primary keys."""
    for chunk in _chunks(keys):
        with transaction.atomic():
            among.filter(pk__in=chunk).delete()


def remove(
    among: models.QuerySet[Row], rows: Sequence[Row], first: Callable[[Sequence[Row]], None] | None = None
) -> None:
    """Delete rows; `first` is done in each transaction before."""
    for chunk in _chunks(rows):
        with transaction.atomic():
            if first:
                first(chunk)
            among.filter(pk__in=[row.pk for row in chunk]).delete()


def breathe() -> None:
    """Let other writers of a SQLite file have their turn."""
    if connection.vendor == "sqlite":
        time.sleep(PAUSE)


def _put(model: type[Row], rows: Sequence[Row], unique: Sequence[str], update: Sequence[str]) -> None:
    """One statement for all rows of a chunk: `bulk_create` compiles each row anew, which takes most of its time."""
    meta = model._meta  # noqa: SLF001
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    named = {field.name: _quoted(str(field.column)) for field in fields}
    news = ", ".join(f"{named[name]} = EXCLUDED.{named[name]}" for name in update)
    statement = (
        f"INSERT INTO {_quoted(meta.db_table)} ({', '.join(named.values())}) "  # noqa: S608
        f"VALUES ({', '.join(['%s'] * len(fields))}) "
        f"ON CONFLICT ({', '.join(named[name] for name in unique)}) DO UPDATE SET {news}"
    )
    places = [(field.attname, field.get_db_prep_save) for field in fields]
    here = connections[connection.alias]  # the proxy costs more than the conversion
    ready = [tuple([prepare(getattr(row, name), here) for name, prepare in places]) for row in rows]
    with here.cursor() as cursor:
        cursor.executemany(statement, ready)


def _quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), ROWS):
        if start:
            breathe()
        yield rows[start : start + ROWS]
