"""Gathers what `candidates` judges: rows of the amounts in question near the window, unread records, other intervals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q

from exchanges.records import Role, Status
from portfolio.models import Posting, Proof, Quarantine, Transaction, Verdict
from portfolio.models.ledger import PostingQuerySet
from portfolio.proofs.candidates import Candidate, Line, Neighbour, Standing, Unread, candidates
from portfolio.proofs.running import Break, Running, breaks

AROUND = timedelta(days=14)
"""How far outside the window a row may be dated."""
LOOKED_AT = 200
WALKED = 2000
"""How many rows with a balance of the exchange's own are held against each other, the newest of the window."""
UNREAD = 5
STANDINGS = {Status.COMPLETED: Standing.COUNTED, Status.PENDING: Standing.PENDING}


def leads(proof: Proof) -> tuple[Candidate, ...]:
    """What could explain the residual of a proof; five queries."""
    residual = proof.residual
    here = Posting.objects.of(proof.connection).filter(amount__in=[residual, -residual, *_halves(proof)])
    others = Posting.objects.for_user(proof.connection.user_id).exclude(connection=proof.connection)
    return candidates(
        residual,
        proof.asset,
        [*_lines(proof, here), *_lines(proof, others.filter(amount=-residual), elsewhere=True)],
        _unread(proof),
        _neighbours(proof),
        _broken(proof),
    )


def _halves(proof: Proof) -> list[object]:
    half = -proof.residual / 2
    return [half] if half * 2 == -proof.residual and half == round(half, 18) else []


def _lines(proof: Proof, rows: PostingQuerySet, *, elsewhere: bool = False) -> Iterable[Line]:
    near = Q(occurred_at__lte=proof.end + AROUND)
    if proof.start is not None:
        near &= Q(occurred_at__gte=proof.start - AROUND)
    found = rows.filter(near, asset=proof.asset).select_related("transaction__connection")
    for posting in found.order_by("-occurred_at")[:LOOKED_AT]:
        row: Transaction = posting.transaction
        yield Line(
            transaction=row.pk,
            name=row.get_kind_display(),
            external_id=row.external_id,
            at=row.occurred_at,
            amount=posting.amount,
            standing=STANDINGS.get(Status(row.status), Standing.CANCELLED),
            is_fee=posting.role == Role.FEE,
            elsewhere=row.connection.label if elsewhere else "",
        )


def _unread(proof: Proof) -> Iterable[Unread]:
    rows = Quarantine.objects.of(proof.connection).exclude(stream__in=("balances", "reference"))
    for row in rows.order_by("-received_at")[:UNREAD]:
        yield Unread(key=row.pk, stream=row.stream, body=row.body, reason=row.reason)


def _broken(proof: Proof) -> list[Break]:
    """Where the exchange's own balances break within the interval, if it writes them beside its rows."""
    rows = Posting.objects.of(proof.connection).counted()
    rows = rows.filter(asset=proof.asset, transaction__balance_after__isnull=False)
    rows = rows.filter(occurred_at__lte=proof.end + AROUND)
    if proof.start is not None:
        rows = rows.filter(occurred_at__gte=proof.start - AROUND)
    fields = (
        "transaction",
        "transaction__external_id",
        "occurred_at",
        "amount",
        "transaction__balance_after",
    )
    moved: dict[int, Running] = {}
    for pk, external_id, at, amount, after in rows.order_by("-occurred_at").values_list(*fields)[:WALKED]:
        more = moved[pk].amount if pk in moved else 0
        moved[pk] = Running(transaction=pk, external_id=external_id, at=at, amount=amount + more, after=after)
    inside = [one for one in breaks(moved.values()) if one.row.at <= proof.end]
    return [one for one in inside if proof.start is None or one.row.at > proof.start][:UNREAD]


def _neighbours(proof: Proof) -> Iterable[Neighbour]:
    rows = Proof.objects.of(proof.connection).filter(asset=proof.asset, residual=-proof.residual)
    doubtful = rows.filter(verdict=Verdict.UNEXPLAINED).exclude(pk=proof.pk).order_by("-end")
    return [Neighbour(proof=row.pk, end=row.end, residual=row.residual) for row in doubtful[:3]]
