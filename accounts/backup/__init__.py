"""Backups: everything the database holds but sessions and cache, and never a key of the process."""

from accounts.backup.archive import BackupError, Manifest
from accounts.backup.making import make
from accounts.backup.restoring import Restored, restore

__all__ = ["BackupError", "Manifest", "Restored", "make", "restore"]
