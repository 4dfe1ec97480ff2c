"""Brings a CSV file of the user's own transactions in: mapped, looked at first, and never twice.

A row is known by its own id, else by a hash of what it says and how often the file said the same before it. What
cannot be read is told by line; nothing is written until the user has seen that.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from io import StringIO

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from exchanges import wire
from portfolio.csvfile import BadCell, UnreadableFile, neutral, number, original, plain, shown
from portfolio.fields import checked
from portfolio.models import ImportBatch, ImportState, ManualEntry, ManualKind
from portfolio.models.chunks import ROWS, insert
from portfolio.models.own_accounts import fall_behind

COLUMNS = ("id", "time", "account", "to_account", "kind", "asset", "quantity", "value_usd", "fee_usd", "note")
REQUIRED = ("time", "kind", "asset", "quantity")
MOST_BYTES = 5_000_000
MOST_ROWS = 50_000
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("txid", "transaction id", "reference"),
    "time": ("date", "datetime", "timestamp", "occurred_at"),
    "account": ("wallet", "from"),
    "to_account": ("to", "destination"),
    "kind": ("type", "side", "action"),
    "asset": ("currency", "coin", "symbol"),
    "quantity": ("amount", "size", "volume"),
    "value_usd": ("value", "worth", "total", "usd"),
    "fee_usd": ("fee",),
    "note": ("comment", "description", "notes"),
}
_KINDS = {kind.value: kind for kind in ManualKind} | {
    "bought": ManualKind.BUY,
    "sold": ManualKind.SELL,
    "reward": ManualKind.INCOME,
    "interest": ManualKind.INCOME,
    "payment": ManualKind.SPEND,
    "fee": ManualKind.SPEND,
    "move": ManualKind.TRANSFER,
}
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineError:
    """What is wrong with one line."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file as it was read: rows that can be imported, and lines that cannot."""

    rows: tuple[ManualEntry, ...]
    errors: tuple[LineError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an import would do."""

    new: tuple[ManualEntry, ...]
    known: int
    errors: tuple[LineError, ...]


def header_of(text: str) -> list[str]:
    """The names of the file's columns; raises `UnreadableFile`."""
    rows = _rows(text)
    try:
        header = next(rows, [])
    except csv.Error as error:
        raise UnreadableFile(f"The file is not valid CSV: {error}.") from None
    if not any(cell.strip() for cell in header):
        raise UnreadableFile("The file is empty.")
    return [name.strip() for name in header]


def guess(header: Sequence[str]) -> dict[str, str]:
    """Which of the file's columns each of ours probably is."""
    lower = {name.lower(): name for name in reversed(header)}
    found = {}
    for column in COLUMNS:
        name = next((lower[n] for n in (column, *_OTHER_NAMES[column]) if n in lower), None)
        if name is not None:
            found[column] = name
    return found


def read(text: str, columns: Mapping[str, str], account: str) -> Sheet:
    """All lines of a file; `account` is that of rows which name none. Raises `UnreadableFile`."""
    header = header_of(text)
    lacking = [column for column in REQUIRED if columns.get(column) not in header]
    if lacking:
        raise UnreadableFile(f"No column of the file is chosen for: {', '.join(lacking)}.")
    places = {column: header.index(name) for column, name in columns.items() if name in header}
    entries: list[ManualEntry] = []
    errors: list[LineError] = []
    seen: Counter[tuple[str, str]] = Counter()
    rows = csv.reader(StringIO(_clean(text)), delimiter=_delimiter(text), strict=True)
    try:
        next(rows)
        for cells in rows:
            if not any(cells):
                continue
            if len(entries) + len(errors) >= MOST_ROWS:
                raise UnreadableFile(f"The file has more than {MOST_ROWS} rows; split it.")
            try:
                if len(cells) != len(header):
                    raise BadCell(f"it has {len(cells)} cells, the header {len(header)}")
                entry = _entry({c: original(cells[n].strip()) for c, n in places.items()}, account)
                _identify(entry, seen)
                entries.append(entry)
            except BadCell as error:
                errors.append(LineError(line=rows.line_num, text=f"{error}."))
    except csv.Error as error:
        errors.append(LineError(line=rows.line_num, text=f"not valid CSV: {error}."))
    return Sheet(rows=tuple(entries), errors=tuple(errors))


def stage(user: User, name: str, body: bytes, account: str, now: datetime) -> ImportBatch:
    """Keep a file until its user has looked at what it would bring; raises `UnreadableFile`."""
    if len(body) > MOST_BYTES:
        raise UnreadableFile("The file is larger than 5 MB; split it.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile("The file is not UTF-8 text.") from None
    if "\0" in text:
        raise UnreadableFile("The file is not text.")
    columns = guess(header_of(text))
    ImportBatch.objects.for_user(user).filter(state=ImportState.PREVIEW).delete()
    return ImportBatch.objects.create(
        user=user,
        name=name[:120],
        account=account[:60],
        digest=sha256(body).hexdigest(),
        content=text,
        columns=columns,
        created_at=now,
    )


def preview(batch: ImportBatch) -> Preview:
    """What importing it would do; writes nothing. Raises `UnreadableFile`."""
    sheet = read(batch.content, batch.columns, batch.account)
    known = _known(batch.user, sheet.rows)
    new = tuple(row for row in sheet.rows if (row.account, row.identity) not in known)
    return Preview(new=new, known=len(sheet.rows) - len(new), errors=sheet.errors)


@transaction.atomic
def commit(batch: ImportBatch, now: datetime) -> int:
    """Import what is new and readable; how many rows. A second time it does nothing."""
    batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.state != ImportState.PREVIEW:
        return 0
    sheet = read(batch.content, batch.columns, batch.account)
    undone = ManualEntry.objects.for_user(batch.user).filter(undone_at__isnull=False)
    again = [row.pk for row in undone if (row.account, row.identity) in {_key(row) for row in sheet.rows}]
    ManualEntry.objects.filter(pk__in=again).delete()
    known = _known(batch.user, sheet.rows)
    new = [row for row in sheet.rows if _key(row) not in known]
    for row in new:
        row.user, row.batch, row.created_at = batch.user, batch, now
    insert(ManualEntry.objects.all(), new)
    fall_behind(batch.user, new)
    batch.state, batch.done_at, batch.content = ImportState.DONE, now, ""
    batch.rows, batch.new = len(sheet.rows), len(new)
    batch.save()
    return len(new)


@transaction.atomic
def undo(batch: ImportBatch, now: datetime) -> None:
    """Take an import back; its rows stay as a record and count no more."""
    fall_behind(batch.user, batch.entries.active())
    batch.entries.active().update(undone_at=now)
    batch.state, batch.undone_at = ImportState.UNDONE, now
    batch.save(update_fields=["state", "undone_at"])


def exported(entries: Iterable[ManualEntry]) -> Iterator[dict[str, str]]:
    """Own rows in the columns of an import: what is imported from it again is the same."""
    for entry in entries:
        yield {
            "id": neutral(entry.source_id),
            "time": entry.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "account": neutral(entry.account),
            "to_account": neutral(entry.to_account),
            "kind": entry.kind,
            "asset": neutral(entry.asset),
            "quantity": plain(entry.quantity),
            "value_usd": "" if entry.value_usd is None else plain(entry.value_usd),
            "fee_usd": plain(entry.fee_usd) if entry.fee_usd else "",
            "note": neutral(entry.note),
        }


def _known(user: User, rows: Sequence[ManualEntry]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    mine = ManualEntry.objects.for_user(user).active()
    for start in range(0, len(rows), ROWS):
        identities = [row.identity for row in rows[start : start + ROWS]]
        found |= set(mine.filter(identity__in=identities).values_list("account", "identity"))
    return found


def _key(row: ManualEntry) -> tuple[str, str]:
    return (row.account, row.identity)


def _entry(cells: Mapping[str, str], account: str) -> ManualEntry:
    kind = _KINDS.get(cells["kind"].lower())
    if kind is None:
        raise BadCell(f"the kind {shown(cells['kind'])} is not one of {', '.join(ManualKind.values)}")
    try:
        asset = wire.asset(cells["asset"])
    except ValueError as error:
        raise BadCell(str(error)) from None
    quantity = _amount(cells["quantity"], "quantity")
    if quantity <= ZERO:
        raise BadCell(f"the quantity {shown(cells['quantity'])} is not above zero")
    value = cells.get("value_usd", "")
    target = _words(cells, "to_account", 60)
    if kind is ManualKind.TRANSFER and not target:
        raise BadCell("a transfer needs a to_account")
    entry = ManualEntry(
        account=_words(cells, "account", 60) or account,
        to_account=target,
        source_id=_words(cells, "id", 120),
        kind=kind,
        asset=asset,
        quantity=quantity,
        value_usd=_amount(value, "value_usd") if value else None,
        fee_usd=_amount(cells["fee_usd"], "fee_usd") if cells.get("fee_usd") else ZERO,
        occurred_at=_time(cells["time"]),
        note=_words(cells, "note", 300),
    )
    if entry.value_usd is not None and entry.value_usd < ZERO:
        raise BadCell(f"the value_usd {shown(value)} is below zero")
    return entry


def _identify(entry: ManualEntry, seen: Counter[tuple[str, str]]) -> None:
    if entry.source_id:
        identity = f"id:{entry.source_id}"
    else:
        told = "\x1f".join(next(exported([entry])).values())
        digest = sha256(told.encode()).hexdigest()[:40]
        seen[entry.account, digest] += 1
        identity = f"row:{digest}#{seen[entry.account, digest]}"
    if entry.source_id:
        seen[entry.account, identity] += 1
        if seen[entry.account, identity] > 1:
            raise BadCell(f"the id {shown(entry.source_id)} was in the file before")
    entry.identity = identity


def _amount(text: str, column: str) -> Decimal:
    try:
        return checked(number(text, column))
    except ValidationError as error:
        raise BadCell(f"the {column} {shown(text)}: {error.messages[0].rstrip('.').lower()}") from None


def _words(cells: Mapping[str, str], column: str, most: int) -> str:
    text = cells.get(column, "")
    if len(text) > most or any(ord(sign) < 32 for sign in text):
        raise BadCell(f"the {column} is longer than {most} characters or not plain text")
    return text


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadCell(f"the time {shown(text)} is not ISO 8601, like 2024-05-01T12:00:00Z") from None
    if not wire.EARLIEST <= time <= wire.LATEST:
        raise BadCell(f"the time {shown(text)} is not between 2009 and 2100")
    return time


def _rows(text: str) -> Iterator[list[str]]:
    return csv.reader(StringIO(_clean(text)), delimiter=_delimiter(text), strict=True)


def _clean(text: str) -> str:
    return text.removeprefix("\ufeff")


def _delimiter(text: str) -> str:
    """What the first line is parted by: a comma, unless it has more semicolons or tabs."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)
