"""`manage.py setup`: make the database ready; safe to run at every start."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """Brings the tables up to date; migrating makes the cache's table too."""

    help = "Bring the database up to date: tables and the cache's table. Does nothing when it is."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate only where something is to do: looking takes a fraction of the time."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Bringing the database up to date …")
            call_command("migrate", interactive=False, verbosity=0)
