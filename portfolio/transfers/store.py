"""Keeps what was proposed and decided about own transfers; a decision is never asked for twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from django.db import IntegrityError, transaction

from accounts.models import User
from exchanges.records import Kind, Role
from portfolio.models import MatchState, Posting, TransferMatch
from portfolio.transfers.match import CLOCK, WINDOW, Candidate, Moved, candidates

OUTWARD = (Kind.WITHDRAWAL, Kind.TRANSFER_OUT)
INWARD = (Kind.DEPOSIT, Kind.TRANSFER_IN)
SIDES = ((OUTWARD, -1), (INWARD, 1))
CHUNK = 500


class Undecidable(ValueError):
    """A decision that contradicts another one; the text is for the user."""


def suggest(user: User, now: datetime, *, since: datetime | None = None) -> int:
    """Look for pairs among the rows that have none, from `since` on; how many proposals are new.

    Where both exchanges name the same transaction on the chain the pair is confirmed at once.
    """
    # What a user moved between own accounts says so itself.
    accounts = list(user.connections.at_exchanges().values_list("pk", flat=True))
    if len(accounts) < 2:
        return 0
    out, into = (_moved(_unmatched(user, accounts, kinds, since), sign) for kinds, sign in SIDES)
    found = candidates(out, into)
    known = set(
        TransferMatch.objects.for_user(user)
        .filter(incoming__in=[c.incoming.pk for c in found])
        .values_list("outgoing", "incoming")
    )
    fresh = [c for c in found if (c.outgoing.pk, c.incoming.pk) not in known]
    made = TransferMatch.objects.bulk_create([_row(user, c, now) for c in fresh], batch_size=CHUNK)
    for match, candidate in zip(made, fresh, strict=True):
        if candidate.is_certain:
            _settle(match)
    return len(made)


def confirm(match: TransferMatch, user: User, now: datetime) -> None:
    """Take it for an own transfer; raises `Undecidable` where the arrival has another sender already."""
    if match.incoming.occurred_at < match.outgoing.occurred_at - CLOCK:
        raise Undecidable("It arrived before it was sent.")
    others = TransferMatch.objects.confirmed().filter(outgoing=match.outgoing).exclude(pk=match.pk)
    match.is_split = match.is_split or others.exists()
    try:
        with transaction.atomic():
            if match.is_split:
                others.update(is_split=True)
            _decide(match, MatchState.CONFIRMED, user, now)
    except IntegrityError:
        raise Undecidable(
            "This arrival is matched with another sending already. Undo that one first."
        ) from None
    _drop_rivals(match)


def reject(match: TransferMatch, user: User, now: datetime) -> None:
    """These are two different things; the pair is not proposed again."""
    _decide(match, MatchState.REJECTED, user, now)


def forget(match: TransferMatch) -> None:
    """Take a decision back: the pair is a proposal again."""
    match.state, match.decided_at, match.decided_by = MatchState.SUGGESTED, None, None
    match.save(update_fields=["state", "decided_at", "decided_by"])


def _decide(match: TransferMatch, state: MatchState, user: User, now: datetime) -> None:
    match.state, match.decided_at, match.decided_by = state, now, user
    match.save(update_fields=["state", "decided_at", "decided_by", "is_split"])


def _settle(match: TransferMatch) -> None:
    try:
        with transaction.atomic():
            match.state, match.decided_at = MatchState.CONFIRMED, match.created_at
            match.save(update_fields=["state", "decided_at"])
    except IntegrityError:
        return
    _drop_rivals(match)


def _drop_rivals(match: TransferMatch) -> None:
    """Other proposals for the same rows answer a question that nobody has any more."""
    rivals = TransferMatch.objects.suggested().exclude(pk=match.pk)
    rivals.filter(incoming=match.incoming_id).delete()
    if not match.is_split:
        rivals.filter(outgoing=match.outgoing_id).delete()


class _Leg(NamedTuple):
    """One amount of a row; objects of whole rows would take many times the memory."""

    transaction: int
    connection: int
    at: datetime
    kind: str
    asset: str
    amount: Decimal
    role: str
    network_id: str


def _unmatched(
    user: User, accounts: Collection[int], kinds: Collection[Kind], since: datetime | None
) -> Iterator[list[_Leg]]:
    """The completed rows of these kinds that have no partner yet."""
    legs = Posting.objects.counted().filter(connection__in=accounts, kind__in=kinds)
    if since is not None:
        legs = legs.filter(transaction__occurred_at__gte=since - WINDOW)
    matched = TransferMatch.objects.for_user(user).confirmed()
    legs = legs.exclude(transaction__in=matched.values("incoming"))
    legs = legs.exclude(transaction__in=matched.values("outgoing"))
    fields = ("transaction", "connection", "occurred_at", "kind", "asset", "amount", "role")
    told = legs.order_by("transaction", "pk").values_list(*fields, "transaction__network_id")
    for _, same in groupby(map(_Leg._make, told.iterator()), key=lambda leg: leg.transaction):
        yield list(same)


def _moved(rows: Iterable[list[_Leg]], sign: int) -> Iterator[Moved]:
    return (moved for row in rows if (moved := _as_moved(row, sign)))


def _as_moved(legs: list[_Leg], sign: int) -> Moved | None:
    """What moved of the one asset of this row; None where it moved the other way, or not at all."""
    principal = [leg for leg in legs if leg.role == Role.PRINCIPAL]
    if len({leg.asset for leg in principal}) != 1:
        return None
    first = principal[0]
    amount = sum((leg.amount for leg in principal), Decimal(0)) * sign
    fee = -sum((leg.amount for leg in legs if leg.role == Role.FEE and leg.asset == first.asset), Decimal(0))
    if amount <= 0:
        return None
    return Moved(
        pk=first.transaction,
        at=first.at,
        account=str(first.connection),
        asset=first.asset,
        amount=amount,
        fee=max(fee, Decimal(0)),
        kind=first.kind,
        network_id=first.network_id,
    )


def _row(user: User, candidate: Candidate, now: datetime) -> TransferMatch:
    return TransferMatch(
        user=user,
        outgoing_id=candidate.outgoing.pk,
        incoming_id=candidate.incoming.pk,
        score=candidate.score,
        reasons=list(candidate.reasons),
        is_split=candidate.is_split,
        created_at=now,
    )
