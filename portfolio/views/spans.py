"""Which stretch of time a chart shows, as the address says, and the switch between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from django.http import HttpRequest

from portfolio.valuation import Span

USUAL = Span.YEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One segment of the switch."""

    span: str
    label: str
    is_chosen: bool

    @classmethod
    def all(cls, chosen: Span) -> list[Self]:
        """All segments, shortest first."""
        return [
            cls(span=s.value, label="All" if s is Span.ALL else s.value, is_chosen=s is chosen) for s in Span
        ]


def chosen_span(request: HttpRequest) -> Span:
    """The span that the address names, or the usual one."""
    try:
        return Span(request.GET.get("span", USUAL))
    except ValueError:
        return USUAL


def first_day(span: Span, moment: datetime) -> date | None:
    """The day on which the span begins; None for the longest, which begins where the data does."""
    return moment.date() - timedelta(days=span.days) if span.days else None
