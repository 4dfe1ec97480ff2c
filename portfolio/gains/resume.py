"""Where a run can begin in the middle: a chapter of a report with all that held when it began, lots only as needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from portfolio.fields import plain
from portfolio.gains.chapters import RULES, Opening, State
from portfolio.gains.records import Choice
from portfolio.gains.totals import Held as HeldAsset
from portfolio.gains.totals import KeptLot, Total, TotalKey
from portfolio.gains.years import UNDATED, Held
from portfolio.lots import Claim, Key, Match, Method, Part, Term
from portfolio.lots.uk import WINDOW
from portfolio.models import GainHolding, GainLot, GainsChapter, GainsReport, GainTotal

BATCH = 64
ZERO = Decimal(0)
DAY = timedelta(days=1)


def opening_before(report: GainsReport, since: datetime, choices: Iterable[Choice]) -> Opening | None:
    """The last chapter that nothing since that moment can have changed; None: only the beginning is."""
    if report.rules != RULES:
        return None
    if any(choice.method is Method.UK for choice in choices):
        since -= WINDOW + DAY
    chapters = GainsChapter.objects.of(report).filter(begins_at__lte=since)
    chapter = chapters.order_by("-begins_at").first()
    return None if chapter is None else _opening(report, state_from_json(chapter.state))


def _opening(report: GainsReport, state: State) -> Opening:
    holdings, held = _holdings(report, state.number)
    lots = StoredLots(report, state.number)
    return Opening(
        state=state,
        totals=_totals(report, state),
        holdings=holdings,
        held=held,
        lots=lots,
        assumed=lots.assumed,
    )


class StoredLots:
    """The lots that were held when a chapter began, a few at a time, in the order in which a method sells them."""

    def __init__(self, report: GainsReport, chapter: int) -> None:
        self.assumed: set[tuple[str, datetime | None]] = set()
        self._report = report
        self._chapter = chapter
        self._still = GainLot.objects.of(report)
        self._since: dict[Key, list[GainLot]] | None = None

    def keys(self) -> Iterable[Key]:
        """The pools that hold anything."""
        return {(lot.asset, lot.account) for lot in GainLot.objects.at(self._report, self._chapter)}

    def batches(self, key: Key, method: Method) -> Iterator[Sequence[Part]]:
        """First the few that were sold since, which are held again; then the others by the index of the method."""
        if self._since is None:
            self._since = self._sold_since()
        is_pool = method in (Method.AVERAGE, Method.UK)
        yield [self._part(lot, is_pool) for lot in self._since.get(key, ())]
        rows = self._still.filter(asset=key[0], account=key[1]).order_by(
            *_ORDER.get(method, ("number", "tie"))
        )
        place = Q()
        while True:
            found = list(rows.filter(place)[:BATCH])
            if found:
                yield [self._part(lot, is_pool) for lot in found if lot.chapter < self._chapter]
            if len(found) < BATCH:
                return
            place = _after(found[-1], method)

    def _sold_since(self) -> dict[Key, list[GainLot]]:
        found: dict[Key, list[GainLot]] = defaultdict(list)
        for lot in GainLot.objects.filter(report=self._report, until__gte=self._chapter):
            if lot.chapter < self._chapter:
                found[lot.asset, lot.account].append(lot)
        return found

    def _part(self, lot: GainLot, is_pool: bool) -> Part:
        if lot.is_assumed:
            self.assumed.add((lot.asset, lot.acquired))
        match = Match.POOL if is_pool else Match.LOT
        acquired = lot.acquired if is_pool or lot.acquired else UNDATED
        part = Part(acquired, lot.number, lot.quantity, lot.cost, Decimal(lot.unit), match)
        part.row = KeptLot(
            serial=lot.serial,
            asset=lot.asset,
            quantity=lot.quantity,
            cost=lot.cost,
            is_assumed=lot.is_assumed,
        )
        part.tie, part.is_lazy = lot.tie, False
        return part


_ORDER: Mapping[Method, tuple[str, ...]] = {
    Method.LIFO: ("-number", "tie"),
    Method.HIFO: ("-ranked", "number", "tie"),
}


def _after(lot: GainLot, method: Method) -> Q:
    """What comes behind a lot; the first bound is for the index, which does not see it inside the others."""
    within = Q(number=lot.number, tie__gt=lot.tie)
    if method is Method.LIFO:
        return Q(number__lte=lot.number) & (Q(number__lt=lot.number) | within)
    later = Q(number__gt=lot.number) | within
    if method is Method.HIFO:
        return Q(ranked__lte=lot.ranked) & (Q(ranked__lt=lot.ranked) | later)
    return Q(number__gte=lot.number) & later


def _totals(report: GainsReport, state: State) -> dict[TotalKey, Total]:
    """Those of years that the rows from here on can belong to."""
    rows = GainTotal.objects.filter(year__gte=state.at.year - 1).at(report, state.number)
    return {
        (row.year, row.asset, row.reason): Total(
            serial=row.serial,
            count=row.count,
            quantity=row.quantity,
            proceeds=row.proceeds,
            cost=row.cost,
            gain=row.gain,
            by_term={
                Term.SHORT: row.short_gain,
                Term.LONG: row.long_gain,
                Term.UNKNOWN: row.undated_gain,
            },
        )
        for row in rows
    }


def _holdings(report: GainsReport, chapter: int) -> tuple[dict[str, HeldAsset], Held]:
    holdings: dict[str, HeldAsset] = {}
    held: Held = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in GainHolding.objects.at(report, chapter):
        holdings[row.asset] = HeldAsset(
            serial=row.serial,
            lots=row.lots,
            quantity=row.quantity,
            cost=row.cost,
            assumed=row.assumed,
            away=row.away,
        )
        held[row.asset].update({account: Decimal(text) for account, text in row.accounts.items()})
    return holdings, held


def amounts_as_json(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    """Exact amounts by name as text."""
    return {name: plain(amount) for name, amount in sorted(amounts.items())}


def state_as_json(state: State) -> dict[str, Any]:
    """A state as the store keeps it."""
    counts = {name: getattr(state, name) for name in _COUNTS}
    claims = [[c.asset, c.account, c.day.isoformat(), plain(c.quantity), plain(c.cost)] for c in state.claims]
    return counts | {
        "at": state.at.isoformat(),
        "fees": plain(state.fees),
        "digest": state.digest,
        "codes": dict(state.codes),
        "claims": claims,
        "turnover": amounts_as_json(state.turnover),
    }


def state_from_json(told: Mapping[str, Any]) -> State:
    """A state as it was kept."""
    return State(
        **{name: told[name] for name in _COUNTS},
        at=datetime.fromisoformat(told["at"]),
        fees=Decimal(told["fees"]),
        digest=told["digest"],
        codes=told["codes"],
        claims=tuple(
            Claim(asset, account, date.fromisoformat(day), Decimal(quantity), Decimal(cost))
            for asset, account, day, quantity, cost in told["claims"]
        ),
        turnover={asset: Decimal(amount) for asset, amount in told["turnover"].items()},
    )


_COUNTS = ("number", "lines", "disposals", "problems", "serial", "acquisitions", "ties")
