"""What a record of Tether.to means: balances, and transactions with their fee and the balance after them.

Pure. `amount` is the signed net effect on the balance and a `fee` is inside it; exchange orders move nothing
here, because each shows up again as a `convert` transaction. Raises ValueError with a reason that is safe to show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from exchanges import exact, wire
from exchanges.records import Assumption, Balance, Entry, Kind, Meaning, Posting, Raw, Role, Status

BALANCES = "balances"
TRANSACTIONS = "transactions"
ORDERS = "exchange_orders"
REFERENCE = "reference"
EVERYTHING = "all"

KINDS = {
    "convert": Kind.CONVERSION,
    "receive": Kind.DEPOSIT,
    "send": Kind.WITHDRAWAL,
    "acquire": Kind.ISSUE,
    "redeem": Kind.REDEEM,
}
RETURNS = {"unclaimed_return", "claimed_own"}
"""Money sent to an e-mail address that came back, or that was fetched: the sign tells which way it went."""

STATUSES = {
    "pending": Status.PENDING,
    "processing": Status.PENDING,
    "completed": Status.COMPLETED,
    "denied": Status.FAILED,
    "failed": Status.FAILED,
    "cancelled": Status.CANCELLED,
    "canceled": Status.CANCELLED,
}


def normalise(raw: Raw, reference: Sequence[Raw] = ()) -> Meaning:
    """What one record means; nothing for exchange orders and reference lists."""
    if raw.stream in (ORDERS, REFERENCE):
        return Meaning()
    value = wire.parse(raw.body)
    if raw.stream == TRANSACTIONS:
        entry = transaction(wire.fields(value))
        return Meaning(entries=(entry,), open_until=() if entry.is_final else (raw.source_id,))
    if raw.stream == BALANCES:
        rows = value if isinstance(value, list) else [value]
        return Meaning(balances=tuple(balances(rows, keep_zero=raw.source_id.split("@")[0] != EVERYTHING)))
    raise ValueError("a record of an unknown stream")


def balances(rows: Iterable[wire.Value], *, keep_zero: bool) -> Iterable[Balance]:
    """What is held; two spellings of one asset are added, a row that was sent twice counts once."""
    said: dict[str, Balance] = {}
    for row in rows:
        name, one = balance(wire.fields(row))
        if said.setdefault(name, one) != one:
            raise ValueError("one currency is listed twice with different amounts")
    held: dict[str, Balance] = {}
    for one in said.values():
        held[one.asset] = _together(held[one.asset], one) if one.asset in held else one
    return [one for one in held.values() if keep_zero or one.total or one.pending]


def balance(row: Mapping[str, wire.Value]) -> tuple[str, Balance]:
    """One row: the currency as the exchange spells it, and what is held of it."""
    confirmed = wire.amount(row.get("confirmed"))
    pending = row.get("pending")
    return wire.text(row.get("currency")), Balance(
        asset=wire.asset(row.get("currency")),
        total=confirmed,
        available=confirmed,
        pending=Decimal(0) if pending is None else wire.amount(pending),
    )


def _together(one: Balance, other: Balance) -> Balance:
    return Balance(
        asset=one.asset,
        total=exact.plus(one.total, other.total),
        available=exact.plus(one.available, other.available),
        pending=exact.plus(one.pending, other.pending),
    )


def transaction(row: Mapping[str, wire.Value]) -> Entry:
    """One row of the transaction list."""
    net = wire.amount(row.get("amount"))
    kind = _kind(wire.word(row.get("tx_type")), net)
    after = row.get("balance")
    return Entry(
        stream=TRANSACTIONS,
        external_id=wire.identifier(row.get("id")),
        kind=kind,
        status=STATUSES.get(wire.word(row.get("status")), Status.PENDING),
        occurred_at=occurred_at(row),
        description=_description(row),
        postings=_postings(wire.asset(row.get("currency")), net, row.get("fee")),
        raw_kind=_words(row.get("tx_type"))[:60],
        raw_status=_words(row.get("status"))[:60],
        revised_at=_revised_at(row),
        assumption=Assumption.DIRECTION if kind is Kind.OTHER else Assumption.NONE,
        balance_after=None if after is None else wire.amount(after),
        network_id=_words(row.get("transaction_id")),
    )


def occurred_at(row: Mapping[str, wire.Value]) -> datetime:
    """When it was entered; where that is missing, when it last changed."""
    return wire.moment(wire.first(row, ("created_at", "updated_at")))


def _revised_at(row: Mapping[str, wire.Value]) -> datetime | None:
    changed = row.get("updated_at")
    return None if changed is None or changed == "" else wire.moment(changed)


def _kind(word: str, net: Decimal) -> Kind:
    if word in RETURNS:
        return Kind.TRANSFER_IN if net >= 0 else Kind.TRANSFER_OUT
    return KINDS.get(word, Kind.OTHER)


def _postings(asset: str, net: Decimal, fee: wire.Value) -> tuple[Posting, ...]:
    charged = Decimal(0) if fee is None or fee == "" else wire.amount(fee)
    principal = Posting(asset=asset, amount=exact.plus(net, charged))
    if not charged:
        return (principal,)
    return principal, Posting(asset=asset, amount=exact.negated(charged), role=Role.FEE)


def _description(row: Mapping[str, wire.Value]) -> str:
    """The exchange's own words, the user's message, and the other side, as far as they are there."""
    names = ("description", "message", "counterparty_address", "reference_id")
    said = [_words(row.get(name)) for name in names]
    return " · ".join(dict.fromkeys(part for part in said if part))[:300]


def _words(value: wire.Value) -> str:
    """Words that only explain must not cost their row, whatever they are."""
    try:
        return wire.text(value, 160)
    except ValueError:
        return ""
