"""A backup's data where the database is PostgreSQL: one part a table, copied from one moment's view of all."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction

from accounts.backup.archive import Reader, Writer
from accounts.models import FREE, Connection

FOLDER = "tables/"


def tables() -> list[str]:
    """All tables of ours that exist."""
    return sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))


def dump(writer: Writer, ephemeral: list[str]) -> None:
    """Every table as COPY writes it, with its columns named in the part's name."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in tables():
            if table in ephemeral:
                continue
            columns = [
                column.name for column in connection.introspection.get_table_description(cursor, table)
            ]
            with _raw(cursor).copy(f"COPY {_quoted([table])} ({_quoted(columns)}) TO STDOUT") as rows:
                writer.add(f"{FOLDER}{table}/{','.join(columns)}", rows)


def load(reader: Reader) -> None:
    """Replace all rows by those of the backup; the caller holds the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_quoted(tables())}")
        for name in reader.manifest.digests:
            table, _, columns = name.removeprefix(FOLDER).partition("/")
            statement = f"COPY {_quoted([table])} ({_quoted(columns.split(','))}) FROM STDIN"
            with _raw(cursor).copy(statement) as rows:
                for chunk in reader.chunks(name):
                    rows.write(chunk)
        models = apps.get_models(include_auto_created=True)
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def finish(nonces: dict[int, int]) -> None:
    """Raise the nonces and drop the leases."""
    for pk, nonce in nonces.items():
        Connection.objects.filter(pk=pk).update(nonce=nonce)
    Connection.objects.update(**FREE)


def _raw(cursor: Any) -> Any:
    return cursor.cursor


def _quoted(names: list[str]) -> str:
    return ", ".join(connection.ops.quote_name(name) for name in names)
