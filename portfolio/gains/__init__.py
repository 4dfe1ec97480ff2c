"""Gains over the real ledger: what was realised, what is still held at which cost, and what had to be assumed.

`ledger` reads, `meaning` values, `stream` orders, `years` runs the lot engine under the methods chosen, `run` sums up
chapter by chapter, `keep` and `store` keep, `resume` goes on where nothing changed before.
"""

from portfolio.gains.chapters import Changed, Opening, Sold, State
from portfolio.gains.records import AWAY, Basis, Choice, Code, Income, Line, Problem, Reason
from portfolio.gains.run import Run
from portfolio.gains.store import EXACT, compute, start_of, waiting, want, want_daily, want_where_priced
from portfolio.gains.stream import Stream
from portfolio.gains.years import is_tax_year

__all__ = [
    "AWAY",
    "EXACT",
    "Basis",
    "Changed",
    "Choice",
    "Code",
    "Income",
    "Line",
    "Opening",
    "Problem",
    "Reason",
    "Run",
    "Sold",
    "State",
    "Stream",
    "compute",
    "is_tax_year",
    "start_of",
    "waiting",
    "want",
    "want_daily",
    "want_where_priced",
]
