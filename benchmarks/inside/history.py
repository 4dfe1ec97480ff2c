"""A user with years of ledger rows, poured straight into the tables; aggregates are told by the product itself.

Every asset comes on the first day; the other rows are spread evenly over all days and assets, so that histories of any
length have the same days and assets. Balances were read in the last month only, as of an account added then.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice

from django.db import transaction

from accounts.models import Connection, State, User
from benchmarks.inside.pour import last_key, pour, settle
from exchanges.records import Kind, Role, Status
from portfolio.models import BalanceSnapshot, Coverage, DailyPrice, Posting, Rate, Raw, Transaction
from portfolio.tasks import tell

ASSETS = ("USDT", "BTC", "ETH", *(f"C{n:02}" for n in range(47)))
DAYS = 365 * 5 + 1
SEEN_DAYS = 30
AT_ONCE = 50_000
ZERO = Decimal(0)
KINDS = (
    Kind.TRADE, Kind.DEPOSIT, Kind.TRADE, Kind.INCOME, Kind.TRADE,
    Kind.TRADE, Kind.WITHDRAWAL, Kind.TRADE, Kind.FEE, Kind.TRADE,
)  # fmt: skip
RAW = ("id", "connection_id", "stream", "source_id", "digest", "body", "received_at", "current_at", "seen_at")
ENTRY = (
    "id", "connection_id", "raw_id", "stream", "external_id", "kind", "status", "occurred_at", "first_seen", "assets",
)  # fmt: skip
POSTING = ("transaction_id", "connection_id", "asset", "amount", "role", "kind", "occurred_at", "counts")
SEEN = (
    "connection_id",
    "raw_id",
    "asset",
    "total",
    "available",
    "pending",
    "first_seen",
    "last_seen",
    "newest",
)
PRICE = ("asset", "day", "price_usd", "source", "route", "at")
QUOTE = ("base", "counter", "price", "source", "at", "fetched_at", "newest")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the ledger: what it is and what it moves."""

    kind: Kind
    at: datetime
    moves: tuple[tuple[str, Decimal, Role], ...]


