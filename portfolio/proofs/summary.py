"""How each holding stands: the gravest verdict of its whole chain of proofs. Costs as much as there are holdings.

A balance rests on its whole history, so one interval that does not hold keeps the holding from being proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef, Q

from accounts.models import Connection
from portfolio.models import BalanceSnapshot, Proof, Verdict

GRAVEST_FIRST = (
    Verdict.UNEXPLAINED,
    Verdict.INCOMPLETE,
    Verdict.NO_LEDGER,
    Verdict.ASSUMED,
    Verdict.PROVED,
)
Key = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One asset of one connection: what all its intervals together came to."""

    connection: Connection
    asset: str
    verdict: Verdict
    intervals: int = 0
    """How many of its intervals have that verdict, where it is not `proved`."""
    first_end: datetime | None = None
    """The end of the first of them."""
    last_end: datetime | None = None

    @property
    def label(self) -> str:
        """The verdict in words."""
        return str(self.verdict.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a worth has one verdict."""

    verdict: Verdict
    value: Decimal
    count: int


def chains(connections: Iterable[Connection]) -> dict[Key, Chain]:
    """Every asset ever seen at these connections that has a proof, by connection and asset; two queries."""
    known = {connection.pk: connection for connection in connections}
    proofs = Proof.objects.filter(connection__in=known)
    begun = Exists(Proof.objects.filter(connection=OuterRef("connection"), asset=OuterRef("asset")))
    seen = BalanceSnapshot.objects.filter(connection__in=known, newest=True).filter(begun)
    pairs = set(seen.order_by().values_list("connection", "asset"))
    told = {(pk, asset): [(Verdict.PROVED.value, 0, None, None)] for pk, asset in pairs}
    # ~Q as in the index that holds only these.
    doubtful = proofs.filter(~Q(verdict="proved")).order_by().values("connection", "asset", "verdict")
    counted = doubtful.annotate(n=Count("pk"), first=Min("end"), last=Max("end"))
    for pk, asset, *found in counted.values_list("connection", "asset", "verdict", "n", "first", "last"):
        told.setdefault((pk, asset), []).append(tuple(found))
    return {key: _chain(known[key[0]], key[1], found) for key, found in told.items()}


def parts(values: Iterable[tuple[Verdict | None, Decimal]]) -> list[Part]:
    """Values added up by verdict in the order proved, assumed, …; what was not looked at yet counts as incomplete."""
    sums: dict[Verdict, tuple[Decimal, int]] = {}
    for verdict, value in values:
        key = verdict or Verdict.INCOMPLETE
        before, count = sums.get(key, (Decimal(0), 0))
        sums[key] = before + value, count + 1
    return [
        Part(verdict=verdict, value=sums[verdict][0], count=sums[verdict][1])
        for verdict in Verdict
        if verdict in sums
    ]


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The gravest of them."""
    return min(verdicts, key=GRAVEST_FIRST.index, default=None)


def _chain(connection: Connection, asset: str, found: list[Any]) -> Chain:
    by_verdict: Mapping[Verdict, Any] = {Verdict(verdict): rest for verdict, *rest in found}
    verdict = worst(by_verdict) or Verdict.PROVED
    count, first, last = by_verdict[verdict]
    return Chain(
        connection=connection, asset=asset, verdict=verdict, intervals=count, first_end=first, last_end=last
    )
