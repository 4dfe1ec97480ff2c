"""What a user owns and what it is worth at a moment: the one answer behind headline, table, chart end, export and API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import Connection
from portfolio import rates
from portfolio.models import BalanceSnapshot
from portfolio.rates import Price
from portfolio.valuation import own
from portfolio.valuation.amounts import ZERO, share, total, usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One asset at one connection, as the exchange last said, with its price; no price, no value."""

    connection: Connection
    asset: str
    quantity: Decimal
    available: Decimal
    pending: Decimal
    as_of: datetime
    """When the exchange last confirmed the balance."""
    snapshot_id: int
    price: Price | None
    value_usd: Decimal | None

    @property
    def locked(self) -> Decimal:
        """What is held but bound, for example by an open order."""
        return self.quantity - self.available

    @property
    def is_held(self) -> bool:
        """Whether there is any of it (an asset may be listed for what is only pending)."""
        return self.quantity != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The holdings that share an asset, an exchange or a connection."""

    key: str
    label: str
    holdings: tuple[Holding, ...]
    value_usd: Decimal | None
    """Sum of what is priced; None where nothing of it is."""
    share: Decimal | None
    """Of the total, to six places."""

    @property
    def quantity(self) -> Decimal:
        """How much, where all holdings are of one asset."""
        return total(h.quantity for h in self.holdings)

    @property
    def available(self) -> Decimal:
        """How much of it is free."""
        return total(h.available for h in self.holdings)

    @property
    def locked(self) -> Decimal:
        """How much of it is bound."""
        return total(h.locked for h in self.holdings)

    @property
    def pending(self) -> Decimal:
        """How much is on its way, never added."""
        return total(h.pending for h in self.holdings)

    @property
    def price(self) -> Price | None:
        """The price of its asset, where all holdings are of one."""
        return self.holdings[0].price

    @property
    def as_of(self) -> datetime:
        """The oldest confirmation among its balances."""
        return min(h.as_of for h in self.holdings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """All holdings of a user at a moment; the total is the exact sum of the values of its parts."""

    at: datetime
    holdings: tuple[Holding, ...]

    @property
    def total_usd(self) -> Decimal:
        """The sum of what is priced."""
        return total(h.value_usd for h in self.holdings)

    @property
    def held(self) -> int:
        """How many holdings there are: an asset at two connections counts twice."""
        return sum(h.is_held for h in self.holdings)

    @property
    def priced(self) -> int:
        """How many of them have a value."""
        return sum(h.is_held and h.value_usd is not None for h in self.holdings)

    @property
    def priced_share(self) -> Decimal:
        """Priced ones of those held, by count; 1 where nothing is held."""
        return share(self.priced, self.held)

    @property
    def oldest_price_at(self) -> datetime | None:
        """How old the oldest price in the total is."""
        return min((h.price.at for h in self.holdings if h.is_held and h.price), default=None)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The assets that the total leaves out, by name."""
        return tuple(sorted({h.asset for h in self.holdings if h.is_held and h.value_usd is None}))

    def by_asset(self) -> tuple[Part, ...]:
        """One part for each asset, the most valuable first."""
        return self._parts(lambda h: (h.asset, h.asset))

    def by_exchange(self) -> tuple[Part, ...]:
        """One part for each exchange."""
        return self._parts(lambda h: (h.connection.exchange, h.connection.known.label))

    def by_connection(self) -> tuple[Part, ...]:
        """One part for each connection; its key is the connection's public id."""
        return self._parts(lambda h: (h.connection.public_id, h.connection.label))

    def _parts(self, name: Callable[[Holding], tuple[str, str]]) -> tuple[Part, ...]:
        groups: dict[tuple[str, str], list[Holding]] = {}
        for holding in self.holdings:
            groups.setdefault(name(holding), []).append(holding)
        whole = self.total_usd
        parts = [_part(key, label, held, whole) for (key, label), held in groups.items()]
        return tuple(sorted(parts, key=lambda p: (p.value_usd is None, -(p.value_usd or ZERO), p.label)))


def portfolio_of(user: Any, now: datetime) -> Portfolio:
    """What `user` owns and what it is worth, as known at `now`: two queries, three where something is unpriced."""
    return _portfolio(BalanceSnapshot.objects.for_user(user).held_at(now).select_related("connection"), now)


def portfolio_of_connections(connections: Iterable[Connection], now: datetime) -> Portfolio:
    """The same for some connections, whoever owns them."""
    of_these = BalanceSnapshot.objects.filter(connection__in=list(connections))
    return _portfolio(of_these.held_at(now).select_related("connection"), now)


def _portfolio(snapshots: Iterable[BalanceSnapshot], now: datetime) -> Portfolio:
    there = [s for s in snapshots if s.total or s.pending]
    prices = rates.current({s.asset for s in there}, now)
    waiting = [s for s in there if s.asset not in prices]
    said = (
        own.current({s.connection.user_id for s in waiting}, {s.asset for s in waiting}, now)
        if waiting
        else {}
    )
    holdings = [
        _holding(s, prices.get(s.asset) or said.get((s.connection.user_id, s.asset)), now) for s in there
    ]
    return Portfolio(at=now, holdings=tuple(sorted(holdings, key=_order)))


def _order(holding: Holding) -> tuple[bool, Decimal, str, int]:
    value = holding.value_usd
    return (value is None, -(value or ZERO), holding.asset, holding.snapshot_id)


def _holding(snapshot: BalanceSnapshot, price: Price | None, now: datetime) -> Holding:
    return Holding(
        connection=snapshot.connection,
        asset=snapshot.asset,
        quantity=snapshot.total,
        available=snapshot.available,
        pending=snapshot.pending,
        as_of=min(snapshot.last_seen, now),
        snapshot_id=snapshot.pk,
        price=price,
        value_usd=usd(snapshot.total, price.usd if price else None),
    )


def _part(key: str, label: str, held: list[Holding], whole: Decimal) -> Part:
    values = [h.value_usd for h in held if h.value_usd is not None]
    value = total(values) if values else None
    return Part(
        key=key,
        label=label,
        holdings=tuple(held),
        value_usd=value,
        share=None if value is None or not whole else share(value, whole),
    )
