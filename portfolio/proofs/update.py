"""Keeps the proofs of a connection: adds up what may have changed since a day, and says what each sum came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import itemgetter

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from accounts.models import Connection
from portfolio.fields import fits
from portfolio.models import BalanceSnapshot, Posting, Proof, Verdict
from portfolio.proofs import story
from portfolio.proofs.chain import Carried, Link, Look, Move, combined, links, taken_over
from portfolio.proofs.coverage import Read, read_of
from portfolio.proofs.prolong import waits
from portfolio.proofs.verdicts import judged

JUST_ENTERED = timedelta(hours=1)
"""A row this fresh at the end of an interval may have been on its way."""
KEPT = (
    "end",
    "opening",
    "postings",
    "closing",
    "residual",
    "verdict",
    "note",
    "later",
    "earlier",
    "failing_since",
)
EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What an update came to."""

    written: int = 0
    unexplained: int = 0


def update(connection: Connection, *, since: date | None = None, now: datetime | None = None) -> Proved:
    """Add up the intervals that end on or after `since` (None: all of them) and store what changed."""
    now = now or timezone.now()
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        return _Update(connection, since, now).run()


def derive(connection: Connection) -> dict[str, list[Proof]]:
    """All proofs as they should stand, by asset; nothing is stored."""
    return _Update(connection, None, timezone.now()).proofs()


