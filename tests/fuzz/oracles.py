"""What must hold of whatever was taken in: nothing lost, nothing invented, every digit kept.

Reads what was sent by itself, with the standard library's JSON and with fractions; uses none of the product's readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from exchanges.records import Balance, Candle, Entry, Meaning, Quote, Raw, Role, Unreadable
from tests.fuzz.corpus import Endpoint
from tests.fuzz.tree import canonical, heard

_NUMBER = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,2})?")
EARLIEST, LATEST = datetime(2009, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
PLACE = Fraction(1, 10**18)
NOTHING = Fraction(0)


class Violation(AssertionError):
    """A second kind of outcome."""


def number(value: Any) -> Fraction | None:
    """An amount as text or as a number of JSON, exactly; None for anything else."""
    return Fraction(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def text_of(body: bytes) -> str:
    """The text of an answer that was let in; whatever is no JSON must not have been."""
    try:
        text = body.decode("utf-8-sig")  # a mark of the byte order is no part of it
        heard(text)
    except ValueError as error:
        raise Violation(f"an answer was let in that is no JSON: {body[:80]!r}") from error
    return text


def rows_sent(endpoint: Endpoint, text: str) -> list[list[Any]]:
    """The lists of rows that an answer may be said to hold: the one under a known name, else any."""
    value = heard(text)
    if isinstance(value, list):
        return [value]
    found = _named(value, endpoint.rows)
    return [found] if found is not None else list(_all_lists(value))


def _named(value: Any, names: Iterable[str]) -> list[Any] | None:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        for name in names:
            if isinstance(value.get(name), list | dict):
                return _named(value[name], names)
    return None


def _all_lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    for one in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from _all_lists(one)


def nothing_lost(
    endpoint: Endpoint, text: str, kept: Iterable[Raw | Unreadable], excused: frozenset[str]
) -> None:
    """Every row that was sent is stored or in quarantine, as it was sent; `excused` ids were asked for anew."""
    bodies = {one.body for one in kept}
    there = set()
    for body in bodies:
        value = heard(body)
        there.add(canonical(value))
        there.update(canonical(one) for one in (value if isinstance(value, list) else ()))
    lists = rows_sent(endpoint, text)
    if not lists:
        raise Violation("an answer without a list was taken for one")
    missing = [
        [row for row in rows if not (canonical(row) in there or _excused(row, excused))] for rows in lists
    ]
    if all(missing):
        raise Violation(f"a row is lost: {str(missing[0][0])[:200]}")


def _excused(row: Any, excused: frozenset[str]) -> bool:
    if not isinstance(row, dict):
        return False
    if str(row.get("id")) in excused:
        return True
    held = [number(row.get(name, "0")) for name in ("total", "available")]
    return "total" in row and "currency" in row and held == [0, 0]


def storable(rows: Iterable[Raw | Unreadable]) -> None:
    """Texts that every database can hold, ids of bounded length, reasons that quote nothing."""
    for row in rows:
        row.body.encode()
        if (
            len(row.source_id) > 200
            or not row.source_id.isprintable()
            or not re.fullmatch("[0-9a-f]{64}", row.digest)
        ):
            raise Violation(f"an id or digest that cannot be kept: {row.source_id[:50]!r}")
        if "\0" in row.body:
            raise Violation("a zero byte in a body")


def plain_json(value: Any, depth: int = 0) -> None:
    """A cursor that PostgreSQL takes: no zero byte, no half of a surrogate pair, no endless nesting."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value) or len(value) > 1000:
            raise Violation(f"a cursor that cannot be kept: {value[:50]!r}")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            plain_json(name, depth + 1)
            plain_json(one, depth + 1)
    elif isinstance(value, list | tuple):
        for one in value:
            plain_json(one, depth + 1)
    elif not (value is None or isinstance(value, bool | int)):
        raise Violation(f"a cursor with {type(value).__name__}")


def exact(exchange: str, raw: Raw, meaning: Meaning) -> None:
    """What a record means is what it says, to the last digit."""
    value = heard(raw.body)
    for entry in meaning.entries:
        if not EARLIEST <= entry.occurred_at < LATEST or entry.occurred_at.tzinfo is None:
            raise Violation("a time out of range")
        _MEANS[exchange](value, entry)
    if meaning.balances:
        rows = _balance_rows(value, raw.source_id)
        for balance in meaning.balances:
            _held(rows, balance, "confirmed" if exchange == "tether" else "total")


def _same(sent: Any, kept: Any, what: str) -> None:
    if number(sent) is None or number(sent) != Fraction(kept):
        raise Violation(f"{what}: {str(sent)[:80]!r} was kept as {kept}")


