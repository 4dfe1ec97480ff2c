"""The rows inside an answer of Tokens.net, freed from the envelope (`status`, `timestamp`) that changes each time.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from exchanges import wire
from exchanges.errors import Hostile
from exchanges.records import Raw, Unreadable

ENVELOPE = {"status", "timestamp"}
VALUATIONS = {"usdtValue", "btcValue", "ethValue"}
"""What the exchange thinks a balance is worth: a price, which moves while nothing is held more or less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one list, each once."""

    raws: tuple[Raw, ...]
    unreadable: tuple[Unreadable, ...]
    values: Mapping[str, Mapping[str, wire.Value]]
    """The rows themselves, by id."""
    sent: int


def without_envelope(value: wire.Value) -> dict[str, wire.Value]:
    """The fields of an answer that is one record."""
    if not isinstance(value, dict):
        raise Hostile("The exchange's answer is not an object where one was expected.")
    return {name: one for name, one in value.items() if name not in ENVELOPE}


def listed(value: wire.Value, *names: str) -> list[wire.Value]:
    """The list of an answer; Hostile where there is none."""
    try:
        return wire.rows(value, *names, "data")
    except ValueError:
        raise Hostile("The exchange's answer holds no list where one was expected.") from None


def rows_of(stream: str, listed_rows: list[wire.Value]) -> Rows:
    """The rows of one list; a row without an id goes to quarantine, one sent twice counts once."""
    raws: dict[tuple[str, str], Raw] = {}
    unreadable: dict[str, Unreadable] = {}
    values: dict[str, Mapping[str, wire.Value]] = {}
    for row in listed_rows:
        try:
            fields = wire.fields(row)
            raw = wire.record(stream, wire.identifier(fields.get("id")), fields)
        except ValueError as error:
            one = wire.unreadable(stream, row, str(error))
            unreadable[one.digest] = one
        else:
            raws[raw.source_id, raw.digest] = raw
            values[raw.source_id] = fields
    return Rows(
        raws=tuple(raws.values()),
        unreadable=tuple(unreadable.values()),
        values=values,
        sent=len(listed_rows),
    )


def held(value: wire.Value) -> dict[str, wire.Value]:
    """Rows of `balance/all` by currency, without their valuations; Hostile where there is nothing of the kind."""
    inside = value.get("balances", value.get("data")) if isinstance(value, dict) else value
    if not isinstance(inside, dict):
        inside = _by_code(inside)
    return {
        code: {name: one for name, one in row.items() if name not in VALUATIONS}
        if isinstance(row, dict)
        else row
        for code, row in inside.items()
    }


def _by_code(rows: wire.Value) -> dict[str, wire.Value]:
    """A list keyed like the object; a row without a code, or a second one for it, gets a name that is refused."""
    if not isinstance(rows, list):
        raise Hostile("The exchange's answer holds no balances.")
    found: dict[str, wire.Value] = {}
    for place, row in enumerate(rows):
        code = row.get("currency") if isinstance(row, dict) else None
        name = code if isinstance(code, str) else ""
        found[f"row {place} {name}\n" if not name or found.get(name, row) != row else name] = row
    return found


def time_of(row: Mapping[str, wire.Value], name: str) -> datetime | None:
    """The time in a field, or None where it cannot be read."""
    try:
        return wire.moment(row.get(name))
    except ValueError:
        return None
