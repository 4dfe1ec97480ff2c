"""A file of a user's own prices: looked at first, every line that is wrong named, never stored twice.

They are corrections like any other: with author and time, undoable, and for their user alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import StringIO

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from portfolio.csvfile import BadCell, number, shown
from portfolio.fields import checked
from portfolio.models import Correction, CorrectionKind
from portfolio.models.chunks import ROWS

COLUMNS = ("date", "asset", "price_usd")
MOST_ROWS = 20_000
MOST_TEXT = 2_000_000
MOST_ERRORS = 50
FIRST_YEAR = 2000
NOTE = "imported"
Key = tuple[str, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A line that cannot be taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a file would do; nothing is stored yet. With anything wrong nothing can be."""

    new: dict[Key, Decimal]
    changed: dict[Key, Decimal]
    same: int
    wrong: tuple[Wrong, ...]
    wrong_beyond: int
    """How many more lines are wrong than are named."""

    @property
    def can_be_taken(self) -> bool:
        """Whether it is right and says anything new."""
        return not self.wrong and bool(self.new or self.changed)

    @property
    def since(self) -> date:
        """The first day on which a price would change."""
        return min(day for _, day in (*self.new, *self.changed))

    @property
    def assets(self) -> list[str]:
        """Whose prices would change."""
        return sorted({asset for asset, _ in (*self.new, *self.changed)})


def draft(user: User, text: str, today: date) -> Draft:
    """What the file would do for this user: one query."""
    said: dict[Key, Decimal] = {}
    wrong: list[Wrong] = []
    for line, row in _rows(text):
        try:
            if isinstance(row, BadCell):
                raise row
            key, price = _read(row, today)
            if said.setdefault(key, price) != price:
                raise BadCell(f"a line above gives {key[0]} another price on {key[1]}")
        except BadCell as error:
            wrong.append(Wrong(line=line, reason=f"{error}."))
    there = _active(user, said)
    return Draft(
        new={key: price for key, price in said.items() if key not in there},
        changed={key: price for key, price in said.items() if key in there and there[key] != price},
        same=sum(there.get(key) == price for key, price in said.items()),
        wrong=tuple(wrong[:MOST_ERRORS]),
        wrong_beyond=max(0, len(wrong) - MOST_ERRORS),
    )


def take(user: User, planned: Draft, now: datetime) -> None:
    """Store what a draft says; the prices it replaces are undone and stay as a record."""
    if not planned.can_be_taken:
        return
    everything = sorted((planned.new | planned.changed).items())
    for start in range(0, len(everything), ROWS):
        _store(user, everything[start : start + ROWS], now)
    user.connections.all().fall_behind(planned.since)


@transaction.atomic
def _store(user: User, rows: Sequence[tuple[Key, Decimal]], now: datetime) -> None:
    for (asset, day), _ in rows:
        older = Correction.objects.for_user(user).active()
        older.filter(kind=CorrectionKind.PRICE, asset=asset, day=day).update(undone_at=now)
    Correction.objects.bulk_create(
        Correction(
            user=user,
            author=user,
            kind=CorrectionKind.PRICE,
            asset=asset,
            day=day,
            amount=price,
            note=NOTE,
            created_at=now,
        )
        for (asset, day), price in rows
    )


def _active(user: User, said: dict[Key, Decimal]) -> dict[Key, Decimal]:
    if not said:
        return {}
    days = [day for _, day in said]
    mine = Correction.objects.for_user(user).active().filter(kind=CorrectionKind.PRICE)
    rows = mine.filter(day__range=(min(days), max(days))).values_list("asset", "day", "amount")
    return {(asset, day): price for asset, day, price in rows if day is not None and price is not None}


def _rows(text: str) -> Iterator[tuple[int, tuple[str, ...] | BadCell]]:
    """Each line with its three cells in our order; what is wrong with it in their place."""
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip().lstrip("\ufeff").lower() for cell in next(rows, [])]
        if missing := [name for name in COLUMNS if name not in header]:
            yield 1, BadCell(f"the column {missing[0]} is missing; expected are {','.join(COLUMNS)}")
            return
        places = [header.index(name) for name in COLUMNS]
        for count, row in enumerate(rows):
            if count >= MOST_ROWS:
                yield rows.line_num, BadCell(f"there are more than {MOST_ROWS} lines; split the file")
                return
            if not row:
                continue
            if len(row) != len(header):
                yield (
                    rows.line_num,
                    BadCell(f"the number of cells is {len(row)}, in the header {len(header)}"),
                )
                continue
            yield rows.line_num, tuple(row[place].strip() for place in places)
    except csv.Error as error:
        yield rows.line_num, BadCell(f"this is not valid CSV: {error}")


def _read(row: tuple[str, ...], today: date) -> tuple[Key, Decimal]:
    on, asset, price = row
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise BadCell(f"the date {shown(on)} is not like 2024-05-01") from None
    if not day.year >= FIRST_YEAR or day > today:
        raise BadCell(f"the date {day} is before {FIRST_YEAR} or after today")
    name = asset.upper()
    if not 0 < len(name) <= 32 or not name.isprintable():
        raise BadCell(f"the asset {shown(asset)} is no name of at most 32 characters")
    if name == "USD":
        raise BadCell("a dollar is a dollar; it takes no price")
    try:
        amount = checked(number(price, "price_usd"))
    except ValidationError as error:
        raise BadCell(error.messages[0].rstrip(".").lower()) from None
    if amount <= 0:
        raise BadCell("the price is not above zero")
    return (name, day), amount
