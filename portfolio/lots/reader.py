"""Reads a file of movements, row by row and with rising times."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from sys import intern

from portfolio.csvfile import FIRST_YEAR, LAST_YEAR, BadCell, number, read_table, shown
from portfolio.lots.exact import ZERO
from portfolio.lots.records import Kind, Movement

COLUMNS = ("time", "account", "to_account", "kind", "asset", "quantity", "value_usd", "fee_usd")
_KINDS = {kind.value: kind for kind in Kind}


def read_movements(lines: Iterable[str]) -> Iterator[Movement]:
    """Movements in the order of the file; raises `UnreadableFile` naming the line that is wrong."""
    before: datetime | None = None

    def movement(cells: tuple[str, ...]) -> Movement:
        nonlocal before
        read = _movement(cells)
        if before is not None and read.time < before:
            raise BadCell("the time is before that of the row above; sort the file by time")
        before = read.time
        return read

    return read_table(lines, COLUMNS, movement)


def _movement(cells: tuple[str, ...]) -> Movement:
    time, account, to_account, kind_name, asset, quantity_text, value_text, fee_text = cells
    kind = _KINDS.get(kind_name)
    if kind is None:
        raise BadCell(f"the kind {shown(kind_name)} is not one of {', '.join(_KINDS)}")
    if not asset:
        raise BadCell("the asset is missing")
    if not to_account and kind_name == "transfer":
        raise BadCell("a transfer needs a to_account")
    quantity = number(quantity_text, "quantity")
    if quantity <= ZERO:
        raise BadCell(f"the quantity {shown(quantity_text)} is not above zero")
    value = ZERO if kind_name == "transfer" and not value_text else number(value_text, "value_usd")
    if value < ZERO:
        raise BadCell(f"the value_usd {shown(value_text)} is below zero")
    return Movement(
        time=_time(time),
        kind=kind,
        asset=intern(asset),  # a file has few names and many rows
        quantity=quantity,
        value=value,
        fee=number(fee_text, "fee_usd") if fee_text else ZERO,
        account=intern(account),
        to_account=intern(to_account),
    )


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BadCell(f"the time {shown(text)} is not ISO 8601, like 2024-05-01T12:00:00Z") from None
    if not FIRST_YEAR <= time.year < LAST_YEAR:
        raise BadCell(f"the time {shown(text)} is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    if time.tzinfo is UTC:
        return time
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
