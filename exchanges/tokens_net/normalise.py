"""What a record of Tokens.net means: balances, and the trades of orders and of the trade list.

Pure. A pair's name (`btcusdt`) is split only with the exchange's own list of pairs, which comes as reference. An
order by itself moves nothing: its trades do. Raises ValueError with a reason that is safe to show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from exchanges import exact, wire
from exchanges.records import Assumption, Balance, Entry, Kind, Meaning, Posting, Raw, Status

BALANCES = "balances"
ORDERS = "orders"
TRADES = "trades"
REFERENCE = "reference"
PAIRS = "pairs"
EVERYTHING = "all"

FINAL = {"filled", "canceled", "cancelled", "expired"}
LIST_RANK, ORDER_RANK = 1, 2
"""Inside an order a trade's `type` can be the other party's side; the order's own side is sure and wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One market: its name on the wire and what it trades, as the exchange spells it (lower case)."""

    name: str
    base: str
    counter: str


def normalise(raw: Raw, reference: Sequence[Raw] = ()) -> Meaning:
    """What one record means; nothing for reference lists."""
    if raw.stream == REFERENCE:
        return Meaning()
    value = wire.parse(raw.body)
    if raw.stream == BALANCES:
        scope = scope_of(raw)
        one = scope != EVERYTHING
        held = [balance(under(scope, value))] if one else balances(value)
        return Meaning(balances=tuple(held))
    row = wire.fields(value)
    markets = _markets(tuple(one.body for one in reference if scope_of(one) == PAIRS))
    if raw.stream == TRADES:
        return Meaning(entries=(trade(row, markets, side=row.get("type"), rank=LIST_RANK),))
    if raw.stream == ORDERS:
        entries = tuple(trades_of_order(row, markets))
        return Meaning(entries=entries, open_until=() if is_final(row) else (raw.source_id,))
    raise ValueError("a record of an unknown stream")


def scope_of(raw: Raw) -> str:
    """What an observation speaks of; the store adds the time of first sight behind an @."""
    return raw.source_id.split("@")[0]


@lru_cache(maxsize=32)
def _markets(bodies: tuple[str, ...]) -> Mapping[str, Pair]:
    return {pair.name: pair for body in bodies for pair in pairs(wire.parse(body))}


def pairs(value: wire.Value) -> Iterator[Pair]:
    """The markets of a pair list: an object keyed by pair, or (an older revision) a list; skips what is unusable."""
    named = value.items() if isinstance(value, dict) else (("", row) for row in wire.rows(value))
    for name, row in named:
        if isinstance(row, dict):
            base, counter = (row.get(side) for side in ("baseCurrency", "counterCurrency"))
            if _is_asset(base) and _is_asset(counter):
                base, counter = str(base).lower(), str(counter).lower()
                yield Pair(name=wire.word(name) or base + counter, base=base, counter=counter)


def _is_asset(name: wire.Value) -> bool:
    try:
        return bool(wire.asset(name))
    except ValueError:
        return False


def balances(value: wire.Value) -> Iterator[Balance]:
    """All that is held, from an object keyed by currency or a list; zeros are left out."""
    if isinstance(value, dict):
        named = [under(name, row) for name, row in value.items()]
    else:
        named = [wire.fields(row) for row in wire.rows(value)]
    seen: dict[str, Balance] = {}
    for row in named:
        one = balance(row)
        if seen.setdefault(one.asset, one) != one:
            raise ValueError("one currency is listed twice with different amounts")
    yield from (one for one in seen.values() if one.total or one.available)


def under(code: str, row: wire.Value) -> Mapping[str, wire.Value]:
    """A row that stands under a currency's code, or was asked for by it; it may not speak of another one."""
    fields = wire.fields(row)
    if wire.asset(fields.get("currency", code)) != wire.asset(code):
        raise ValueError("a balance names another currency than the one it stands for")
    return {**fields, "currency": code}


def balance(row: Mapping[str, wire.Value]) -> Balance:
    """What is held of one currency; what is not available is locked in open orders."""
    total = wire.amount(row.get("total"))
    available = row.get("available")
    return Balance(
        asset=wire.asset(row.get("currency")),
        total=total,
        available=total if available is None else wire.amount(available),
    )


def is_final(order: Mapping[str, wire.Value]) -> bool:
    """Whether an order can no longer trade; a row of the list of open orders names no status and is open."""
    return wire.word(order.get("orderStatus")) in FINAL


def trades_of_order(order: Mapping[str, wire.Value], markets: Mapping[str, Pair]) -> Iterator[Entry]:
    """The trades of one order; they count whether it was filled, cancelled half-way, or is still open."""
    inside = order.get("trades")
    for value in wire.rows(inside) if inside is not None else ():
        row = {"currencyPair": order.get("currencyPair"), **wire.fields(value)}
        yield trade(row, markets, side=order.get("type"), rank=ORDER_RANK)


def trade(
    row: Mapping[str, wire.Value], markets: Mapping[str, Pair], *, side: wire.Value, rank: int
) -> Entry:
    """One trade: a buy brings `amount` of the base and takes amount × price of the counter; a sell the reverse."""
    name = wire.word(row.get("currencyPair"))
    pair = markets.get(name)
    if pair is None:
        raise ValueError("a trade's pair is not in the exchange's list of pairs")
    amount, price, fee = (_positive(row, field) for field in ("amount", "price", "fee"))
    bought = _bought(side)
    cost = exact.times(amount, price)
    return Entry(
        stream=TRADES,
        external_id=wire.identifier(row.get("id")),
        kind=Kind.TRADE,
        status=Status.COMPLETED,
        occurred_at=wire.moment(row.get("datetime")),
        description=_description(bought, amount, price, fee, pair),
        postings=(
            Posting(asset=wire.asset(pair.base), amount=amount if bought else exact.negated(amount)),
            Posting(asset=wire.asset(pair.counter), amount=exact.negated(cost) if bought else cost),
        ),
        raw_kind=wire.text(side, 60),
        rank=rank,
        assumption=_assumption(fee, rank),
    )


def _positive(row: Mapping[str, wire.Value], field: str) -> Decimal:
    value = row.get(field)
    if value is None and field == "fee":
        return Decimal(0)
    number = wire.amount(value)
    if number < 0:
        raise ValueError(f"a trade's {field} is negative")
    return number


def _bought(side: wire.Value) -> bool:
    word = wire.word(side)
    if word not in ("buy", "sell"):
        raise ValueError("a trade does not say whether it bought or sold")
    return word == "buy"


def _assumption(fee: Decimal, rank: int) -> Assumption:
    if fee:
        return Assumption.FEE_CURRENCY
    return Assumption.DIRECTION if rank == LIST_RANK else Assumption.NONE


def _description(bought: bool, amount: Decimal, price: Decimal, fee: Decimal, pair: Pair) -> str:
    verb = "Bought" if bought else "Sold"
    base, counter = pair.base.upper(), pair.counter.upper()
    said = f"{verb} {amount:f} {base} at {price:f} {counter}"
    return f"{said}; a fee of {fee:f} in a currency that the exchange does not name" if fee else said
