"""`manage.py doctor`: what is wrong with this installation, one line each, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils import timezone

from accounts.diagnosis import Finding, Level, look, ok, warn
from accounts.models import Connection, State
from portfolio.models import Run
from portfolio.sync import hosts

LATE = timedelta(minutes=5)
"""The dispatcher wakes every few seconds: what has been due for this long has no worker."""


class Command(BaseCommand):
    """Looks and reports."""

    help = "Check the whole installation; exit 1 when something does not work."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding."""
        findings = list(look())
        if all(each.level is not Level.FAIL for each in findings):
            findings += syncs(timezone.now())
        for each in findings:
            self.stdout.write(f"{each.level:<5}{each.what:<14}{each.text}")
        if any(each.level is Level.FAIL for each in findings):
            sys.exit(1)


def syncs(now: datetime) -> Iterator[Finding]:
    """Whether a worker is at work, and which connections need their user."""
    try:
        late = Connection.objects.due(now - LATE).count()
        troubled = Connection.objects.filter(state=State.NEEDS_ATTENTION).count()
        unwell = hosts.troubles(now)
        newest = Run.objects.order_by("-started_at").first()
    except DatabaseError:
        return
    last = (
        f"the last run began {newest.started_at:%Y-%m-%d %H:%M} UTC" if newest else "nothing was synced yet"
    )
    if late:
        yield warn("worker", f"{late} connections are overdue; {last}. Start the worker: make run")
    else:
        yield ok("worker", f"nothing is overdue; {last}")
    for trouble in unwell.values():
        yield warn("hosts", f"{trouble.sentence} {trouble.error}")
    if troubled:
        yield warn("connections", f"{troubled} need attention: their pages say why and what to do.")
