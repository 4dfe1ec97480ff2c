"""The bundle's tables of what was said: ledger and proofs by the exchanges, transfers, corrections and own rows by the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from accounts.models import User
from portfolio.bundle.tables import Cell, Table
from portfolio.models import Correction, ManualEntry, Posting, Proof, TransferMatch

LEDGER = (
    "connection", "exchange", "stream", "external_id", "leg", "source", "kind", "status", "occurred_at",
    "description", "asset", "amount", "role",
)  # fmt: skip
TRANSFERS = ("state", "score", "outgoing", "incoming", "is_split", "decided_at")
CORRECTIONS = ("kind", "created_at", "undone_at", "source", "asset", "day", "amount", "treatment", "note")
OWN = (
    "source",
    "account",
    "to_account",
    "kind",
    "asset",
    "quantity",
    "value_usd",
    "fee_usd",
    "occurred_at",
    "note",
)
PROOFS = (
    "connection", "asset", "start", "end", "opening", "postings", "closing", "residual", "verdict", "note",
)  # fmt: skip


def ledger(user: User) -> Table:
    """What the exchanges said moved."""
    return LEDGER, _ledger(user)


def told_by_exchanges(user: User) -> dict[str, Table]:
    """Each other table by its name."""
    return {
        "transfers": (TRANSFERS, _transfers(user)),
        "corrections": (CORRECTIONS, _corrections(user)),
        "own": (OWN, _own(user)),
        "proofs": (PROOFS, _proofs(user)),
    }


def _ledger(user: User) -> Iterator[Mapping[str, Cell]]:
    rows = Posting.objects.for_user(user).filter(connection__in=user.connections.at_exchanges())
    rows = rows.select_related("transaction__connection")
    for posting in rows.order_by("occurred_at", "transaction_id", "pk").iterator(chunk_size=500):
        told = posting.transaction
        yield {
            "connection": told.connection.label,
            "exchange": told.connection.exchange,
            "stream": told.stream,
            "external_id": told.external_id,
            "leg": told.leg,
            "source": f"t{told.pk}",
            "kind": told.kind,
            "status": told.status,
            "occurred_at": told.occurred_at,
            "description": told.description,
            "asset": posting.asset,
            "amount": posting.amount,
            "role": posting.role,
        }


def _transfers(user: User) -> Iterator[Mapping[str, Cell]]:
    for match in TransferMatch.objects.for_user(user).order_by("pk"):
        yield {
            "state": match.state,
            "score": match.score,
            "outgoing": f"t{match.outgoing_id}",
            "incoming": f"t{match.incoming_id}",
            "is_split": match.is_split,
            "decided_at": match.decided_at,
        }


def _corrections(user: User) -> Iterator[Mapping[str, Cell]]:
    for said in Correction.objects.for_user(user).order_by("pk"):
        row = f"t{said.transaction_id}" if said.transaction_id else ""
        yield {
            "kind": said.kind,
            "created_at": said.created_at,
            "undone_at": said.undone_at,
            "source": f"m{said.entry_id}" if said.entry_id else row,
            "asset": said.asset,
            "day": said.day.isoformat() if said.day else "",
            "amount": said.amount,
            "treatment": said.treatment,
            "note": said.note,
        }


def _own(user: User) -> Iterator[Mapping[str, Cell]]:
    for entry in ManualEntry.objects.for_user(user).active().order_by("occurred_at", "pk").iterator():
        yield {"source": f"m{entry.pk}"} | {name: getattr(entry, name) for name in OWN[1:]}


def _proofs(user: User) -> Iterator[Mapping[str, Cell]]:
    rows = Proof.objects.for_user(user).select_related("connection")
    for proof in rows.order_by("connection", "asset", "end").iterator():
        yield {"connection": proof.connection.label} | {name: getattr(proof, name) for name in PROOFS[1:]}
