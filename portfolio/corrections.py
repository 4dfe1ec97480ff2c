"""What a user adds to what the exchanges said, and the one place where it is applied to the ledger.

A correction is a record of its own with author and time; a newer one about the same thing undoes the older, and
undone ones stay. Rows of the ledger are never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction as database

from accounts.models import User
from portfolio.models import Correction, CorrectionKind, ManualEntry, Transaction, Treatment
from portfolio.models.own_accounts import fall_behind

INWARD = frozenset({Treatment.ACQUIRED, Treatment.INCOME, Treatment.RETURNED, Treatment.IGNORED})
OUTWARD = frozenset({Treatment.MOVED, Treatment.SPENT, Treatment.IGNORED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What a user's active corrections say about rows. Own prices: see `valuation.own`; own rows: `ManualEntry`."""

    costs: Mapping[int, Decimal] = field(default_factory=dict)
    treatments: Mapping[int, Treatment] = field(default_factory=dict)

    def cost(self, transaction: int) -> Decimal | None:
        """What the user paid in all for what came in with this row."""
        return self.costs.get(transaction)

    def treatment(self, transaction: int, *, inward: bool) -> Treatment | None:
        """What the user says this row was; None where nothing is said, or nothing that fits its direction."""
        said = self.treatments.get(transaction)
        return said if said in (INWARD if inward else OUTWARD) else None

    def ignores(self, transaction: int) -> bool:
        """Whether the user wants the row left out."""
        return self.treatments.get(transaction) == Treatment.IGNORED


def corrections_of(user: User) -> Corrections:
    """The active corrections of a user: one query."""
    costs: dict[int, Decimal] = {}
    treatments: dict[int, Treatment] = {}
    for said in Correction.objects.for_user(user).active().order_by("pk"):
        if said.kind == CorrectionKind.COST and said.transaction_id and said.amount is not None:
            costs[said.transaction_id] = said.amount
        elif said.kind == CorrectionKind.KIND and said.transaction_id:
            treatments[said.transaction_id] = Treatment(said.treatment)
    return Corrections(costs=costs, treatments=treatments)


def correct_cost(user: User, row: Transaction, amount: Decimal, now: datetime, note: str = "") -> Correction:
    """Say what was paid for what came in."""
    return _add(user, now, CorrectionKind.COST, transaction=row, amount=amount, note=note)


def correct_kind(
    user: User, row: Transaction, treatment: Treatment, now: datetime, note: str = ""
) -> Correction:
    """Say what a row was."""
    return _add(user, now, CorrectionKind.KIND, transaction=row, treatment=treatment, note=note)


def add_note(
    user: User, note: str, now: datetime, *, row: Transaction | None = None, asset: str = ""
) -> Correction:
    """Write something down beside a row or an asset."""
    return _add(user, now, CorrectionKind.NOTE, transaction=row, asset=asset, note=note)


def set_price(user: User, asset: str, day: date, price: Decimal, now: datetime, note: str = "") -> Correction:
    """Say what one unit was worth on a day."""
    return _add(user, now, CorrectionKind.PRICE, asset=asset, day=day, amount=price, note=note)


@database.atomic
def enter(user: User, entry: ManualEntry, now: datetime) -> Correction:
    """Add a transaction that no exchange told; `entry` is not saved yet."""
    entry.user, entry.created_at = user, now
    entry.save()
    fall_behind(user, [entry])
    return _add(user, now, CorrectionKind.MANUAL, entry=entry, asset=entry.asset, note=entry.note)


@database.atomic
def undo(correction: Correction, now: datetime) -> None:
    """Take it back; the record stays."""
    correction.undone_at = now
    correction.save(update_fields=["undone_at"])
    if correction.entry is not None:
        ManualEntry.objects.filter(pk=correction.entry.pk).update(undone_at=now)
        fall_behind(correction.user, [correction.entry])


@database.atomic
def _add(user: User, now: datetime, kind: CorrectionKind, **fields: object) -> Correction:
    about = {name: fields[name] for name in _ABOUT.get(kind, ()) if name in fields}
    if about:
        older = Correction.objects.for_user(user).active().filter(kind=kind, **about)
        older.update(undone_at=now)
    return Correction.objects.create(user=user, author=user, kind=kind, created_at=now, **fields)


_ABOUT: Mapping[CorrectionKind, tuple[str, ...]] = {
    CorrectionKind.COST: ("transaction",),
    CorrectionKind.KIND: ("transaction",),
    CorrectionKind.PRICE: ("asset", "day"),
}
"""What only one active correction of a kind may be about."""
