"""`manage.py new_vault_key`: a fresh key, printed, or put in front of those in DATA_DIR."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keyfiles import new_vault_key, replace_private
from accounts.sealing import key_id


class Command(BaseCommand):
    """Makes a vault key."""

    help = "Print a new vault key; with --add put it in front of the keys in DATA_DIR/vault_keys instead."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to store it."""
        parser.add_argument("--add", action="store_true", help="store it as the newest key")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the key, or its name once it is stored."""
        key = new_vault_key()
        if not options["add"]:
            self.stdout.write(key)
            return
        if "VAULT_KEYS" in os.environ or "VAULT_KEYS_FILE" in os.environ:
            raise CommandError(
                "The vault keys come from VAULT_KEYS: put the new key in front there (run this without --add)."
            )
        place = settings.DATA_DIR / "vault_keys"
        try:
            replace_private(place, "\n".join((key, *settings.VAULT_KEYS)))
        except OSError as error:
            raise CommandError(
                f"{place} cannot be written ({error.strerror}). Make DATA_DIR writable."
            ) from error
        self.stdout.write(
            f"Key {key_id(key)} is stored in front in {place}. Keep a copy of that file apart from the database, "
            "restart Holdfast, then run: python manage.py rotate_keys"
        )
