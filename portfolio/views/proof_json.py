"""The proofs as JSON: amounts as decimal strings with all digits, times in ISO 8601, and the address of what is behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.urls import reverse

from accounts.models import Connection
from portfolio.fields import plain
from portfolio.models import BalanceSnapshot, Posting, Proof
from portfolio.proofs import Candidate, Chain, Interval
from portfolio.valuation import Holding
from portfolio.views.verdicts import Strip


class Line(Protocol):
    """A chain with what is held."""

    @property
    def chain(self) -> Chain:
        """The proofs of one asset at one connection."""
        ...

    @property
    def holding(self) -> Holding | None:
        """What is held of it now."""
        ...


def lines(at: datetime, strip: Strip, found: Iterable[Line]) -> dict[str, Any]:
    """The shares by verdict, and each chain."""
    return {
        "at": at.isoformat(),
        "shares": [
            {
                "verdict": part.verdict.value,
                "value_usd": plain(part.value_usd),
                "share": None if part.share is None else plain(part.share),
                "holdings": part.count,
            }
            for part in strip.segments
        ],
        "unpriced": strip.unpriced,
        "chains": [_line(line.chain, line.holding) for line in found],
    }


def chain(
    connection: Connection, chosen: Chain | None, assets: Sequence[str], rows: Iterable[Proof], older: str
) -> dict[str, Any]:
    """One page of a chain, newest first."""
    address = reverse("connection_proofs", args=[connection.public_id])
    return {
        "connection": connection.label,
        "assets": list(assets),
        "chain": _line(chosen, None) if chosen else None,
        "intervals": [summary(row) for row in rows],
        "older": f"{address}?{older}&format=json" if older else None,
    }


def interval(behind: Interval, leads: Iterable[Candidate]) -> dict[str, Any]:
    """One proof with what makes its sum."""
    return {
        **summary(behind.proof),
        "connection": behind.proof.connection.label,
        "opening_balance": _balance(behind.opening),
        "closing_balance": _balance(behind.closing),
        "rows": [_row(row) for row in behind.rows],
        "counted_elsewhere": [_row(row) for row in behind.left_out],
        "rows_are_all": behind.is_whole,
        "candidates": [{"reason": lead.reason.value, "sentence": lead.sentence} for lead in leads],
    }


def summary(row: Proof) -> dict[str, Any]:
    """The sum and its verdict."""
    return {
        "asset": row.asset,
        "from": row.start.isoformat() if row.start else None,
        "until": row.end.isoformat(),
        "opening": plain(row.opening),
        "postings": plain(row.postings),
        "closing": plain(row.closing),
        "residual": plain(row.residual),
        "verdict": row.verdict,
        "note": row.note,
        "failing_since": row.failing_since.isoformat() if row.failing_since else None,
        "address": reverse("proof", args=[row.pk]),
    }


def _line(chain: Chain, holding: Holding | None) -> dict[str, Any]:
    value = holding.value_usd if holding else None
    return {
        "connection": chain.connection.label,
        "asset": chain.asset,
        "verdict": chain.verdict.value,
        "intervals": chain.intervals,
        "first_until": chain.first_end.isoformat() if chain.first_end else None,
        "quantity": plain(holding.quantity) if holding else None,
        "value_usd": None if value is None else plain(value),
    }


def _row(posting: Posting) -> dict[str, Any]:
    return {
        "transaction": reverse("transaction", args=[posting.transaction_id]),
        "external_id": posting.transaction.external_id,
        "kind": posting.kind,
        "role": posting.role,
        "occurred_at": posting.occurred_at.isoformat(),
        "amount": plain(posting.amount),
    }


def _balance(snapshot: BalanceSnapshot | None) -> dict[str, Any] | None:
    if snapshot is None:
        return None
    return {
        "total": plain(snapshot.total),
        "first_seen": snapshot.first_seen.isoformat(),
        "last_seen": snapshot.last_seen.isoformat(),
        "sha256": snapshot.raw.digest,
        "address": reverse("derivation_balance", args=[snapshot.pk]),
    }
