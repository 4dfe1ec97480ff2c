"""Reads what the gains are found from: ledger rows in the order of time, confirmed transfers, own rows, choices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from heapq import merge
from itertools import groupby
from operator import attrgetter, itemgetter

from django.db.models import Q

from accounts.models import Connection, User
from exchanges.records import Role
from portfolio.gains.records import Arrival, Choice, Leg, Row
from portfolio.lots import Method
from portfolio.models import GainsChoice, ManualEntry, Posting, Transaction, TransferMatch, Withdrawals

CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfers:
    """The confirmed own transfers: what each sending arrived as, and which rows are arrivals."""

    arrivals: Mapping[int, tuple[Arrival, ...]] = field(default_factory=dict)
    arrived: frozenset[int] = frozenset()


def rows_of(user: User, since: datetime) -> Iterator[Row]:
    """The completed rows of all exchanges, oldest first, a few hundred at a time. Own rows are read as they were entered.

    Those of one moment come by what the exchange calls them, not as they arrived: which halves of exchanges belong
    together must not depend on that.
    """
    connections = Connection.objects.for_user(user).at_exchanges().values_list("pk", "label")
    streams = [_in_order(_rows(pk, label, since)) for pk, label in connections]
    return merge(*streams, key=lambda row: (row.at, row.account, row.external_id, row.pk))


def _in_order(rows: Iterator[Row]) -> Iterator[Row]:
    for _, of_one_moment in groupby(rows, key=attrgetter("at")):
        yield from sorted(of_one_moment, key=attrgetter("external_id", "pk"))


def _rows(connection: int, label: str, since: datetime) -> Iterator[Row]:
    rows = Transaction.objects.filter(connection=connection).completed()
    place = Q(occurred_at__gte=since)
    while True:
        found = rows.filter(place).order_by("occurred_at", "pk")
        chunk = list(found.values_list("pk", "external_id", "kind", "occurred_at")[:CHUNK])
        legs = _legs([pk for pk, *_ in chunk])
        for pk, external_id, kind, at in chunk:
            yield Row(
                pk=pk,
                source=f"t{pk}",
                account=label,
                external_id=external_id,
                kind=kind,
                at=at,
                legs=legs.get(pk, ()),
            )
        if len(chunk) < CHUNK:
            return
        last, _, _, at = chunk[-1]
        # The bound on the time alone is for the index: the database would not see it inside the other one.
        place = Q(occurred_at__gte=at) & (Q(occurred_at__gt=at) | Q(pk__gt=last))


def _legs(rows: list[int]) -> dict[int, tuple[Leg, ...]]:
    postings = Posting.objects.filter(transaction__in=rows).order_by("transaction_id", "pk")
    told = postings.values_list("transaction_id", "asset", "amount", "role")
    return {
        pk: tuple(Leg(asset=asset, amount=amount, is_fee=role == Role.FEE) for _, asset, amount, role in legs)
        for pk, legs in groupby(told, key=itemgetter(0))
    }


def entries_of(user: User, since: datetime) -> Iterator[ManualEntry]:
    """The user's own rows, oldest first."""
    mine = ManualEntry.objects.for_user(user).active().filter(occurred_at__gte=since)
    return mine.order_by("occurred_at", "pk").iterator(chunk_size=CHUNK)


def transfers_of(user: User, since: datetime) -> Transfers:
    """What the user (or a common hash) confirmed, as far as it touches rows since then."""
    touched = Q(outgoing__occurred_at__gte=since) | Q(incoming__occurred_at__gte=since)
    matches = TransferMatch.objects.for_user(user).confirmed().filter(touched)
    told = matches.order_by("incoming__occurred_at", "pk").values_list(
        "outgoing", "incoming", "incoming__connection__label", "incoming__occurred_at"
    )
    found = list(told)
    came = _principal([incoming for _, incoming, _, _ in found])
    arrivals: dict[int, list[Arrival]] = defaultdict(list)
    for outgoing, incoming, label, at in found:
        quantity = came.get(incoming, Decimal(0))
        arrivals[outgoing].append(Arrival(account=label, quantity=quantity, at=at))
    return Transfers(
        arrivals={pk: tuple(parts) for pk, parts in arrivals.items()},
        arrived=frozenset(incoming for _, incoming, _, _ in found),
    )


def _principal(rows: list[int]) -> dict[int, Decimal]:
    """What came in with each row."""
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for start in range(0, len(rows), CHUNK):
        postings = Posting.objects.filter(transaction__in=rows[start : start + CHUNK], counts=True)
        for pk, amount in postings.filter(role=Role.PRINCIPAL).values_list("transaction_id", "amount"):
            sums[pk] += amount
    return sums


def sent_before(user: User, since: datetime) -> datetime:
    """`since`, or the earlier sending of an own transfer that arrived since: the arrival is told by its sending."""
    matches = TransferMatch.objects.for_user(user).confirmed()
    late = matches.filter(incoming__occurred_at__gte=since, outgoing__occurred_at__lt=since)
    first = late.order_by("outgoing__occurred_at").values_list("outgoing__occurred_at", flat=True).first()
    return first or since


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
