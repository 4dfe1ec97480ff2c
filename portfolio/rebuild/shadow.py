"""Empty copies of the derived tables, seen by this database connection alone and under the same names.

A temporary table hides the one that stands, in SQLite as in PostgreSQL. Whatever the sync, the proofs and the
valuation write while the shadow lasts goes into it, by the very code that wrote what stands, and nobody waits for
it: SQLite keeps it in a file of its own. It vanishes with the connection, so a kill leaves nothing behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import connection as database

from portfolio.rebuild.tables import TABLES, Table

FAR = 2**62
"""Where the primary keys of the shadow begin: far above those that stand, so that the two never meet."""
FOREIGN = re.compile(r' REFERENCES "\w+" \("\w+"\)( DEFERRABLE INITIALLY DEFERRED)?')


def standing(name: str) -> str:
    """The table that stands."""
    return f'"{_home()}"."{name}"'


def derived(name: str) -> str:
    """The one of the shadow."""
    return f'"{"temp" if is_sqlite() else "pg_temp"}"."{name}"'


@contextmanager
def shadow() -> Iterator[None]:
    """While this lasts, the derived tables are empty to this connection, and what is written stays in the shadow."""
    try:
        for table in TABLES:
            run(*_made(table.name))
        with without_the_writers_lock():
            yield
    finally:
        for table in TABLES:
            run(f"DROP TABLE IF EXISTS {derived(table.name)}")


@contextmanager
def without_the_writers_lock() -> Iterator[None]:
    """Elsewhere a transaction on SQLite takes the one lock of all writers at once; the shadow needs none."""
    mode = getattr(database, "transaction_mode", None)
    database.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]
    try:
        yield
    finally:
        database.transaction_mode = mode  # type: ignore[attr-defined]


def run(*statements: str) -> int:
    """Execute statements; how many rows the last one touched."""
    with database.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return int(cursor.rowcount)


def numbers(statement: str) -> list[Any]:
    """The first column of what a query finds."""
    with database.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall()]


def empty(tables: Iterable[Table]) -> None:
    """Forget what was derived into these."""
    run(*(f"DELETE FROM {derived(table.name)}" for table in tables))


def _made(name: str) -> list[str]:
    if not is_sqlite():
        return [
            f'CREATE TEMP TABLE "{name}" (LIKE {standing(name)} INCLUDING ALL)',
            f"ALTER TABLE {derived(name)} ALTER COLUMN id RESTART WITH {FAR}",
        ]
    with database.cursor() as cursor:
        cursor.execute("SELECT sql FROM main.sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [name])
        told = [_elsewhere(row[0]) for row in cursor.fetchall()]
    return [*told, f"INSERT INTO temp.sqlite_sequence (name, seq) VALUES ('{name}', {FAR})"]


def _elsewhere(statement: str) -> str:
    """SQLite's own words for a table or an index, said of the shadow; it cannot look into another file for keys."""
    if statement.startswith("CREATE TABLE"):
        return FOREIGN.sub("", statement.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
    return statement.replace("INDEX ", "INDEX temp.", 1)


def is_sqlite() -> bool:
    """Whether the database is SQLite."""
    return database.vendor == "sqlite"


@cache
def _home() -> str:
    """Where the tables that stand are."""
    if is_sqlite():
        return "main"
    with database.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])
