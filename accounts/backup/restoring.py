"""Restores a backup: everything is checked first, then it happens in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from accounts.backup import postgres, sqlite
from accounts.backup.archive import BackupError, Manifest, Reader
from accounts.keys import open_key
from accounts.models import Connection, User
from accounts.sealing import SealError

CLOCK_DIGITS = 10
"""A Unix time in seconds has ten digits until the year 2286; finer clocks have more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came back."""

    users: int
    connections: int
    unopened: int


def restore(path: Path, *, force: bool = False) -> Restored:
    """Replace what is stored by a backup; raises BackupError and leaves all as it was.

    1. The file is whole, of this kind of database and of a version we know.  2. The place is empty, or `force`.
    3. The vault keys at hand open its secrets.  4. Nonces are raised to the clock, leases dropped, all put in place.
    """
    reader = Reader(path)
    _refuse_foreign(reader.manifest)
    reader.verify()
    call_command("setup", verbosity=0)
    if not force and (User.objects.exists() or Connection.objects.exists()):
        raise BackupError("There is data here already. Add --force to replace all of it by the backup.")
    if Connection.objects.filter(lease_until__gte=timezone.now()).exists():
        raise BackupError("A sync is running. Stop Holdfast first, then restore.")
    now = timezone.now()
    if connection.vendor == "sqlite":
        unopened = _restore_sqlite(reader, now)
    else:
        unopened = _restore_postgres(reader, now)
    call_command("setup", verbosity=0)
    return Restored(users=User.objects.count(), connections=Connection.objects.count(), unopened=unopened)


def raised(nonce: int, now: datetime) -> int:
    """A nonce that nobody drew after the backup was made: at least the clock, in the unit it was drawn in."""
    digits = len(str(nonce)) - CLOCK_DIGITS
    return nonce if digits < 0 else max(nonce, int(now.timestamp() * 10**6) * 10**digits // 10**6)


def _restore_sqlite(reader: Reader, now: datetime) -> int:
    with sqlite.unpacked(reader) as source:
        held = sqlite.sealed(source)
        unopened = _refuse_wrong_keys(held, reader.manifest)
        sqlite.finish(source, {each.pk: raised(each.nonce, now) for each in held})
    return unopened


def _restore_postgres(reader: Reader, now: datetime) -> int:
    try:
        with transaction.atomic():
            postgres.load(reader)
            held = list(Connection.objects.exclude(sealed_secret=""))
            unopened = _refuse_wrong_keys(held, reader.manifest)
            postgres.finish({each.pk: raised(each.nonce, now) for each in held})
    except DatabaseError as error:
        raise BackupError(f"The database was left as it was: {str(error).splitlines()[0]}") from error
    return unopened


def _refuse_foreign(manifest: Manifest) -> None:
    if manifest.vendor != connection.vendor:
        raise BackupError(
            f"The backup is of a {manifest.vendor} database, DATABASE_URL names a {connection.vendor} one. "
            "Restore into the same kind."
        )
    known = set(MigrationLoader(None).disk_migrations)
    if unknown := set(manifest.migrations) - known:
        raise BackupError(
            f"The backup is of a newer version ({sorted(unknown)[0][0]}). Install that version first."
        )
    if manifest.vendor != "sqlite" and known - set(manifest.migrations):
        raise BackupError("The backup is of an older version. Restore it with that version, then upgrade.")


def _refuse_wrong_keys(held: Iterable[Connection], manifest: Manifest) -> int:
    good = bad = 0
    for each in held:
        try:
            open_key(each)
            good += 1
        except SealError:
            bad += 1
    if bad and not good:
        raise BackupError(
            f"None of the {bad} exchange keys in the backup opens with VAULT_KEYS. It was sealed under "
            f"{', '.join(manifest.vault_key_ids)}: put those vault keys in place first."
        )
    return bad
