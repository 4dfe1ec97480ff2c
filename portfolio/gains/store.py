"""Computes a user's gains and keeps them for the pages; says when they must be computed again, and since when.

`want` notes that something changed (cheap, in any transaction); a task calls `compute` for each that waits. What
changed since a moment is found from the chapter before it on and takes the place of what was found then, in one
transaction. Where that is much, a whole report is written beside the last one, in small transactions, and then
switched to. Either way a page never sees half of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, localcontext
from time import monotonic

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.db.models.functions import Least

from accounts.models import Connection, User
from portfolio.gains.chapters import RULES, Opening
from portfolio.gains.keep import KEPT, Keeper
from portfolio.gains.ledger import choices_of, sent_before
from portfolio.gains.prices import PAR
from portfolio.gains.resume import opening_before
from portfolio.gains.run import Run
from portfolio.gains.stream import ReachesBack, Stream
from portfolio.models import GainsReport, GainsState, ManualEntry, Posting, PriceHistory
from portfolio.models.chunks import delete
from portfolio.rates import Repriced

STALE = timedelta(minutes=15)
"""After how long a computation that never ended is taken up again."""
QUIET = timedelta(seconds=30)
"""How long nothing more must change before a computation is worth it."""
DAILY = timedelta(hours=20)
WEEKLY = timedelta(days=7)
"""How often all is found from the beginning: what nobody noted as a change is found then."""
MOST_AT_ONCE = 10_000
"""How many rows one transaction may write; with more of them a report is written beside the last one."""
EXACT = Context(prec=100)


class TooMuch(Exception):
    """More changed than one transaction should write."""


def want(user: User, now: datetime, *, since: datetime | None = None) -> None:
    """Note that what the gains rest on may have changed since a moment, or from the beginning."""
    GainsState.objects.get_or_create(user=user)
    _want(Q(user=user), now, since)


def _want(whose: Q, now: datetime, since: datetime | None) -> None:
    """What waits already may go further back: the earlier moment holds, and none is the earliest."""
    states = GainsState.objects.filter(whose)
    if since is None:
        states.update(since=None, wanted_at=now)
        return
    new = Value(since, output_field=DateTimeField())
    earliest = Case(
        When(wanted_at__isnull=True, then=new),
        When(since__isnull=True, then=Value(None)),
        default=Least(F("since"), new),
    )
    states.update(since=earliest, wanted_at=now)


def waiting(now: datetime) -> list[int]:
    """The users whose gains are to be computed and that no living worker has."""
    ready = GainsState.objects.wanted().filter(_free(now), wanted_at__lte=now - QUIET)
    return list(ready.values_list("user", flat=True))


def want_daily(now: datetime) -> None:
    """Look at every user's gains once a day: the day that ended has its prices now. Once a week at all of them."""
    old = Q(wanted_at__isnull=True, checked_at__lt=now - DAILY)
    is_long_ago = Q(whole_at__isnull=True) | Q(whole_at__lt=now - WEEKLY)
    _want(old & is_long_ago, now, None)
    _want(old, now, now)


def want_where_priced(changes: Iterable[Repriced], now: datetime) -> None:
    """Look again at the gains of those who moved these assets on days whose prices changed; today's is no close yet."""
    for change in changes:
        if change.first >= now.date():
            continue
        names = [change.asset, *(token for token, currency in PAR.items() if currency == change.asset)]
        days = (start_of(change.first), start_of(change.last + timedelta(days=1)))
        moved = Posting.objects.filter(asset__in=names, occurred_at__range=days, counts=True)
        theirs = Connection.objects.filter(pk__in=moved.values("connection")).values("user")
        own = ManualEntry.objects.active().filter(asset__in=names, occurred_at__range=days).values("user")
        _want(Q(user__in=theirs) | Q(user__in=own), now, days[0])


def start_of(day: date) -> datetime:
    """The first moment of a day."""
    return datetime.combine(day, time(), UTC)


def _free(now: datetime) -> Q:
    return Q(started_at__isnull=True) | Q(started_at__lt=now - STALE)


def compute(user: User, now: datetime) -> GainsReport | None:
    """Bring the report up to date; None where another worker is at it. The same inputs are not stored twice."""
    state, _ = GainsState.objects.get_or_create(user=user)
    mine = GainsState.objects.filter(pk=state.pk)
    if not mine.filter(_free(now)).update(started_at=now):
        return None
    state.refresh_from_db()
    work = _Work(user, state, now)
    try:
        with localcontext(EXACT):
            report = work.done()
    except Exception as error:
        told = f"{type(error).__name__} while computing."
        mine.update(started_at=None, error=told, wanted_at=None, whole_at=None)
        raise
    whole_at = now if work.is_whole else state.whole_at
    mine.update(report=report, started_at=None, checked_at=now, whole_at=whole_at, error="")
    mine.filter(wanted_at=state.wanted_at).update(wanted_at=None, since=None)
    _drop_others(user, report)
    return report


