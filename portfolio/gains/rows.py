"""A result as rows of the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Model

from portfolio.gains.records import Reason
from portfolio.gains.totals import Result, term_of
from portfolio.lots import Match, Term
from portfolio.models import GainDisposal, GainHolding, GainLot, GainProblem, GainsReport, GainTotal


def rows_of_report(report: GainsReport, result: Result) -> Iterator[tuple[type[Any], list[Model]]]:
    """Each model with its rows."""
    yield GainDisposal, list(_disposals(report, result))
    yield GainLot, list(_lots(report, result))
    yield GainTotal, list(_totals(report, result))
    yield GainHolding, list(_holdings(report, result))
    yield GainProblem, list(_problems(report, result))


def _disposals(report: GainsReport, result: Result) -> Iterator[GainDisposal]:
    for number, one in enumerate(result.outcome.disposed):
        part, line = one.part, result.inputs.lines[one.line]
        is_missing = part.match is Match.MISSING
        yield GainDisposal(
            report=report,
            number=number,
            movement=one.line,
            year=part.disposed.year,
            asset=part.asset,
            account=part.account,
            reason=Reason.SPENT if line.reason is Reason.INCOME else line.reason,
            match=part.match,
            term=term_of(one),
            acquired=part.acquired,
            disposed=part.disposed,
            quantity=part.quantity,
            proceeds=part.proceeds,
            cost=part.cost,
            gain=part.gain,
            is_assumed=is_missing or line.is_assumed or result.is_assumed(part.asset, part.acquired),
            source=line.source,
        )


def _lots(report: GainsReport, result: Result) -> Iterator[GainLot]:
    for number, lot in enumerate(result.outcome.lots):
        yield GainLot(
            report=report,
            number=number,
            asset=lot.asset,
            account=lot.account,
            acquired=lot.acquired,
            quantity=lot.quantity,
            cost=lot.cost,
            is_assumed=result.is_assumed(lot.asset, lot.acquired),
        )


def _totals(report: GainsReport, result: Result) -> Iterator[GainTotal]:
    for (year, asset, reason), total in result.totals.items():
        yield GainTotal(
            report=report,
            year=year,
            asset=asset,
            reason=reason,
            count=total.count,
            quantity=total.quantity,
            proceeds=total.proceeds,
            cost=total.cost,
            gain=total.gain,
            short_gain=total.by_term[Term.SHORT],
            long_gain=total.by_term[Term.LONG],
            undated_gain=total.by_term[Term.UNKNOWN],
        )


def _holdings(report: GainsReport, result: Result) -> Iterator[GainHolding]:
    for asset, held in result.holdings.items():
        yield GainHolding(
            report=report,
            asset=asset,
            lots=held.lots,
            quantity=held.quantity,
            cost=held.cost,
            assumed=held.assumed,
            away=held.away,
        )


def _problems(report: GainsReport, result: Result) -> Iterator[GainProblem]:
    for number, problem in enumerate(result.problems):
        yield GainProblem(
            report=report,
            number=number,
            code=problem.code,
            at=problem.at,
            asset=problem.asset,
            account=problem.account,
            quantity=problem.quantity,
            value_usd=problem.value,
            source=problem.source,
        )
