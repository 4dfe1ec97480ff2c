"""Writes what a user has to standard output, as JSON lines or CSV, for scripts and spreadsheets."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from datetime import UTC, date, datetime, time

from django.core.management.base import BaseCommand
from django.utils import timezone

from portfolio.exports import EXPORTS, FORMATS, write
from portfolio.management.plainly import Failed, plainly, user_of


class Command(BaseCommand):
    """`manage.py export`: one user's rows, streamed."""

    help = "Export a user's figures to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, whose, in which form, as of when."""
        parser.add_argument("what", choices=list(EXPORTS))
        parser.add_argument("--user", required=True, metavar="U", help="the user's e-mail address")
        parser.add_argument("--format", dest="form", choices=list(FORMATS), default="jsonl")
        parser.add_argument("--as-of", metavar="T", help="a day (its end, UTC) or an ISO 8601 time; else now")

    def handle(self, *, what: str, user: str, form: str, as_of: str | None, **_: object) -> None:
        """Row by row; a reader that has seen enough may close the pipe."""
        export = EXPORTS[what]
        with plainly():
            rows = export.rows(user_of(user), moment_of(as_of))
            try:
                for line in write(export, rows, form):
                    self.stdout.write(line, ending="")
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def moment_of(text: str | None) -> datetime:
    """The moment that `--as-of` names."""
    if text is None:
        return timezone.now()
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failed(f"“{text}” is no time. Write 2026-01-31 or 2026-01-31T12:00:00Z.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
