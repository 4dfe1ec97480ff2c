"""Computes a user's gains and keeps them for the pages; says when they must be computed again.

`want` notes that something changed (cheap, in any transaction); a task calls `compute` for each that waits. A report
is written beside the last one, in small transactions, and then switched to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Q

from accounts.models import User
from portfolio.gains.inputs import Inputs, read_inputs
from portfolio.gains.records import Code
from portfolio.gains.rows import rows_of_report
from portfolio.gains.totals import find
from portfolio.models import GainProblem, GainsReport, GainsState, PriceHistory
from portfolio.models.chunks import delete, insert

STALE = timedelta(minutes=15)
"""After how long a computation that never ended is taken up again."""
QUIET = timedelta(seconds=30)
"""How long nothing more must change before a computation is worth it."""
DAILY = timedelta(hours=20)
BEAT = 10_000
"""After how many rows written a computation shows that it lives."""


def want(user: User, now: datetime) -> None:
    """Note that what the gains rest on may have changed."""
    GainsState.objects.update_or_create(user=user, defaults={"wanted_at": now})


def waiting(now: datetime) -> list[int]:
    """The users whose gains are to be computed and that no living worker has."""
    ready = GainsState.objects.wanted().filter(_free(now), wanted_at__lte=now - QUIET)
    return list(ready.values_list("user", flat=True))


def want_daily(now: datetime) -> None:
    """Look at every user's gains once a day: prices of past days may have come in."""
    old = GainsState.objects.filter(wanted_at__isnull=True, checked_at__lt=now - DAILY)
    old.update(wanted_at=now)


def want_where_unpriced(assets: Iterable[str], now: datetime) -> None:
    """Look again at the gains of those who lacked a price of these assets, now that prices came in."""
    codes = (Code.UNPRICED, Code.PAR_ASSUMED, Code.ONE_SIDED)
    lacking = GainProblem.objects.filter(asset__in=set(assets), code__in=codes)
    GainsState.objects.filter(report__in=lacking.values("report")).update(wanted_at=now)


def _free(now: datetime) -> Q:
    return Q(started_at__isnull=True) | Q(started_at__lt=now - STALE)


def compute(user: User, now: datetime) -> GainsReport | None:
    """Bring the report up to date; None where another worker is at it. The same inputs are not stored twice."""
    state, _ = GainsState.objects.get_or_create(user=user)
    mine = GainsState.objects.filter(pk=state.pk)
    if not mine.filter(_free(now)).update(started_at=now):
        return None
    try:
        report = _brought_up_to_date(state, user, now)
    except Exception as error:
        mine.update(started_at=None, error=f"{type(error).__name__} while computing.", wanted_at=None)
        raise
    mine.update(report=report, started_at=None, checked_at=now, error="")
    mine.filter(wanted_at=state.wanted_at).update(wanted_at=None)
    _drop_others(user, report)
    return report


def _brought_up_to_date(state: GainsState, user: User, now: datetime) -> GainsReport:
    begin = monotonic()
    inputs = read_inputs(user, now)
    _ask_for_prices(inputs)
    fingerprint = inputs.fingerprint
    if state.report is not None and state.report.fingerprint == fingerprint:
        return state.report
    result = find(inputs)
    report = GainsReport.objects.create(
        user=user,
        fingerprint=fingerprint,
        computed_at=now,
        movements=len(inputs.lines),
        unplaced_fees=result.outcome.unplaced_fees,
        problem_counts=Counter(problem.code.value for problem in result.problems),
    )
    for model, rows in rows_of_report(report, result):
        for start in range(0, len(rows), BEAT):
            insert(model.objects.all(), rows[start : start + BEAT])
            elapsed = timedelta(seconds=monotonic() - begin)
            GainsState.objects.filter(pk=state.pk).update(started_at=now + elapsed)
    return report


def _ask_for_prices(inputs: Inputs) -> None:
    """Queue the days without a price; a task asks for them, never a page."""
    known = {row.asset: row for row in PriceHistory.objects.filter(asset__in=inputs.missing)}
    for asset, day in inputs.missing.items():
        row = known.get(asset)
        if row is None:
            PriceHistory.objects.get_or_create(asset=asset, defaults={"wanted_since": day})
        elif day < row.wanted_since:
            PriceHistory.objects.filter(pk=row.pk, wanted_since__gt=day).update(wanted_since=day)


def _drop_others(user: User, report: GainsReport) -> None:
    for old in GainsReport.objects.for_user(user).exclude(pk=report.pk):
        for rows in (old.disposals, old.lots, old.totals, old.holdings, old.problems):
            delete(rows.all(), list(rows.values_list("pk", flat=True)))
        old.delete()
