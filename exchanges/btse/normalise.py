"""What a record of BTSE means.

Pure: a Raw goes in, a Meaning comes out, or a ValueError whose reason is safe to show. How amounts, fees and
directions are read is told in docs/exchanges/btse.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal

from exchanges import wire
from exchanges.btse.kinds import Type, Way, status_of, type_of
from exchanges.records import Assumption, Balance, Entry, Kind, Meaning, Posting, Raw, Role, Status

Row = Mapping[str, wire.Value]

_WIDE = Context(prec=100)
"""Python's own context would round to 28 digits, even in `-amount`."""
_PLACES = Decimal(1).scaleb(-wire.MAX_PLACES)
_OTHER_WALLETS = ("cross", "isolated", "virtual", "unified")


def normalise(raw: Raw, reference: Sequence[Raw] = ()) -> Meaning:
    """One record of any stream; BTSE's rows need no reference."""
    if raw.stream == "reference":
        return Meaning()
    value = wire.parse(raw.body)
    if raw.stream == "balances":
        held = value if isinstance(value, list) else [value]
        return Meaning(balances=tuple(_balance(wire.fields(row)) for row in held))
    row = wire.fields(value)
    if raw.stream == "wallet_history":
        entry = _movement(row)
    elif raw.stream == "trades":
        entry = _fill(row)
    else:
        raise ValueError("BTSE has no such stream")
    return Meaning(entries=(entry,), open_until=() if entry.is_final else (raw.source_id,))


def _balance(row: Row) -> Balance:
    total = wire.amount(row.get("total"))
    available = row.get("available")
    return Balance(
        asset=wire.asset(row.get("currency")),
        total=total,
        available=total if available is None else wire.amount(available),
    )


def _movement(row: Row) -> Entry:
    """A row of the wallet's history."""
    kind = type_of(row.get("type"))
    asset = wire.asset(row.get("currency"))
    amount, fee = _amount(row, "amount"), _amount(row, "fees", "fee")
    postings: tuple[Posting, ...] | None = None
    leg, assumption = f"{kind.name}/{asset}", Assumption.NONE
    if kind.way is Way.BOTH:
        postings = _conversion(row, asset, fee)
        leg = "convert" if postings else leg
    if postings is None:
        sign = _sign(kind, row, asset, amount)
        assumption = Assumption.NONE if sign is not None else Assumption.DIRECTION
        postings = _single(asset, amount.copy_abs(), fee, outgoing=amount < 0 if sign is None else sign < 0)
    wallet = wire.text(row.get("wallet"), 60)
    elsewhere = wallet.lower().lstrip("@").startswith(_OTHER_WALLETS)
    return Entry(
        stream="wallet_history",
        external_id=wire.identifier(row.get("orderId")),
        leg=leg,
        kind=kind.kind,
        status=status_of(row.get("status")),
        occurred_at=wire.moment(row.get("timestamp")),
        description=_description(row, wallet if elsewhere else ""),
        postings=() if elsewhere else postings,
        raw_kind=wire.text(row.get("type"), 60),
        raw_status=wire.text(row.get("status"), 60),
        assumption=assumption,
        network_id=wire.text(wire.first(row, ("txId", "txid"))),
    )


def _amount(row: Row, *names: str) -> Decimal:
    """The amount under the first of `names` that is there; no fee is a fee of zero, no amount is unreadable."""
    value = wire.first(row, names)
    return Decimal(0) if value is None and "amount" not in names else wire.amount(value)


def _sign(kind: Type, row: Row, asset: str, amount: Decimal) -> int | None:
    """+1, -1, or None to take the amount's own sign."""
    if kind.way is Way.OUT:
        return -1
    if kind.way is Way.IN:
        return 1 if amount >= 0 else -1
    if kind.way is Way.BOTH:
        sides = {_side(row, "targetCurrency"): 1, _side(row, "sourceCurrency"): -1}
        return sides.get(asset)
    return None


def _side(row: Row, name: str) -> str:
    value = row.get(name)
    return wire.asset(value) if value not in (None, "") else ""