class _Update:
    """One update: everything it needs is asked once for all assets."""

    def __init__(self, connection: Connection, since: date | None, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._from = EVER if since is None else datetime.combine(since, time.min, UTC)
        self._read: Read = read_of(connection)
        self._from = min(self._from, self._first_completed())

    def _first_completed(self) -> datetime:
        """The end of the first interval that could not be judged, and now can be: a hole was read."""
        rows = Proof.objects.of(self._connection).filter(verdict=Verdict.INCOMPLETE, end__lt=self._from)
        return next((row.end for row in rows.order_by("end") if waits(row, self._read)), self._now)

    def run(self) -> Proved:
        standing: dict[tuple[str, datetime | None], Proof] = {}
        bases = self._bases()
        unexplained = 0
        fresh: list[Proof] = []
        changed: list[Proof] = []
        broken: list[Proof] = []
        healed: list[Proof] = []
        ours = Q(end__gte=self._from) | Q(start__in={base.at for base in bases.values()})
        for row in Proof.objects.of(self._connection).filter(ours):
            standing[row.asset, row.start] = row
        for asset, rows in self._proofs(bases).items():
            for row in rows:
                unexplained += row.verdict == Verdict.UNEXPLAINED
                before = standing.pop((asset, row.start), None)
                if self._is_failing(row):
                    same = before is not None and before.residual == row.residual and before.failing_since
                    row.failing_since = same or self._now
                    broken += [] if same or row.verdict != Verdict.UNEXPLAINED else [row]
                elif before is not None and before.verdict == Verdict.UNEXPLAINED and not row.residual:
                    healed.append(before)
                if before is None:
                    fresh.append(row)
                elif any(getattr(before, name) != getattr(row, name) for name in KEPT):
                    row.pk = before.pk
                    changed.append(row)
        stale = [row.pk for (asset, start), row in standing.items() if self._is_ours(bases, asset, start)]
        Proof.objects.filter(pk__in=stale).delete()
        Proof.objects.bulk_update(changed, KEPT)
        Proof.objects.bulk_create(fresh)
        story.tell(self._connection, broken, healed)
        return Proved(written=len(fresh) + len(changed) + len(stale), unexplained=unexplained)

    def _is_failing(self, row: Proof) -> bool:
        """Whether more reading could explain what is left, though all was read: an opening balance as well."""
        doubted = row.verdict in (Verdict.UNEXPLAINED, Verdict.INCOMPLETE)
        return bool(row.residual) and doubted and self._read.all_cover(row.start, row.end)

    def proofs(self) -> dict[str, list[Proof]]:
        """As they should stand."""
        return self._proofs(self._bases())

    @staticmethod
    def _is_ours(bases: Mapping[str, Look], asset: str, start: datetime | None) -> bool:
        """Whether a stored link lies within what was added up again."""
        base = bases.get(asset)
        return base is None or (start is not None and start >= base.at)

    def _bases(self) -> dict[str, Look]:
        """Each asset's last snapshot before `since`: from there on is added up."""
        rows = BalanceSnapshot.objects.of(self._connection).filter(first_seen__lt=self._from)
        tips = dict(rows.values("asset").annotate(at=Max("first_seen")).values_list("asset", "at"))
        found = rows.filter(first_seen__in=set(tips.values()))
        return {row.asset: _look(row) for row in found if tips[row.asset] == row.first_seen}

    def _proofs(self, bases: Mapping[str, Look]) -> dict[str, list[Proof]]:
        looks = self._looks()
        assets = sorted({*looks, *bases})
        handed = self._handed_over(bases)

        def told(asset: str, moves: Iterable[Move]) -> list[Proof]:
            chain = links(
                looks.get(asset, ()), moves, self._late, base=bases.get(asset), carried=handed.get(asset)
            )
            kept = (link for link in chain if fits(link.postings, link.residual))
            return [self._proof(asset, link) for link in kept]

        begins = {asset: bases[asset].at if asset in bases else EVER for asset in assets}
        moved = {asset: told(asset, moves) for asset, moves in self._moves(begins)}
        return {asset: moved[asset] if asset in moved else told(asset, ()) for asset in assets}

    def _looks(self) -> dict[str, list[Look]]:
        """What was seen since, ascending."""
        rows = BalanceSnapshot.objects.of(self._connection).filter(first_seen__gte=self._from)
        found: dict[str, list[Look]] = defaultdict(list)
        told = rows.order_by("first_seen").values_list("asset", "first_seen", "last_seen", "total")
        for asset, at, until, total in told.iterator():
            found[asset].append(Look(at=at, until=until, total=total))
        return found

    def _moves(self, begins: Mapping[str, datetime]) -> Iterator[tuple[str, Iterator[Move]]]:
        """Rows that count, dated after each asset's beginning, ascending; those of an asset are to be read in its turn."""
        rows = Posting.objects.of(self._connection).counted().filter(asset__in=list(begins))
        earliest = min(begins.values(), default=EVER)
        if earliest > EVER:
            rows = rows.filter(occurred_at__gt=earliest)
        for asset, told in groupby(_read_moves(rows), key=itemgetter(0)):
            yield asset, combined(move for _, move in told if move.at > begins[asset])

    def _handed_over(self, bases: Mapping[str, Look]) -> dict[str, Carried]:
        """What the link that ends at each base handed over."""
        ends = {base.at for base in bases.values()}
        rows = Proof.objects.of(self._connection).filter(end__in=ends).exclude(later=[], earlier=[])
        handed = {row.asset: row for row in rows if row.asset in bases and bases[row.asset].at == row.end}
        ids = [one for row in handed.values() for one in row.later]
        postings = Posting.objects.of(self._connection).counted().filter(transaction__in=ids)
        by_asset: dict[str, list[Move]] = defaultdict(list)
        for asset, move in _read_moves(postings):
            by_asset[asset].append(move)
        return {
            asset: taken_over(
                row.later, row.earlier, {move.transaction: move for move in combined(by_asset[asset])}
            )
            for asset, row in handed.items()
        }

    def _late(self, end: datetime, moves: Sequence[Move]) -> set[int]:
        """Rows of an interval that were seen completed only after its end, with a sign that they were on their way."""
        rows = Posting.objects.of(self._connection).filter(
            transaction__in=[move.transaction for move in moves],
            transaction__raw__received_at__gt=end - timedelta(seconds=1),
        )
        on_their_way = (
            Q(transaction__revised_at__gt=end)
            | Q(occurred_at__gt=end - JUST_ENTERED)
            | Q(transaction__raw__received_at__gt=F("transaction__first_seen"))
        )
        return set(rows.filter(on_their_way).values_list("transaction", flat=True))

    def _proof(self, asset: str, link: Link) -> Proof:
        judgement = judged(self._connection, asset, link, self._read)
        return Proof(
            connection=self._connection,
            asset=asset,
            start=link.start,
            end=link.end,
            opening=link.opening,
            postings=link.postings,
            closing=link.closing,
            residual=link.residual,
            verdict=judgement.verdict,
            note=judgement.note[:300],
            later=list(link.later),
            earlier=list(link.earlier),
        )


def _look(row: BalanceSnapshot) -> Look:
    return Look(at=row.first_seen, until=row.last_seen, total=row.total)


def _read_moves(rows: QuerySet[Posting]) -> Iterator[tuple[str, Move]]:
    ordered = rows.order_by("asset", "occurred_at", "transaction_id", "pk")
    values = ordered.values_list("asset", "transaction", "occurred_at", "amount", "transaction__assumption")
    for asset, pk, at, amount, assumption in values.iterator(chunk_size=2000):
        yield asset, Move(transaction=pk, at=at, amount=amount, assumption=assumption)
