"""Stretches of time that have been read completely, as they are stored: sorted, disjoint [start, end) pairs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from exchanges.connector import Span

Stored = list[list[str]]


def merged(stored: Sequence[Sequence[str]], covered: Iterable[Span]) -> Stored:
    """The stored spans with newly covered ones; what touches is joined."""
    spans = [*loaded(stored), *((span.start, span.end) for span in covered if span.start < span.end)]
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return [[start.isoformat(), end.isoformat()] for start, end in joined]


def loaded(stored: Sequence[Sequence[str]]) -> list[tuple[datetime, datetime]]:
    """Stored spans as times."""
    return [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in stored]