class Clock:
    """Always the same moment, so that a history is told as of its end."""

    def __init__(self, at: datetime) -> None:
        """It stands at `at`."""
        self.at = at

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.at

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Nobody waits here."""


def prices(now: datetime) -> None:
    """A close of every asset on every day, and a quote of now."""
    first = now.date() - timedelta(days=DAYS)
    span = [first + timedelta(days=n) for n in range(DAYS + 1)]
    closes = (
        (asset, day, _price(place, n), "BTSE close", f"{asset} > USD", midnight(day))
        for place, asset in enumerate(ASSETS)
        for n, day in enumerate(span)
    )
    at = now - timedelta(minutes=2)
    quotes = ((asset, "USD", _price(n, DAYS), "BTSE", at, at, True) for n, asset in enumerate(ASSETS))
    with transaction.atomic():
        pour(DailyPrice, PRICE, closes)
        pour(Rate, QUOTE, quotes)


def owner(email: str, rows: int, now: datetime) -> Connection:
    """A user with one connection and so many ledger rows, up to an hour ago; nothing is told yet."""
    user = User.objects.create_user(email=email, password=None)
    connection = Connection.objects.create(
        user=user,
        exchange="btse",
        label="History",
        state=State.ACTIVE,
        created_at=now - timedelta(days=SEEN_DAYS),
        synced_at=now,
        next_sync_at=now + timedelta(days=1),
    )
    Coverage.objects.create(connection=connection, stream="wallet", read_at=now, complete_at=now)
    append(connection, lines(rows, now))
    look(connection, now)
    settle(Raw, Transaction)
    return connection


def lines(rows: int, now: datetime) -> Iterator[Line]:
    """Deposits of every asset on the first day, then rows of all kinds, evenly in time."""
    opened = midnight(now.date() - timedelta(days=DAYS - 1))
    for n, asset in enumerate(ASSETS):
        much = Decimal(10_000_000 if asset == "USDT" else 10_000)
        yield Line(Kind.DEPOSIT, opened + timedelta(seconds=n), ((asset, much, Role.PRINCIPAL),))
    left = max(rows - len(ASSETS), 0)
    first = opened + timedelta(hours=1)
    yield from spread(left, first, now - timedelta(hours=1))


def spread(rows: int, first: datetime, last: datetime) -> Iterator[Line]:
    """So many rows between two moments."""
    step = (last - first) / max(rows, 1)
    for n in range(rows):
        at = first + n * step
        yield _line(n, at.replace(microsecond=at.microsecond // 1000 * 1000))


def append(connection: Connection, wanted: Iterable[Line]) -> None:
    """Store raw records, transactions and postings."""
    rows, kept = iter(wanted), {model: last_key(model) for model in (Raw, Transaction)}
    while some := list(islice(rows, AT_ONCE)):
        raw, entry = kept[Raw] + 1, kept[Transaction] + 1
        with transaction.atomic():
            pour(Raw, RAW, (_raw(connection, raw + n, each) for n, each in enumerate(some)))
            pour(Transaction, ENTRY, (_entry(connection, raw + n, entry + n, e) for n, e in enumerate(some)))
            pour(
                Posting, POSTING, (p for n, e in enumerate(some) for p in _postings(connection, entry + n, e))
            )
        kept = {model: key + len(some) for model, key in kept.items()}


def look(connection: Connection, now: datetime) -> None:
    """What was held at the end of each of the last days, and is held now, exactly as the ledger has it."""
    raw = Raw.objects.filter(connection=connection).order_by("pk").values_list("pk", flat=True)[0]
    days = [now.date() - timedelta(days=n) for n in range(SEEN_DAYS, 0, -1)]
    moments = [*(midnight(day) + timedelta(hours=23, minutes=50) for day in days), now]
    # All of them first: while rows are copied in, a connection can ask nothing.
    seen = [row for asset in ASSETS for row in _seen(connection, raw, asset, moments)]
    with transaction.atomic():
        pour(BalanceSnapshot, SEEN, seen)


def another_day(connection: Connection, rows: int, now: datetime) -> None:
    """New rows of the day of `now`, with the balances that follow from them, as a sync would leave them."""
    begin = midnight(now.date())
    made = list(spread(rows, begin, now))
    append(connection, made)
    totals: dict[str, Decimal] = {}
    for asset, amount, _ in (move for line in made for move in line.moves):
        totals[asset] = totals.get(asset, ZERO) + amount
    newest = BalanceSnapshot.objects.of(connection).filter(newest=True)
    seen = [
        (connection.pk, old.raw_id, old.asset, old.total + totals[old.asset], ZERO, ZERO, now, now, True)
        for old in newest
        if totals.get(old.asset)
    ]
    newest.filter(asset__in=totals).update(newest=False)
    newest.update(last_seen=now)
    with transaction.atomic():
        pour(BalanceSnapshot, SEEN, seen)
    Connection.objects.filter(pk=connection.pk).update(figures_since=begin.date())
    settle(Raw, Transaction)


def told(connection: Connection, now: datetime, *, everything: bool = True) -> float:
    """Seconds of CPU that it takes to tell proofs and figures."""
    began = time.process_time()
    tell(connection.pk, Clock(now), everything=everything)
    return time.process_time() - began


def midnight(day: date) -> datetime:
    """The first moment of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _price(place: int, n: int) -> Decimal:
    """A price that goes up and down, with two places; USDT is nearly a dollar."""
    if place == 0:
        return Decimal(1) + Decimal(n % 7 - 3).scaleb(-4)
    return Decimal(place * 100 + (n * (place + 7)) % 997 + n // 10).scaleb(-1)


def _line(n: int, at: datetime) -> Line:
    """The n-th row: kinds and assets take turns, what comes and goes nearly balances."""
    kind, asset = KINDS[n % len(KINDS)], ASSETS[(n // len(KINDS) + n) % len(ASSETS)]
    amount = Decimal(n % 997 + 1).scaleb(-5)
    if kind is Kind.TRADE and asset == "USDT":
        kind = Kind.DEPOSIT
    if kind is not Kind.TRADE:
        sign = 1 if kind in (Kind.DEPOSIT, Kind.INCOME) else -1
        return Line(kind, at, ((asset, sign * amount, Role.FEE if kind is Kind.FEE else Role.PRINCIPAL),))
    sign = 1 if n % 4 < 2 else -1
    paid = ("USDT", -sign * amount * (n % 89 + 10), Role.PRINCIPAL)
    return Line(kind, at, ((asset, sign * amount, Role.PRINCIPAL), paid, ("USDT", -amount / 100, Role.FEE)))


def _raw(connection: Connection, key: int, line: Line) -> tuple[object, ...]:
    name = f"{key:010}"
    body = f'{{"id": "{name}", "type": "{line.kind}"}}'
    return (key, connection.pk, "wallet", name, name, body, line.at, line.at, line.at)


def _entry(connection: Connection, raw: int, key: int, line: Line) -> tuple[object, ...]:
    assets = f" {' '.join(dict.fromkeys(asset for asset, _, _ in line.moves))} "
    kind, done = line.kind.value, Status.COMPLETED.value
    return (key, connection.pk, raw, "wallet", f"{raw:010}", kind, done, line.at, line.at, assets)


def _postings(connection: Connection, entry: int, line: Line) -> Iterator[tuple[object, ...]]:
    for asset, amount, role in line.moves:
        yield (entry, connection.pk, asset, amount, role.value, line.kind.value, line.at, True)


def _seen(
    connection: Connection, raw: int, asset: str, moments: list[datetime]
) -> Iterator[tuple[object, ...]]:
    """The snapshots of one asset: a new one where the total differs from the last look."""
    rows = Posting.objects.of(connection).filter(asset=asset).order_by("occurred_at")
    moved = rows.values_list("occurred_at", "amount").iterator(chunk_size=5000)
    found: list[list[object]] = []
    total, following = ZERO, next(moved, None)
    for at in moments:
        while following and following[0] <= at:
            total, following = total + following[1], next(moved, None)
        if found and found[-1][0] == total:
            found[-1][2] = at
        else:
            found.append([total, at, at])
    for n, (held, first, last) in enumerate(found):
        yield (connection.pk, raw, asset, held, held, ZERO, first, last, n == len(found) - 1)
