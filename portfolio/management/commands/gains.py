"""Prints the gains that a file of movements contains: one JSON line per disposed part, or per asset and year.

Nothing is printed before the whole file has been read and found good: a script never sees half an answer.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from itertools import islice

from django.core.management.base import BaseCommand, CommandError

from portfolio.csvfile import UnreadableFile, open_csv, plain
from portfolio.lots import Disposal, Method, Shortfall, open_book, read_movements
from portfolio.lots.summary import summarise

_LINES_A_CHUNK = 10_000


class Command(BaseCommand):
    """`manage.py gains`: reads a file and standard input only; needs no database and no settings."""

    help = "Compute the gains of a CSV file of movements under a cost method."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, the method, and how much to show."""
        parser.add_argument(
            "--from-csv", required=True, metavar="F", help="the file, or - for standard input"
        )
        parser.add_argument("--method", required=True, choices=[method.value for method in Method])
        parser.add_argument("--per-account", action="store_true", help="keep the lots of each account apart")
        parser.add_argument("--summary", action="store_true", help="one line per asset and year")

    def handle(self, *, from_csv: str, method: str, per_account: bool, summary: bool, **_: object) -> None:
        """Work the file through, then print all of it; what was sold without being held goes to stderr."""
        book = open_book(Method(method), per_account=per_account)
        try:
            with open_csv(from_csv) as lines:
                disposals = book.disposals(read_movements(lines))
                answer = list(_chunks(_summary_lines(disposals) if summary else _lines(disposals)))
        except UnreadableFile as error:
            raise CommandError(str(error)) from None
        for shortfall in book.shelf.shortfalls:
            self.stderr.write(_warning(shortfall))
        for chunk in answer:
            self.stdout.write(chunk, ending="")


def _chunks(lines: Iterator[str]) -> Iterator[str]:
    """Many lines in one text: the answer waits in memory without the overhead of single lines."""
    while chunk := "".join(islice(lines, _LINES_A_CHUNK)):
        yield chunk


def _lines(disposals: Iterable[Disposal]) -> Iterator[str]:
    # Written by hand: json.dumps on a dictionary takes three times as long, and only names need escaping.
    for part in disposals:
        acquired = f'"{_time(part.acquired)}"' if part.acquired else "null"
        yield (
            f'{{"asset": {_quoted(part.asset)}, "account": {_quoted(part.account)}, '
            f'"acquired": {acquired}, "disposed": "{_time(part.disposed)}", '
            f'"quantity": "{plain(part.quantity)}", "proceeds_usd": "{plain(part.proceeds)}", '
            f'"cost_usd": "{plain(part.cost)}", "gain_usd": "{plain(part.gain)}"}}\n'
        )


def _summary_lines(disposals: Iterable[Disposal]) -> Iterator[str]:
    for total in summarise(disposals):
        yield (
            f'{{"asset": {_quoted(total.asset)}, "year": {total.year}, '
            f'"quantity": "{plain(total.quantity)}", "proceeds_usd": "{plain(total.proceeds)}", '
            f'"cost_usd": "{plain(total.cost)}", "gain_usd": "{plain(total.gain)}"}}\n'
        )


def _warning(shortfall: Shortfall) -> str:
    where = f" in {shortfall.account}" if shortfall.account else ""
    return (
        f"{_time(shortfall.time)}: this {shortfall.kind} takes {plain(shortfall.quantity)} {shortfall.asset} more "
        f"than was held{where}; the missing part is counted at zero cost."
    )


_quoted = lru_cache(maxsize=1024)(json.dumps)


@lru_cache(maxsize=1024)
def _time(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
