"""`manage.py rotate_keys`: seal everything under the newest vault key, and say which key is still needed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keys import vault
from accounts.rotation import BATCH, rotate, rows_per_key


class Command(BaseCommand):
    """Rotates, reports, and answers whether a key may go."""

    help = "Seal all stored secrets under the newest vault key; may be interrupted and run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many rows at once, and which key is to go."""
        parser.add_argument("--batch", type=int, default=BATCH, help="rows in one transaction")
        parser.add_argument("--retire", metavar="KEYID", help="ask whether this key may be removed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate unless a key is to be retired; then the report."""
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1.")
        if options["retire"]:
            self.retire(options["retire"])
            return
        rotated = rotate(options["batch"])
        self.stdout.write(f"Sealed again: {rotated.moved} rows.")
        self.report()
        if rotated.stuck:
            raise CommandError(
                f"{len(rotated.stuck)} rows do not open and stay as they are: " + "; ".join(rotated.stuck[:5])
            )

    def report(self) -> None:
        """One line per key."""
        rows = rows_per_key()
        for number, name in enumerate(vault().key_ids):
            self.stdout.write(f"{name}  {rows.pop(name, 0):>6} rows{'  (newest)' if number == 0 else ''}")
        for name, count in rows.items():
            self.stdout.write(f"{name or 'unknown'}  {count:>6} rows  (not in VAULT_KEYS)")

    def retire(self, name: str) -> None:
        """Refuse while a row needs the key."""
        if name not in vault().key_ids:
            raise CommandError(f"There is no vault key {name}. Known: {', '.join(vault().key_ids)}.")
        if name == vault().newest:
            raise CommandError(f"{name} is the newest key: what is stored next is sealed with it.")
        if count := rows_per_key()[name]:
            raise CommandError(f"{count} rows still need {name}. Run rotate_keys first.")
        number = vault().key_ids.index(name) + 1
        self.stdout.write(
            f"No row needs {name}. Remove key {number} from VAULT_KEYS (or line {number} of DATA_DIR/vault_keys) and "
            "restart. Keep it with the backups made before the rotation: they need it."
        )
