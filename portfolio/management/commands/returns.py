"""Prints the returns of a file of days as one JSON object; a figure that would be a guess is null with its reason."""

import json
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from portfolio.csvfile import UnreadableFile, open_csv, plain
from portfolio.returns import measure, read_days

FIGURES = ("twr", "xirr", "simple", "max_drawdown", "volatility")


class Command(BaseCommand):
    """`manage.py returns`: reads a file or standard input only; needs no database and no settings."""

    help = "Compute the returns of a CSV file of daily values and flows."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file is all there is to say."""
        parser.add_argument(
            "--from-csv", required=True, metavar="F", help="the file, or - for standard input"
        )

    def handle(self, *, from_csv: str, **_: object) -> None:
        """Read all days, then print the object."""
        try:
            with open_csv(from_csv) as lines:
                returns = measure(list(read_days(lines)))
        except UnreadableFile as error:
            raise CommandError(str(error)) from None
        answer: dict[str, str | None] = {}
        for name in FIGURES:
            figure = getattr(returns, name)
            answer[name] = None if figure.value is None else plain(figure.value)
            if figure.value is None:
                answer[f"{name}_reason"] = figure.reason
        self.stdout.write(json.dumps(answer))
