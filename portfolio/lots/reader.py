"""Reads a file of movements row by row; whatever it cannot read it names, with the line, in one sentence.

Numbers stay what the file says: plain or with an exponent, at most 24 digits before and 30 after the point.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from operator import itemgetter

from portfolio.lots.exact import ZERO
from portfolio.lots.records import Kind, Movement

COLUMNS = ("time", "account", "to_account", "kind", "asset", "quantity", "value_usd", "fee_usd")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_KINDS = {kind.value: kind for kind in Kind}
_MOST_TEXT = 80
_WHOLE_DIGITS = 24
_DECIMALS = 30


class UnreadableFile(ValueError):
    """The file cannot be read as movements; the text is one sentence for the user."""


def read_movements(lines: Iterable[str]) -> Iterator[Movement]:
    """Movements in the order of the file; raises `UnreadableFile` naming the line that is wrong."""
    rows = csv.reader(lines, strict=True)
    try:
        header = next(rows, None)
        if header is None:
            raise UnreadableFile("The file is empty.")
        width = len(header)
        cells = _cells_in_order(header)
        before: datetime | None = None
        for row in rows:
            if not row:
                continue
            if len(row) != width:
                raise _Wrong(f"the number of cells is {len(row)}, in the header {width}")
            movement = _movement(cells(row))
            if before is not None and movement.time < before:
                raise _Wrong("the time is before that of the row above; sort the file by time")
            before = movement.time
            yield movement
    except _Wrong as error:
        raise UnreadableFile(f"Line {rows.line_num}: {error}.") from None
    except csv.Error as error:
        raise UnreadableFile(f"Line {rows.line_num} is not valid CSV: {error}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"The file is not UTF-8 text, after line {rows.line_num}.") from error


class _Wrong(ValueError):
    """What is wrong with one row, before its line is known."""


def _cells_in_order(header: list[str]) -> Callable[[list[str]], tuple[str, ...]]:
    """A function that hands out a row's cells in the order of `COLUMNS`."""
    names = [name.strip().lstrip("\ufeff") for name in header]
    for column in COLUMNS:
        if column not in names:
            raise _Wrong(f"the column {column} is missing; expected are {','.join(COLUMNS)}")
    return itemgetter(*(names.index(column) for column in COLUMNS))


def _movement(cells: tuple[str, ...]) -> Movement:
    time, account, to_account, kind_name, asset, quantity, value, fee = cells
    kind = _KINDS.get(kind_name)
    if kind is None:
        raise _Wrong(f"the kind {_shown(kind_name)} is not one of {', '.join(_KINDS)}")
    if not asset:
        raise _Wrong("the asset is missing")
    if kind is Kind.TRANSFER and not to_account:
        raise _Wrong("a transfer needs a to_account")
    return Movement(
        time=_time(time),
        kind=kind,
        asset=asset,
        quantity=_quantity(quantity),
        value=_value(value, kind),
        fee=_number(fee, "fee_usd") if fee else ZERO,
        account=account,
        to_account=to_account,
    )


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is UTC:
            return time
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong(f"the time {_shown(text)} is not ISO 8601, like 2024-05-01T12:00:00Z") from None


def _quantity(text: str) -> Decimal:
    quantity = _number(text, "quantity")
    if quantity <= ZERO:
        raise _Wrong(f"the quantity {_shown(text)} is not above zero")
    return quantity


def _value(text: str, kind: Kind) -> Decimal:
    if not text and kind is Kind.TRANSFER:
        return ZERO
    value = _number(text, "value_usd")
    if value < ZERO:
        raise _Wrong(f"the value_usd {_shown(text)} is below zero")
    return value


def _number(text: str, column: str) -> Decimal:
    if len(text) <= _WHOLE_DIGITS and not text.strip("0123456789."):
        try:
            return Decimal(text)
        except InvalidOperation:
            pass  # nothing at all, or two points: named below
    return _unusual_number(text, column)


def _unusual_number(text: str, column: str) -> Decimal:
    """A number with a sign, an exponent or many digits, or none at all."""
    if not text:
        raise _Wrong(f"the {column} is missing")
    if len(text) > _MOST_TEXT or not _NUMBER.fullmatch(text):
        raise _Wrong(f"the {column} {_shown(text)} is not a number")
    number = Decimal(text)
    if number.adjusted() >= _WHOLE_DIGITS or -int(number.as_tuple().exponent) > _DECIMALS:
        raise _Wrong(
            f"the {column} {_shown(text)} has more than {_WHOLE_DIGITS} digits before or {_DECIMALS} after the point"
        )
    return number


def _shown(text: str) -> str:
    return repr(text if len(text) <= 30 else text[:30] + "…")
