"""Makes a backup. Keys of the process are not in the database, so they are not in the backup either."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from accounts.backup import postgres, sqlite
from accounts.backup.archive import Writer, create_private
from accounts.rotation import rows_per_key


def make(path: Path | None = None) -> Path:
    """Write a backup to `path`, or under DATA_DIR/backups; the file appears whole or not at all. Raises BackupError."""
    now = timezone.now()
    place = path or Path(settings.DATA_DIR) / "backups" / f"holdfast-{now:%Y%m%d-%H%M%S}.zip"
    create_private(place).close()
    part = place.with_name(place.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with create_private(part) as handle:
            writer = Writer(handle)
            (sqlite if connection.vendor == "sqlite" else postgres).dump(writer, _ephemeral())
            writer.finish(
                vendor=connection.vendor,
                made_at=now.isoformat(),
                migrations=tuple(sorted(MigrationRecorder(connection).applied_migrations())),
                vault_key_ids=tuple(sorted(rows_per_key())),
            )
    except BaseException:
        part.unlink(missing_ok=True)
        place.unlink(missing_ok=True)
        raise
    part.replace(place)
    return place


def _ephemeral() -> list[str]:
    """Tables whose rows do not outlive the moment: a session in a backup would be a log-in for its finder."""
    cache = settings.CACHES["default"]
    database_cache = [cache["LOCATION"]] if cache["BACKEND"].endswith("DatabaseCache") else []
    names = ["django_session", "usersessions_usersession", *database_cache]
    return [name for name in names if name in connection.introspection.table_names()]