def _tether(row: Any, entry: Entry) -> None:
    _same(row["amount"], sum(Fraction(one.amount) for one in entry.postings), "amount")
    for one in entry.postings:
        if one.role is Role.FEE:
            _same(row["fee"], -one.amount, "fee")
    if entry.balance_after is not None:
        _same(row["balance"], entry.balance_after, "balance after")
    if entry.external_id != str(row["id"]):
        raise Violation("another id")


def _btse(row: Any, entry: Entry) -> None:
    if entry.stream == "trades":
        _btse_fill(row, entry)
    elif entry.leg == "convert":
        sides = (number(row["sourceAmount"]), number(row["targetAmount"]))
        fee = abs(number(row.get("fees") or row.get("fee") or "0") or NOTHING)
        for one in entry.postings:
            amount = abs(Fraction(one.amount))
            sizes = [abs(side) for side in sides if side is not None]
            if amount != fee and not any(amount in (size, abs(size - fee)) for size in sizes):
                raise Violation(f"a conversion's amount {one.amount} was not sent")
    elif entry.postings:
        sent = number(row["amount"])
        fee = -sum((Fraction(one.amount) for one in entry.postings if one.role is Role.FEE), NOTHING)
        whole = sum((Fraction(one.amount) for one in entry.postings), NOTHING)
        if sent is None or whole not in (-abs(sent), abs(sent) - fee):
            raise Violation(f"amount: {str(row['amount'])[:80]!r} was kept as {whole}")
        if fee:
            _same(row.get("fees") or row.get("fee"), fee, "fee")


def _btse_fill(row: Any, entry: Entry) -> None:
    base, quote = entry.postings[:2]
    size = number(row["filledSize"])
    if size is None or abs(size) != abs(Fraction(base.amount)):
        raise Violation(f"size: {str(row['filledSize'])[:80]!r} was kept as {base.amount}")
    names = ("filledPrice", "avgFilledPrice", "averageFillPrice", "price")
    price = next((number(row[name]) for name in names if row.get(name) not in (None, "")), None)
    if price is None or abs(abs(size * price) - abs(Fraction(quote.amount))) > PLACE:
        raise Violation(f"value: {quote.amount}")


def _tokens_net(value: Any, entry: Entry) -> None:
    rows = value["trades"] if isinstance(value.get("trades"), list) else [value]
    for row in rows:
        if str(row.get("id")) == entry.external_id:
            amount, price = number(row.get("amount")), number(row.get("price"))
            first, second = (abs(Fraction(one.amount)) for one in entry.postings)
            if amount is not None and price is not None and (first, second) == (amount, amount * price):
                return
    raise Violation(f"a trade {entry.external_id[:50]} that was not sent so")


_MEANS = {"btse": _btse, "tether": _tether, "tokens_net": _tokens_net}


def _balance_rows(value: Any, scope: str) -> list[tuple[str, Any]]:
    """(name, row) of an observation."""
    if isinstance(value, dict) and scope == "all":
        return [(name, row) for name, row in value.items()]
    rows = value if isinstance(value, list) else [value]
    return [(str(row.get("currency") or scope), row) for row in rows]


def _held(rows: list[tuple[str, Any]], balance: Balance, field: str) -> None:
    """Spellings of one asset are added, a row that came twice counts once."""
    said = {}
    for name, row in rows:
        if name.strip().replace("₮", "T").upper() == balance.asset:
            said[name] = number(row.get(field))
    amounts = [one for one in said.values() if one is not None]
    fits = Fraction(balance.total) in (sum(amounts, NOTHING), *amounts)
    if not amounts or len(amounts) < len(said) or not fits:
        raise Violation(f"{balance.asset}: {said} was kept as {balance.total}")


def prices(texts: Iterable[str], quotes: Iterable[Quote], candles: Iterable[Candle]) -> None:
    """Every price is one of the numbers that were sent, and one that can be a price."""
    said = [(one.price, one.base, one.counter) for one in quotes] + [
        (c.close, c.base, c.counter) for c in candles
    ]
    if not said:
        return
    sent = {number(one) for text in texts for one in _leaves(heard(text))}
    for price, base, counter in said:
        if price <= 0 or Fraction(price) not in sent:
            raise Violation(f"a price of {price} that nobody sent")
        if not (
            base.isprintable() and counter.isprintable() and 0 < len(base) <= 32 and 0 < len(counter) <= 32
        ):
            raise Violation("a price of something without a name")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | dict):
        for one in value if isinstance(value, list) else value.values():
            yield from _leaves(one)
    else:
        yield value
