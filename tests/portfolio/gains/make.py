"""Ledger rows in few words, read for gains without a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from portfolio.corrections import Corrections
from portfolio.gains.ledger import Transfers
from portfolio.gains.meaning import Reading
from portfolio.gains.prices import Prices
from portfolio.gains.records import Choice, Leg, Row
from portfolio.gains.years import Books, Span
from portfolio.lots import Disposal, Lot, LotBook, Movement, Shortfall, in_order, open_book
from portfolio.rates import DayPrice, closing_time

_ids = count(1)
TODAY = date(2026, 3, 10)


def moment(day: str, hour: int = 12) -> datetime:
    """An hour of "2025-03-01"."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)


def row(day: str | datetime, kind: str, *amounts: str, account: str = "BTSE", **fields: Any) -> Row:
    """A row with legs like "1 BTC" or "-0.1 BTC fee"."""
    pk = fields.pop("pk", next(_ids))
    legs = []
    for words in amounts:
        amount, asset, *role = words.split()
        legs.append(Leg(asset=asset, amount=Decimal(amount), is_fee=bool(role)))
    fields = {"source": f"t{pk}", "external_id": str(pk)} | fields
    at = moment(day) if isinstance(day, str) else day
    return Row(pk=pk, account=account, kind=kind, at=at, legs=tuple(legs), **fields)


def prices(*told: str) -> Prices:
    """Closing prices like "2025-03-01 BTC 60000"."""
    daily: dict[tuple[str, date], DayPrice] = {}
    for words in told:
        day_text, asset, usd = words.split()
        day = date.fromisoformat(day_text)
        daily[asset, day] = DayPrice(
            asset=asset,
            day=day,
            usd=Decimal(usd),
            source="test",
            route=(asset, "USD"),
            at=closing_time(day),
            carried_days=0,
        )
    return Prices(lambda *_: daily, TODAY, lambda _: None)


def reading(
    *rows: Row,
    told: tuple[str, ...] = (),
    corrections: Corrections | None = None,
    transfers: Transfers | None = None,
    choices: tuple[Choice, ...] = (),
) -> Reading:
    """What these rows come to."""
    known = corrections or Corrections()
    found = Reading(prices(*told), known, transfers or Transfers(), choices)
    for each in rows:
        found.read(each)
    found.finish()
    return found


def shown(found: Reading) -> list[tuple[str, str, str, str, str]]:
    """Kind, quantity with asset, value, fee and reason of each line, as text."""
    return [
        (
            line.movement.kind.value,
            f"{line.movement.quantity.normalize():f} {line.movement.asset}",
            f"{line.movement.value.normalize():f}",
            f"{line.movement.fee.normalize():f}",
            line.reason.value,
        )
        for line in found.lines
    ]


@dataclass(frozen=True)
class Settled:
    """What years under their choices came to."""

    disposed: list[tuple[Movement, Disposal]]
    lots: list[Lot]
    shortfalls: list[Shortfall]
    unplaced_fees: Decimal


def settle(movements: Iterable[Movement], choices: Sequence[Choice]) -> Settled:
    """All disposals with their movements, open lots and shortfalls of a complete history with rising times."""
    books = Books(choices, _opened, lambda shelf: None)
    disposed: list[tuple[Movement, Disposal]] = []
    for movement in in_order(movements):
        disposed += [(told, part) for told, parts in books.feed(movement, movement) for part in parts]
    disposed += [(told, part) for told, parts in books.finish(moment("2100-01-01")) for part in parts]
    shelf = books.book.shelf
    return Settled(
        disposed=disposed,
        lots=list(shelf.lots()),
        shortfalls=shelf.shortfalls,
        unplaced_fees=shelf.unplaced_fees,
    )


def _opened(span: Span) -> LotBook:
    return open_book(span.choice.method, per_account=span.choice.per_account)


def codes(found: Reading) -> Mapping[str, int]:
    """How often each problem came up."""
    told: dict[str, int] = {}
    for problem in found.problems:
        told[problem.code.value] = told.get(problem.code.value, 0) + 1
    return told
