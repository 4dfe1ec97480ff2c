"""A backup's data where the database is SQLite: one file, copied by SQLite itself while others may write."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from django.conf import settings
from django.db import connection

from accounts.backup.archive import BackupError, Reader, Writer, file_chunks
from accounts.models import Connection

PART = "database.sqlite3"


def live() -> sqlite3.Connection:
    """The open database itself."""
    connection.ensure_connection()
    return cast(sqlite3.Connection, connection.connection)


def dump(writer: Writer, ephemeral: list[str]) -> None:
    """A consistent copy without the rows of short life."""
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
        copy = Path(folder) / PART
        with closing(sqlite3.connect(copy, isolation_level=None)) as target:
            live().backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
            for table in ephemeral:
                target.execute(f'DELETE FROM "{table}"')  # noqa: S608 — names of our own tables
            target.execute("VACUUM")
        writer.add(PART, file_chunks(copy))


@contextmanager
def unpacked(reader: Reader) -> Iterator[sqlite3.Connection]:
    """The copy in a folder of its own; raises BackupError when SQLite finds it broken."""
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
        copy = Path(folder) / PART
        with copy.open("wb") as handle:
            for chunk in reader.chunks(PART):
                handle.write(chunk)
        with closing(sqlite3.connect(copy, isolation_level=None)) as source:
            try:
                found = source.execute("PRAGMA integrity_check").fetchone()[0]
                broken = source.execute("PRAGMA foreign_key_check").fetchone()
            except sqlite3.DatabaseError as error:
                raise BackupError(
                    "The backup is damaged: its database cannot be read. Take another one."
                ) from error
            if found != "ok" or broken:
                raise BackupError("The backup is damaged: its database contradicts itself. Take another one.")
            yield source


def sealed(source: sqlite3.Connection) -> list[Connection]:
    """The connections in the copy that hold a key; not stored anywhere."""
    names = ("id", "user_id", "public_id", "sealed_key", "sealed_secret", "nonce")
    rows = source.execute(f"SELECT {', '.join(names)} FROM accounts_connection WHERE sealed_secret <> ''")  # noqa: S608
    return [Connection(**dict(zip(names, row, strict=True))) for row in rows]


def finish(source: sqlite3.Connection, nonces: dict[int, int]) -> None:
    """Raise the nonces and drop the leases in the copy, then put it in the place of the live database at once."""
    source.execute("BEGIN")
    source.executemany(
        "UPDATE accounts_connection SET nonce = ? WHERE id = ?", [(nonce, pk) for pk, nonce in nonces.items()]
    )
    source.execute("UPDATE accounts_connection SET lease_owner = '', lease_until = NULL, leased_key = NULL")
    source.execute("COMMIT")
    try:
        source.backup(live())
    except sqlite3.Error as error:
        raise BackupError(
            f"The database was left as it was: {error}. Stop Holdfast and try again."
        ) from error
