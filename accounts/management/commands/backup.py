"""`manage.py backup`: one file with everything but the keys of the process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from accounts.backup import BackupError, make
from accounts.backup.archive import digest_of


class Command(BaseCommand):
    """Makes a backup."""

    help = (
        "Write a backup to FILE (default: DATA_DIR/backups). The vault keys are not in it: keep them apart."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", nargs="?", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the path and the SHA-256."""
        try:
            place = make(options["file"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        except (OSError, DatabaseError) as error:
            raise CommandError(f"No backup was made: {error}. Run “manage.py doctor”.") from error
        self.stdout.write(f"{digest_of(place)}  {place}")
        self.stderr.write(
            "Without the vault keys the exchange keys in it cannot be opened. Keep those elsewhere."
        )