@dataclass(slots=True)
class _Found:
    """A run that is over, or has become too much to be kept in memory."""

    run: Run
    keeper: Keeper
    stream: Stream
    opening: Opening


class _Work:
    """One computation for one user."""

    def __init__(self, user: User, state: GainsState, now: datetime) -> None:
        self.is_whole = False
        self._user = user
        self._state = state
        self._now = now
        self._begin = monotonic()

    def done(self) -> GainsReport:
        """The report as it is to be shown."""
        report, since = self._state.report, self._since()
        while report is not None and since is not None:
            opening = opening_before(report, since, choices_of(self._user))
            if opening is None:
                break
            try:
                return self._gone_on(report, self._found(opening))
            except ReachesBack:
                since = opening.state.at - timedelta(microseconds=1)
            except TooMuch:
                break
        return self._from_the_beginning()

    def _since(self) -> datetime | None:
        """From when on anything can be different; None is the beginning. Prices of a day change until it is over."""
        state = self._state
        if None in (state.wanted_at, state.whole_at) or state.since is None or state.checked_at is None:
            return None
        return sent_before(self._user, min(state.since, start_of(state.checked_at.date())))

    def _found(self, opening: Opening) -> _Found:
        """What a part of the history comes to, in memory."""
        found = self._begun(opening)
        for item in found.stream.items(found.run.turnover):
            found.run.take(item)
            if found.keeper.count > MOST_AT_ONCE:
                raise TooMuch
        found.run.finish(self._now)
        return found

    def _begun(self, opening: Opening) -> _Found:
        stream = Stream(self._user, self._now, opening.state.at)
        keeper = Keeper(opening.state.number)
        return _Found(run=Run(stream.choices, keeper, opening), keeper=keeper, stream=stream, opening=opening)

    def _gone_on(self, report: GainsReport, found: _Found) -> GainsReport:
        _ask_for_prices(found.stream.prices.missing)
        if found.run.fingerprint == report.fingerprint:
            return report
        with transaction.atomic():
            chapter = found.opening.state.number
            for model in KEPT:
                model.objects.filter(report=report).back_to(chapter)
            found.keeper.write(report)
            self._tell(report, found)
        return report

    def _from_the_beginning(self) -> GainsReport:
        """A report of its own; it replaces the last one where it differs."""
        self.is_whole = True
        found, last = self._begun(Opening()), self._state.report
        report: GainsReport | None = None
        for item in found.stream.items(found.run.turnover):
            found.run.take(item)
            if found.keeper.count > MOST_AT_ONCE:
                report = report or self._new()
                found.keeper.write(report, self._beat)
        found.run.finish(self._now)
        _ask_for_prices(found.stream.prices.missing)
        if last is not None and last.rules == RULES and last.fingerprint == found.run.fingerprint:
            return last
        report = report or self._new()
        found.keeper.write(report, self._beat)
        self._tell(report, found)
        return report

    def _new(self) -> GainsReport:
        return GainsReport.objects.create(user=self._user, computed_at=self._now)

    def _tell(self, report: GainsReport, found: _Found) -> None:
        report.fingerprint, report.rules = found.run.fingerprint, RULES
        report.computed_at, report.movements = self._now, found.run.lines
        report.unplaced_fees, report.problem_counts = found.run.fees, dict(sorted(found.run.codes.items()))
        report.save()

    def _beat(self) -> None:
        elapsed = timedelta(seconds=monotonic() - self._begin)
        GainsState.objects.filter(pk=self._state.pk).update(started_at=self._now + elapsed)


def _ask_for_prices(missing: Mapping[str, date]) -> None:
    """Queue the days without a price; a task asks for them, never a page."""
    known = {row.asset: row for row in PriceHistory.objects.filter(asset__in=missing)}
    for asset, day in missing.items():
        row = known.get(asset)
        if row is None:
            PriceHistory.objects.get_or_create(asset=asset, defaults={"wanted_since": day})
        elif day < row.wanted_since:
            PriceHistory.objects.filter(pk=row.pk, wanted_since__gt=day).update(wanted_since=day)


def _drop_others(user: User, report: GainsReport) -> None:
    for old in GainsReport.objects.for_user(user).exclude(pk=report.pk):
        for model in KEPT:
            rows = model.objects.filter(report=old)
            delete(rows, list(rows.values_list("pk", flat=True)))
        old.delete()
