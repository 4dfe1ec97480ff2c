"""Reads what the gains are found from: ledger rows in the order of time, confirmed transfers, own rows, choices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from accounts.models import User
from exchanges.records import Role
from portfolio.gains.records import Arrival, Choice, Leg, Row
from portfolio.lots import Method
from portfolio.models import GainsChoice, Posting, TransferMatch, Withdrawals

CHUNK = 5_000
_COLUMNS = (
    "transaction_id",
    "transaction__external_id",
    "transaction__connection__label",
    "kind",
    "occurred_at",
    "asset",
    "amount",
    "role",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfers:
    """The confirmed own transfers: what each sending arrived as, and which rows are arrivals."""

    arrivals: Mapping[int, tuple[Arrival, ...]] = field(default_factory=dict)
    arrived: frozenset[int] = frozenset()


def rows_of(user: User) -> Iterator[Row]:
    """The completed rows of all connections, oldest first: one query, streamed."""
    counted = Posting.objects.for_user(user).counted()
    ordered = counted.order_by("occurred_at", "transaction_id", "pk").values_list(*_COLUMNS)
    for pk, postings in groupby(ordered.iterator(chunk_size=CHUNK), key=itemgetter(0)):
        legs = list(postings)
        _, external_id, label, kind, at, *_ = legs[0]
        yield Row(
            pk=pk,
            source=f"t{pk}",
            account=label,
            external_id=external_id,
            kind=kind,
            at=at,
            legs=tuple(Leg(asset=leg[5], amount=leg[6], is_fee=leg[7] == Role.FEE) for leg in legs),
        )


def transfers_of(user: User) -> Transfers:
    """What the user (or a common hash) confirmed."""
    matches = TransferMatch.objects.for_user(user).confirmed().order_by("incoming__occurred_at", "pk")
    found = list(matches.select_related("incoming__connection").prefetch_related("incoming__postings"))
    arrivals: dict[int, list[Arrival]] = defaultdict(list)
    for match in found:
        principal = (p.amount for p in match.incoming.postings.all() if p.role == Role.PRINCIPAL and p.counts)
        arrivals[match.outgoing_id].append(
            Arrival(
                account=match.incoming.connection.label,
                quantity=sum(principal, Decimal(0)),
                at=match.incoming.occurred_at,
            )
        )
    return Transfers(
        arrivals={pk: tuple(parts) for pk, parts in arrivals.items()},
        arrived=frozenset(match.incoming_id for match in found),
    )


def choices_of(user: User) -> list[Choice]:
    """What the user chose, by year; FIFO across all accounts where nothing was chosen."""
    made = GainsChoice.objects.for_user(user).order_by("since_year")
    return [
        Choice(
            since_year=choice.since_year,
            method=Method(choice.method),
            per_account=choice.per_account,
            spends_withdrawals=choice.withdrawals == Withdrawals.SPENT,
        )
        for choice in made
    ]
