"""`manage.py restore`: bring a backup back, wholly or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from accounts.backup import BackupError, restore


class Command(BaseCommand):
    """Restores a backup."""

    help = "Restore a backup into an empty installation, or with --force in the place of what is there."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and whether data may be replaced."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace the data that is there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what came back."""
        try:
            done = restore(options["file"], force=options["force"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        except (OSError, DatabaseError) as error:
            raise CommandError(f"Nothing was restored: {error}. Run “manage.py doctor”.") from error
        self.stdout.write(
            f"Restored: {done.users} users, {done.connections} connections. Everybody logs in again."
        )
        if done.unopened:
            self.stdout.write(
                f"{done.unopened} exchange keys do not open: those connections will need attention."
            )
