"""A stretch of a list that somebody asked to have read again: what the connector is told, and what the run notes."""

from __future__ import annotations

from typing import TypedDict

from accounts.models import Connection
from exchanges.connector import Span
from portfolio.models import Coverage, Run, Transaction

MOST = 500
"""Rows of a stretch that are asked for one by one."""


class Asked(TypedDict, total=False):
    """The parts of a Progress that are about a stretch."""

    span: Span
    within: tuple[str, ...]


def asked(connection: Connection, coverage: Coverage) -> Asked:
    """What was asked for and no turn has begun with."""
    since, until = coverage.hole_from, coverage.hole_until
    if since is None or until is None:
        return {}
    rows = Transaction.objects.of(connection).filter(raw__stream=coverage.stream)
    rows = rows.filter(occurred_at__gte=since, occurred_at__lt=until)
    ids = rows.order_by("raw__source_id").values_list("raw__source_id", flat=True).distinct()[:MOST]
    return {"span": Span(start=since, end=until), "within": tuple(ids)}


def begun(run: Run, coverage: Coverage, hole: Span) -> None:
    """The list's cursor remembers the stretch from now on: the wish is fulfilled, and the run says so."""
    mine = Coverage.objects.filter(pk=coverage.pk, hole_from=hole.start, hole_until=hole.end)
    mine.update(hole_from=None, hole_until=None)
    coverage.hole_from = coverage.hole_until = None
    name = coverage.stream.replace("_", " ")
    run.story = [
        *run.story,
        f"Asked to read {name} again from {hole.start:%Y-%m-%d %H:%M} to {hole.end:%Y-%m-%d %H:%M} UTC.",
    ]
    Run.objects.filter(pk=run.pk).update(story=run.story)
