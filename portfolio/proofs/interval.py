"""The rows behind one proof: which postings its sum counts, which it leaves to a neighbour, and the two balances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from portfolio.models import BalanceSnapshot, Posting, Proof
from portfolio.models.ledger import PostingQuerySet

ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One proof with everything that makes its sum."""

    proof: Proof
    opening: BalanceSnapshot | None
    closing: BalanceSnapshot | None
    rows: tuple[Posting, ...]
    """The postings counted, newest first; the newest `ROWS` of them."""
    left_out: tuple[Posting, ...]
    """Dated within it (or handed over by the one before) but counted by a neighbour."""
    is_whole: bool
    """Whether `rows` are all there are."""

    @property
    def ends(self) -> tuple[BalanceSnapshot, ...]:
        """The balances at both ends, where they are two."""
        both = [self.opening, self.closing if self.closing != self.opening else None]
        return tuple(one for one in both if one is not None)

    @property
    def total(self) -> Decimal:
        """The sum of the rows that are shown."""
        return sum((row.amount for row in self.rows), Decimal(0))

    @property
    def has_moved_on(self) -> bool:
        """Whether the ledger has changed since the sum was made; it is made again with the next sync."""
        return self.is_whole and self.total != self.proof.postings


def interval(proof: Proof) -> Interval:
    """Everything behind a proof; at most six queries."""
    before = _neighbour(proof)
    dated = _of(proof).filter(occurred_at__lte=proof.end)
    if proof.start is not None:
        dated = dated.filter(occurred_at__gt=proof.start)
    handed = (before.later, before.earlier) if before else ([], [])
    taken = set(proof.earlier) - set(handed[1])
    gone = {*proof.later, *handed[1]} - taken
    counted = _joined(proof, dated, {*handed[0], *taken}).exclude(transaction__in=gone)
    rows = list(_shown(counted)[: ROWS + 1])
    left = _shown(dated.filter(transaction__in=gone))[:ROWS] if gone else ()
    opening, closing = _snapshots(proof)
    return Interval(
        proof=proof,
        opening=opening,
        closing=closing,
        rows=tuple(rows[:ROWS]),
        left_out=tuple(left),
        is_whole=len(rows) <= ROWS,
    )


def _of(proof: Proof) -> PostingQuerySet:
    return Posting.objects.of(proof.connection).filter(asset=proof.asset).counted()


def _joined(proof: Proof, dated: PostingQuerySet, others: set[int]) -> PostingQuerySet:
    """The rows of the interval, with those that crossed over to it."""
    if not others:
        return dated
    within = Q(occurred_at__lte=proof.end)
    if proof.start is not None:
        within &= Q(occurred_at__gt=proof.start)
    return _of(proof).filter(within | Q(transaction__in=others))


def _shown(rows: PostingQuerySet) -> PostingQuerySet:
    return rows.select_related("transaction").order_by("-occurred_at", "-pk")


def _neighbour(proof: Proof) -> Proof | None:
    """The interval that ends where this one starts."""
    if proof.start is None:
        return None
    return Proof.objects.of(proof.connection).filter(asset=proof.asset, end=proof.start).first()


def _snapshots(proof: Proof) -> tuple[BalanceSnapshot | None, BalanceSnapshot | None]:
    """The balances at both ends; the last interval of a chain holds one balance against its own last sight."""
    rows = BalanceSnapshot.objects.of(proof.connection).filter(asset=proof.asset)
    at_ends = rows.filter(first_seen__in=[at for at in (proof.start, proof.end) if at])
    found: Sequence[BalanceSnapshot] = list(at_ends.select_related("raw"))
    by_time = {row.first_seen: row for row in found}
    opening = by_time.get(proof.start) if proof.start else None
    return opening, by_time.get(proof.end, opening)
