"""`manage.py serve`: web server, worker and beat in one command, ended together.

Sets up the database first. When one process dies, or on Ctrl-C, all end.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from honcho.manager import Manager

from accounts.checks import refuse_to_start
from portfolio.processes import processes


class Command(BaseCommand):
    """Starts everything."""

    help = "Runs web, worker and beat together until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--bind", default=os.environ.get("BIND", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        """Set up, then hand over to the processes."""
        call_command("setup", verbosity=0)
        refuse_to_start()
        manager = Manager()
        for name, command in processes(bind=options["bind"], port=options["port"]).items():
            manager.add_process(name, command, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        self.stdout.write(f"Holdfast: http://{options['bind']}:{options['port']}/  (end with Ctrl-C)")
        self.stdout.flush()
        manager.loop()
        sys.exit(manager.returncode)
