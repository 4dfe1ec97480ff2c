"""Reads the CSV files that users hand in: what cannot be read is named, with its line, in one sentence.

Numbers stay what the file says: plain or with an exponent, at most 24 digits before and 30 after the point.
"""

import csv
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from io import TextIOWrapper
from operator import itemgetter
from typing import TextIO, TypeVar

_Row = TypeVar("_Row")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MOST_TEXT = 80
_WHOLE_DIGITS = 24
_ZERO = Decimal(0)
# A day or a year may still be added to what lies between.
FIRST_YEAR, LAST_YEAR = 1900, 9000
_DECIMALS = 30
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class UnreadableFile(ValueError):
    """The file cannot be read; the text is one sentence for the user."""


class BadCell(ValueError):
    """What is wrong with one row, said without its line and without a full stop."""


@contextmanager
def open_csv(name: str) -> Iterator[TextIO]:
    """The lines of a file, or of standard input for `-`; raises `UnreadableFile`."""
    if name == "-":
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors="strict", newline="")
        yield sys.stdin
        return
    try:
        file = open(name, encoding="utf-8", newline="")  # noqa: SIM115 — closed by the block below
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(f"The file {name!r} cannot be read: {reason}.") from None
    with file:
        yield file


def read_table(
    lines: Iterable[str], columns: Sequence[str], convert: Callable[[tuple[str, ...]], _Row]
) -> Iterator[_Row]:
    """Each row's cells in the order of `columns`, converted; other columns are ignored, empty lines skipped."""
    rows = csv.reader(lines, strict=True)
    try:
        header = next(rows, None)
        if header is None:
            raise UnreadableFile("The file is empty.")
        width = len(header)
        cells = _cells_of(header, columns)
        for row in rows:
            if not row:
                continue
            if len(row) != width:
                raise BadCell(f"the number of cells is {len(row)}, in the header {width}")
            yield convert(cells(row))
    except BadCell as error:
        raise UnreadableFile(f"Line {rows.line_num}: {error}.") from None
    except csv.Error as error:
        raise UnreadableFile(f"Line {rows.line_num} is not valid CSV: {error}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile("The file is not UTF-8 text.") from error


def _cells_of(header: list[str], columns: Sequence[str]) -> Callable[[list[str]], tuple[str, ...]]:
    names = [name.strip().lstrip("\ufeff") for name in header]
    for column in columns:
        if column not in names:
            raise BadCell(f"the column {column} is missing; expected are {','.join(columns)}")
    return itemgetter(*(names.index(column) for column in columns))


def number(text: str, column: str) -> Decimal:
    """The exact number in a cell; raises `BadCell` naming the column."""
    if text == "0":
        return _ZERO  # most fees: one object for all of them
    if len(text) <= _WHOLE_DIGITS and not text.strip("0123456789."):
        try:
            return Decimal(text)
        except InvalidOperation:
            pass  # nothing at all, or two points: named below
    return _unusual_number(text, column)


def _unusual_number(text: str, column: str) -> Decimal:
    """A number with a sign, an exponent or many digits, or none at all."""
    if not text:
        raise BadCell(f"the {column} is missing")
    if len(text) > _MOST_TEXT or not _NUMBER.fullmatch(text):
        raise BadCell(f"the {column} {shown(text)} is not a number")
    exact = Decimal(text)
    if exact.adjusted() >= _WHOLE_DIGITS or -int(exact.as_tuple().exponent) > _DECIMALS:
        raise BadCell(
            f"the {column} {shown(text)} has more than {_WHOLE_DIGITS} digits before or {_DECIMALS} after the point"
        )
    return exact


def plain(exact: Decimal) -> str:
    """The number as text again: every digit, no exponent, no idle zero."""
    text = str(exact)
    if text[-1] != "0" and "E" not in text:
        return text
    text = f"{exact:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text != "-0" else "0"


def shown(text: str) -> str:
    """What a cell holds, quoted and cut, for a sentence about it."""
    return repr(text if len(text) <= 30 else text[:30] + "…")


def neutral(text: str) -> str:
    """The text for a cell, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def original(cell: str) -> str:
    """What a cell said before `neutral`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
