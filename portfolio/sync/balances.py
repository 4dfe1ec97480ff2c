"""Turns observations of what is held into snapshots: stored when a balance changes, else only seen again.

An observation of everything makes what it does not name zero. An asset that only the ledger knows was zero from the
first observation that leaves it out. Snapshots carry the exchange's clock, as the rows do that must explain them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Max, Min

from accounts.models import Connection
from exchanges.records import Balance
from portfolio.models import BalanceSnapshot, Raw
from portfolio.sync.reading import BALANCES, EVERYTHING

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One stored observation and what it says; `until` is when it was last confirmed."""

    raw_id: int
    scope: str
    at: datetime
    until: datetime
    balances: tuple[Balance, ...]

    def says(self, asset: str) -> Balance | None:
        """What it says of an asset: a balance, zero by silence, or nothing at all."""
        for balance in self.balances:
            if balance.asset == asset:
                return balance
        return zero(asset) if self.scope == EVERYTHING else None


class Chain:
    """The newest snapshots of a connection, and what observations do to them. Pure."""

    def __init__(self, newest: Iterable[BalanceSnapshot] = ()) -> None:
        """`newest`: the newest snapshot of each asset."""
        self.newest = {snapshot.asset: snapshot for snapshot in newest}
        self.added: list[BalanceSnapshot] = []
        self.confirmed: list[BalanceSnapshot] = []

    def take(self, connection: Connection, seen: Observation) -> None:
        """Add a snapshot for each balance that changed, confirm the others."""
        said = {balance.asset: balance for balance in seen.balances}
        if seen.scope == EVERYTHING:
            said = {asset: zero(asset) for asset in self.newest} | said
        for asset, balance in said.items():
            last = self.newest.get(asset)
            if last is not None and _same(last, balance):
                if seen.until > last.last_seen:
                    last.last_seen = seen.until
                    self.confirmed.append(last)
            elif last is not None or not _is_zero(balance):
                self.begin(snapshot(connection, seen, balance))

    def begin(self, row: BalanceSnapshot) -> None:
        """Let this be the newest snapshot of its asset."""
        self.newest[row.asset] = row
        self.added.append(row)


def add(chain: Chain) -> list[BalanceSnapshot]:
    """Store the snapshots that observations added, inside a transaction; returns them."""
    added, chain.added = chain.added, []
    _store(added)
    return added


def newest_of(connection: Connection) -> list[BalanceSnapshot]:
    """The newest snapshot of each asset: one query over those marked, however long the history."""
    marked = BalanceSnapshot.objects.of(connection).filter(newest=True).order_by("first_seen")
    return list({row.asset: row for row in marked}.values())


def mark_newest(connection: Connection) -> None:
    """Mark the newest snapshot of each asset, whatever was marked before: after rows were put right by hand."""
    rows = BalanceSnapshot.objects.of(connection).order_by("first_seen", "pk")
    newest = dict(rows.values_list("asset", "pk"))
    rows.exclude(pk__in=newest.values()).filter(newest=True).update(newest=False)
    rows.filter(pk__in=newest.values(), newest=False).update(newest=True)


def _store(added: Sequence[BalanceSnapshot]) -> None:
    """Only the last of each asset stays marked as its newest."""
    last = {row.asset: row for row in sorted(added, key=lambda row: row.first_seen)}
    for row in added:
        row.newest = last[row.asset] is row
    for at, assets in _by_time(last.values()).items():
        older = BalanceSnapshot.objects.filter(connection=added[0].connection_id, newest=True)
        older.filter(asset__in=assets, first_seen__lt=at).update(newest=False)
    BalanceSnapshot.objects.bulk_create(added)


def _by_time(rows: Iterable[BalanceSnapshot]) -> dict[datetime, list[str]]:
    found: dict[datetime, list[str]] = {}
    for row in rows:
        found.setdefault(row.first_seen, []).append(row.asset)
    return found


def settle(
    connection: Connection, assets: Iterable[str], first: Sequence[Observation]
) -> list[BalanceSnapshot]:
    """Let assets of the ledger be zero from the first observation that covers them and does not name them.

    `first`: the first observation of each scope. To be called inside a transaction; returns the snapshots added.
    """
    wanted = set(assets)
    rows = BalanceSnapshot.objects.of(connection).filter(asset__in=wanted)
    earliest = {row["asset"]: row["at"] for row in rows.values("asset").annotate(at=Min("first_seen"))}
    added = [
        snapshot(connection, seen, zero(asset), _last_look(connection, earliest.get(asset)))
        for asset, seen in first_silences(wanted, first, earliest)
    ]
    for row in added:
        row.newest = row.asset not in earliest
    return BalanceSnapshot.objects.bulk_create(added)


def first_silences(
    assets: Iterable[str], first: Sequence[Observation], earliest: Mapping[str, datetime]
) -> list[tuple[str, Observation]]:
    """Assets that were zero when they were first looked for, each with the observation that shows it. Pure."""
    found: list[tuple[str, Observation]] = []
    for asset in sorted(assets):
        covering = [seen for seen in first if seen.says(asset) is not None]
        seen = min(covering, key=lambda one: one.at, default=None)
        known = earliest.get(asset)
        if seen is not None and _is_zero(seen.says(asset)) and (known is None or known > seen.at):
            found.append((asset, seen))
    return found


def snapshot(
    connection: Connection, seen: Observation, balance: Balance, until: datetime | None = None
) -> BalanceSnapshot:
    """The row of one balance from the moment of an observation on."""
    return BalanceSnapshot(
        connection=connection,
        raw_id=seen.raw_id,
        asset=balance.asset,
        total=balance.total,
        available=balance.available,
        pending=balance.pending,
        first_seen=seen.at,
        last_seen=max(seen.at, until or seen.until),
    )


def zero(asset: str) -> Balance:
    """Nothing held."""
    return Balance(asset=asset, total=NOTHING, available=NOTHING)


def _is_zero(balance: Balance | None) -> bool:
    return balance is not None and not (balance.total or balance.available or balance.pending)


def _same(row: BalanceSnapshot, balance: Balance) -> bool:
    return (row.total, row.available, row.pending) == (balance.total, balance.available, balance.pending)


def _last_look(connection: Connection, before: datetime | None) -> datetime | None:
    """When balances were last looked at, before a moment."""
    looks = Raw.objects.of(connection).filter(stream=BALANCES)
    if before is not None:
        looks = looks.filter(seen_at__lt=before)
    last: datetime | None = looks.aggregate(last=Max("seen_at"))["last"]
    return last
