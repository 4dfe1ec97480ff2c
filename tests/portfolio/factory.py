"""Plain rows for tests that need no sync: each function makes one thing with sensible defaults."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.models import Connection
from exchanges.records import Kind, Status
from portfolio.models import (
    BalanceSnapshot,
    DailyHolding,
    DailyPrice,
    DailyWorth,
    Posting,
    Proof,
    Rate,
    Raw,
    Run,
    StreamRun,
    Transaction,
)

Prices = Callable[[int], Decimal]
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
numbers = count(1)


def rising(day: int) -> Decimal:
    """A price that rises by 100 a day."""
    return Decimal(60_000 + 100 * day)


def make_raw(connection: Connection, stream: str = "history", **fields: Any) -> Raw:
    """A raw record with a body of its own."""
    number = next(numbers)
    body = json.dumps({"id": number, "amount": "1.50", "currency": "BTC"})
    fields = {"source_id": str(number), "digest": f"{number:064x}", "body": body} | fields
    return Raw.objects.create(connection=connection, stream=stream, **fields)


def make_transaction(connection: Connection, *postings: tuple[str, str], **fields: Any) -> Transaction:
    """A completed deposit of 1.5 BTC, or what `postings` (asset, amount) say."""
    moved = postings or (("BTC", "1.5"),)
    raw = fields.pop("raw", None) or make_raw(connection)
    fields = {
        "stream": raw.stream,
        "external_id": raw.source_id,
        "kind": Kind.DEPOSIT,
        "status": Status.COMPLETED,
        "occurred_at": NOON,
        "assets": f" {' '.join(sorted({asset for asset, _ in moved}))} ",
    } | fields
    made = Transaction.objects.create(connection=connection, raw=raw, **fields)
    for asset, amount in moved:
        Posting.objects.create(
            transaction=made,
            connection=connection,
            asset=asset,
            amount=Decimal(amount),
            role="principal",
            kind=made.kind,
            occurred_at=made.occurred_at,
            counts=made.status == Status.COMPLETED,
        )
    return made


def make_snapshot(
    connection: Connection, asset: str = "BTC", total: str = "1.5", **fields: Any
) -> BalanceSnapshot:
    """What the exchange says is held now."""
    body = json.dumps({"currency": asset, "total": total})
    raw = fields.pop("raw", None) or make_raw(connection, "balances", body=body)
    fields = {
        "available": Decimal(total),
        "pending": Decimal(0),
        "first_seen": NOON,
        "last_seen": NOON,
    } | fields
    return BalanceSnapshot.objects.create(
        connection=connection, raw=raw, asset=asset, total=Decimal(total), **fields
    )


def make_rate(base: str = "BTC", price: str = "60000", **fields: Any) -> Rate:
    """What one unit costs in USD now."""
    fields = {"counter": "USD", "source": "btse", "at": NOON, "fetched_at": NOON} | fields
    return Rate.objects.create(base=base, price=Decimal(price), **fields)


def make_history(
    connection: Connection,
    asset: str = "BTC",
    days: int = 30,
    until: date | None = None,
    prices: Prices = rising,
) -> None:
    """1.5 of the asset and its price at the end of each of the last `days` days, and the sum of each day."""
    last = until or NOON.date()
    for back in range(days):
        day, price = last - timedelta(days=back), prices(days - back)
        value = price * Decimal("1.5")
        DailyPrice.objects.update_or_create(
            asset=asset,
            day=day,
            defaults={"price_usd": price, "source": "btse", "route": f"{asset} → USD", "at": NOON},
        )
        DailyHolding.objects.create(
            connection=connection,
            asset=asset,
            day=day,
            quantity=Decimal("1.5"),
            certainty="snapshot",
            price_usd=price,
            value_usd=value,
            flow=Decimal(0),
        )
        worth, _ = DailyWorth.objects.get_or_create(
            connection=connection,
            day=day,
            defaults={"value_usd": Decimal(0), "flow_usd": Decimal(0), "held": 0, "priced": 0},
        )
        worth.value_usd, worth.held, worth.priced = worth.value_usd + value, worth.held + 1, worth.priced + 1
        worth.save()


def make_run(connection: Connection, *streams: str, **fields: Any) -> Run:
    """A run that is done, with these streams."""
    fields = {"state": "ok", "started_at": NOON, "finished_at": NOON, "requests": 7} | fields
    run = Run.objects.create(connection=connection, **fields)
    for stream in streams:
        StreamRun.objects.create(run=run, stream=stream, state=run.state, pages=3, sent=120, new=20)
    return run


def make_proof(connection: Connection, asset: str = "BTC", **fields: Any) -> Proof:
    """An interval of an hour in which 1.5 came, or what the fields say; amounts may be text."""
    amounts = {name: Decimal(fields.pop(name, default)) for name, default in PROVED.items()}
    fields = {"start": NOON - timedelta(hours=1), "end": NOON, "verdict": "proved"} | fields
    return Proof.objects.create(connection=connection, asset=asset, **amounts, **fields)


PROVED = {"opening": "0", "postings": "1.5", "closing": "1.5", "residual": "0"}