def _signed(sign: int, amount: Decimal) -> Decimal:
    """The amount's size with that sign, exactly."""
    return amount.copy_abs() if sign > 0 or not amount else amount.copy_abs().copy_negate()


def _single(asset: str, gross: Decimal, fee: Decimal, *, outgoing: bool) -> tuple[Posting, ...]:
    """One asset in or out. The amount is gross and the fee a part of it."""
    principal = _WIDE.subtract(fee, gross) if outgoing else gross
    return _postings((asset, principal, Role.PRINCIPAL), (asset, _WIDE.minus(fee), Role.FEE))


def _conversion(row: Row, asset: str, fee: Decimal) -> tuple[Posting, ...] | None:
    """Both sides where the row names both, else None. A fee is part of what was given, or taken off what came."""
    source, target = _side(row, "sourceCurrency"), _side(row, "targetCurrency")
    if not source or not target or source == target:
        return None
    given, got = (_amount(row, name).copy_abs() for name in ("sourceAmount", "targetAmount"))
    if not given or not got:
        return None
    inside = fee if asset == source else Decimal(0)
    return _postings(
        (source, _WIDE.subtract(inside, given), Role.PRINCIPAL),
        (target, got, Role.PRINCIPAL),
        (source if asset == source else target, _WIDE.minus(fee), Role.FEE),
    )


def _postings(*parts: tuple[str, Decimal, Role]) -> tuple[Posting, ...]:
    """Without fees of zero."""
    return tuple(
        Posting(asset=asset, amount=amount, role=role)
        for asset, amount, role in parts
        if amount or role is Role.PRINCIPAL
    )


def _description(row: Row, wallet: str) -> str:
    said = wire.text(row.get("description"))
    address = wire.text(row.get("toAddress"), 120)
    parts = [said, f"to {address}" if address.strip("0x") else "", f"in wallet {wallet}" if wallet else ""]
    return ", ".join(part for part in parts if part)[: wire.ID_LIMIT]


def _fill(row: Row) -> Entry:
    """One execution of an order on a spot market."""
    base, quote = _assets(row)
    sign = {"buy": 1, "sell": -1}.get(wire.word(row.get("side")))
    if sign is None:
        raise ValueError("a fill says neither buy nor sell")
    size = wire.amount(row.get("filledSize"))
    price = wire.amount(wire.first(row, ("filledPrice", "avgFilledPrice", "averageFillPrice", "price")))
    value = _times(size, price)
    fee = _amount(row, "feeAmount", "fee")
    named = wire.first(row, ("feeCurrency",))
    fee_asset = wire.asset(named) if named is not None else (base if sign > 0 else quote)
    return Entry(
        stream="trades",
        external_id=wire.identifier(wire.first(row, ("tradeId", "serialId"))),
        kind=Kind.TRADE,
        status=Status.COMPLETED,
        occurred_at=wire.moment(row.get("timestamp")),
        description=f"{'Bought' if sign > 0 else 'Sold'} {base} for {quote}",
        postings=_postings(
            (base, _signed(sign, size), Role.PRINCIPAL),
            (quote, _signed(-sign, value), Role.PRINCIPAL),
            (fee_asset, _WIDE.minus(fee), Role.FEE),
        ),
        raw_kind=wire.text(row.get("side"), 60),
        assumption=Assumption.FEE_CURRENCY if named is None and fee else Assumption.NONE,
    )


def _assets(row: Row) -> tuple[str, str]:
    """Base and quote as named, or as the market's symbol is put together."""
    base, quote = row.get("base"), row.get("quote")
    if base in (None, "") or quote in (None, ""):
        base, dash, quote = wire.text(row.get("symbol"), 40).rpartition("-")
        if not dash:
            raise ValueError("a fill does not say what was traded")
    return wire.asset(base), wire.asset(quote)


def _times(size: Decimal, price: Decimal) -> Decimal:
    """The exact product, to the places that can be kept."""
    product = _WIDE.multiply(size, price)
    exponent = product.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -wire.MAX_PLACES:
        product = product.quantize(_PLACES, context=_WIDE)
    return wire.amount(product)
