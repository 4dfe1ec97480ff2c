"""The rows of each export, read as they are written out: memory does not grow with the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count

from accounts.models import User
from exchanges.records import Status
from portfolio import valuation
from portfolio.fields import plain
from portfolio.models import Proof, Transaction

Cell = str | None | Sequence[Mapping[str, str]]
Row = Mapping[str, Cell]
CHUNK = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One kind of export; `numbers` are the fields that hold numbers, all others are text."""

    fields: tuple[str, ...]
    rows: Callable[[User, datetime], Iterator[Row]]
    numbers: frozenset[str] = frozenset()


def balances(user: User, moment: datetime) -> Iterator[Row]:
    """What is held, as the exchanges last said at `moment`, with its price; unpriced is null, never zero."""
    for holding in valuation.portfolio_of(user, moment).holdings:
        yield {
            "connection": holding.connection.label,
            "exchange": holding.connection.exchange,
            "asset": holding.asset,
            "total": plain(holding.quantity),
            "available": plain(holding.available),
            "as_of": iso(holding.as_of),
            "price_usd": text(holding.price.usd if holding.price else None),
            "value_usd": text(holding.value_usd),
        }


def ledger(user: User, moment: datetime) -> Iterator[Row]:
    """Every transaction dated up to `moment`, the oldest first, one line for each of the exchange's own ids."""
    rows = Transaction.objects.for_user(user).filter(occurred_at__lte=moment)
    rows = rows.select_related("connection").prefetch_related("postings").order_by("occurred_at", "pk")
    several = _of_several_legs(user, moment)
    done: set[tuple[int, str, str]] = set()
    for row in rows.iterator(chunk_size=CHUNK):
        key = (row.connection_id, row.stream, row.external_id)
        if key not in several:
            yield _line([row])
        elif key not in done:
            done.add(key)
            legs = rows.filter(connection=key[0], stream=key[1], external_id=key[2])
            yield _line(list(legs))


def proofs(user: User, moment: datetime) -> Iterator[Row]:
    """Every interval that ended by `moment`, by connection, asset and time."""
    rows = Proof.objects.for_user(user).filter(end__lte=moment).select_related("connection")
    for row in rows.order_by("connection_id", "asset", "end").iterator(chunk_size=CHUNK):
        yield {
            "connection": row.connection.label,
            "asset": row.asset,
            "from": iso(row.start) if row.start else None,
            "until": iso(row.end),
            "opening": plain(row.opening),
            "postings": plain(row.postings),
            "closing": plain(row.closing),
            "residual": plain(row.residual),
            "verdict": row.verdict,
        }


def networth(user: User, moment: datetime) -> Iterator[Row]:
    """Every day up to that of `moment`; a day on which a price is missing has no value, and the last is as of then."""
    for day in valuation.networth(user, None, moment):
        yield {
            "day": day.day.isoformat(),
            "value_usd": text(day.value_usd),
            "priced_share": plain(day.priced_share),
            "flow_usd": plain(day.flow_usd),
        }


def prices(user: User, moment: datetime) -> Iterator[Row]:
    """What the user's assets cost; one without a price is not there."""
    for part in sorted(valuation.portfolio_of(user, moment).by_asset(), key=lambda part: part.key):
        if part.price is not None:
            yield {
                "asset": part.key,
                "price_usd": plain(part.price.usd),
                "source": part.price.source,
                "at": iso(part.price.at),
            }


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def text(amount: Decimal | None) -> str | None:
    """A decimal text, or null."""
    return None if amount is None else plain(amount)


def _of_several_legs(user: User, moment: datetime) -> set[tuple[Any, ...]]:
    rows = Transaction.objects.for_user(user).filter(occurred_at__lte=moment)
    groups = rows.values("connection_id", "stream", "external_id").annotate(legs=Count("pk"))
    return set(groups.filter(legs__gt=1).values_list("connection_id", "stream", "external_id"))


def _line(legs: Sequence[Transaction]) -> Row:
    """One transaction; of legs that differ in status the completed ones are told, so that amounts add up."""
    completed = [leg for leg in legs if leg.status == Status.COMPLETED]
    told = completed or legs
    first = told[0]
    return {
        "connection": first.connection.label,
        "exchange": first.connection.exchange,
        "external_id": first.external_id,
        "kind": first.kind,
        "status": first.status,
        "occurred_at": iso(first.occurred_at),
        "description": first.description,
        "postings": [
            {"asset": posting.asset, "amount": plain(posting.amount), "role": posting.role}
            for leg in told
            for posting in sorted(leg.postings.all(), key=lambda posting: posting.pk)
        ],
    }


EXPORTS: dict[str, Export] = {
    "balances": Export(
        fields=(
            *("connection", "exchange", "asset", "total", "available"),
            *("as_of", "price_usd", "value_usd"),
        ),
        rows=balances,
        numbers=frozenset({"total", "available", "price_usd", "value_usd"}),
    ),
    "ledger": Export(
        fields=(
            *("connection", "exchange", "external_id", "kind", "status"),
            *("occurred_at", "description", "postings"),
        ),
        rows=ledger,
    ),
    "proofs": Export(
        fields=(
            *("connection", "asset", "from", "until"),
            *("opening", "postings", "closing", "residual", "verdict"),
        ),
        rows=proofs,
        numbers=frozenset({"opening", "postings", "closing", "residual"}),
    ),
    "networth": Export(
        fields=("day", "value_usd", "priced_share", "flow_usd"),
        rows=networth,
        numbers=frozenset({"value_usd", "priced_share", "flow_usd"}),
    ),
    "rates": Export(
        fields=("asset", "price_usd", "source", "at"), rows=prices, numbers=frozenset({"price_usd"})
    ),
}
