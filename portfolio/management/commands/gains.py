"""Prints the gains that a file of movements contains: one JSON line per disposed part, or per asset and year.

Nothing is printed before the whole file has been read and found good: a script never sees half an answer.
"""

import json
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from typing import TextIO

from django.core.management.base import BaseCommand, CommandError

from portfolio.lots import Disposal, Method, Shortfall, UnreadableFile, open_book, read_movements
from portfolio.lots.summary import summarise

_IN_MEMORY = 16 * 1024 * 1024


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
        with SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="\n") as answer:
            try:
                with _opened(from_csv) as lines:
                    disposals = book.disposals(read_movements(lines))
                    answer.writelines(_summary_lines(disposals) if summary else _lines(disposals))
            except UnreadableFile as error:
                raise CommandError(str(error)) from None
            for shortfall in book.shelf.shortfalls:
                self.stderr.write(_warning(shortfall))
            answer.seek(0)
            shutil.copyfileobj(answer, self.stdout)


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    if name == "-":
        yield sys.stdin
        return
    try:
        file = open(name, encoding="utf-8", newline="")  # noqa: SIM115 — closed by the block below
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"The file {name!r} cannot be read: {reason}.") from None
    with file:
        yield file


def _lines(disposals: Iterable[Disposal]) -> Iterator[str]:
    # Written by hand: json.dumps on a dictionary takes three times as long, and only names need escaping.
    for part in disposals:
        acquired = f'"{_time(part.acquired)}"' if part.acquired else "null"
        yield (
            f'{{"asset": {_quoted(part.asset)}, "account": {_quoted(part.account)}, '
            f'"acquired": {acquired}, "disposed": "{_time(part.disposed)}", '
            f'"quantity": "{_plain(part.quantity)}", "proceeds_usd": "{_plain(part.proceeds)}", '
            f'"cost_usd": "{_plain(part.cost)}", "gain_usd": "{_plain(part.gain)}"}}\n'
        )


def _summary_lines(disposals: Iterable[Disposal]) -> Iterator[str]:
    for total in summarise(disposals):
        yield (
            f'{{"asset": {_quoted(total.asset)}, "year": {total.year}, '
            f'"quantity": "{_plain(total.quantity)}", "proceeds_usd": "{_plain(total.proceeds)}", '
            f'"cost_usd": "{_plain(total.cost)}", "gain_usd": "{_plain(total.gain)}"}}\n'
        )


def _warning(shortfall: Shortfall) -> str:
    where = f" in {shortfall.account}" if shortfall.account else ""
    return (
        f"{_time(shortfall.time)}: this {shortfall.kind} takes {_plain(shortfall.quantity)} {shortfall.asset} more "
        f"than was held{where}; the missing part is counted at zero cost."
    )


_quoted = lru_cache(maxsize=1024)(json.dumps)


@lru_cache(maxsize=1024)
def _time(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _plain(number: Decimal) -> str:
    text = str(number)
    if "E" in text:
        text = f"{number:f}"
    if text[-1] == "0" and "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
