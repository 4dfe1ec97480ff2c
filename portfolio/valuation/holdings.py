"""What a user owns and what it is worth at a moment: the one answer behind headline, table, chart end, export and API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from accounts.models import Connection
from portfolio import rates
from portfolio.models import BalanceSnapshot
from portfolio.rates import Price
from portfolio.valuation import own, par
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


class _Seen(NamedTuple):
    """What is read of a snapshot; whole rows with their connections would cost several times as much."""

    pk: int
    connection: int
    asset: str
    total: Decimal
    available: Decimal
    pending: Decimal
    last_seen: datetime


def portfolio_of(user: Any, now: datetime, *, at_par: bool = False) -> Portfolio:
    """What `user` owns and what it is worth, as known at `now`: three queries, four where something is unpriced.

    `at_par` counts each USDT as one dollar, whatever the market says.
    """
    return portfolio_of_connections(Connection.objects.for_user(user), now, at_par=at_par)


def portfolio_of_connections(
    connections: Iterable[Connection], now: datetime, *, at_par: bool = False
) -> Portfolio:
    """The same for some connections, whoever owns them: one query less where they are at hand."""
    known = {connection.pk: connection for connection in connections}
    rows = BalanceSnapshot.objects.filter(connection__in=known).held_at(now).values_list(*_Seen._fields)
    there = [seen for seen in map(_Seen._make, rows) if seen.total or seen.pending]
    prices = rates.current({s.asset for s in there}, now)
    if at_par:
        prices[par.USDT] = par.price(now)
    waiting = [s for s in there if s.asset not in prices]
    owners = {pk: connection.user_id for pk, connection in known.items()}
    said = (
        own.current({owners[s.connection] for s in waiting}, {s.asset for s in waiting}, now)
        if waiting
        else {}
    )
    holdings = [
        _holding(
            s, known[s.connection], prices.get(s.asset) or said.get((owners[s.connection], s.asset)), now
        )
        for s in there
    ]
    return Portfolio(at=now, holdings=tuple(sorted(holdings, key=_order)))


def _order(holding: Holding) -> tuple[bool, Decimal, str, int]:
    value = holding.value_usd
    return (value is None, -(value or ZERO), holding.asset, holding.snapshot_id)


def _holding(seen: _Seen, connection: Connection, price: Price | None, now: datetime) -> Holding:
    return Holding(
        connection=connection,
        asset=seen.asset,
        quantity=seen.total,
        available=seen.available,
        pending=seen.pending,
        as_of=min(seen.last_seen, now),
        snapshot_id=seen.pk,
        price=price,
        value_usd=usd(seen.total, price.usd if price else None),
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
