"""Everything that a user's gains are found from, read once, with a fingerprint of all of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from accounts.models import User
from portfolio.corrections import corrections_of
from portfolio.gains.ledger import choices_of, rows_of, transfers_of
from portfolio.gains.manual import read_manual
from portfolio.gains.meaning import Reading
from portfolio.gains.prices import UsedPrice, prices_of
from portfolio.gains.records import Choice, Income, Line, Problem
from portfolio.models import ManualEntry, Posting

RULES = "1"
"""Part of every fingerprint: raise it when the rules change, so that all reports are made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The lines in the order of time and what came up while they were read."""

    lines: tuple[Line, ...]
    incomes: tuple[Income, ...]
    problems: tuple[Problem, ...]
    choices: tuple[Choice, ...]
    prices: tuple[UsedPrice, ...]
    missing: dict[str, date]
    """Assets that had no price on some day, with the first such day."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of what the result depends on."""
        told: Iterable[object] = (RULES, *self.lines, *self.incomes, *self.problems, *self.choices)
        digest = sha256()
        for one in told:
            digest.update(repr(one).encode())
        return digest.hexdigest()


def read_inputs(user: User, now: datetime) -> Inputs:
    """Read the ledger and all that belongs to it: a few queries, streamed."""
    corrections = corrections_of(user)
    choices = choices_of(user)
    entries = list(ManualEntry.objects.for_user(user).active().order_by("occurred_at", "pk"))
    postings = Posting.objects.for_user(user).counted()
    assets = {*postings.order_by().values_list("asset", flat=True).distinct(), *(e.asset for e in entries)}
    first = postings.order_by("occurred_at").values_list("occurred_at", flat=True).first()
    begins = [at.date() for at in (first, *(entry.occurred_at for entry in entries[:1])) if at]
    prices = prices_of(user, assets, min(begins, default=None), now)
    reading = Reading(prices, corrections, transfers_of(user), choices)
    reading.read(rows_of(user))
    read_manual(reading, entries)
    return Inputs(
        lines=tuple(sorted(reading.lines, key=lambda line: line.movement.time)),
        incomes=tuple(reading.incomes),
        problems=tuple(sorted(reading.problems, key=lambda p: (p.code, p.at is None, p.at, p.source))),
        choices=tuple(choices),
        prices=tuple(prices.used[key] for key in sorted(prices.used)),
        missing=dict(prices.missing),
    )
