"""Gains over the real ledger: what was realised, what is still held at which cost, and what had to be assumed.

`ledger` reads, `meaning` values, `years` runs the lot engine under the methods chosen, `totals` sums, `store` keeps.
"""

from portfolio.gains.inputs import Inputs, read_inputs
from portfolio.gains.records import AWAY, Basis, Choice, Code, Reason
from portfolio.gains.store import compute, waiting, want, want_daily, want_where_unpriced
from portfolio.gains.totals import Result, find, term_of

__all__ = [
    "AWAY",
    "Basis",
    "Choice",
    "Code",
    "Inputs",
    "Reason",
    "Result",
    "compute",
    "find",
    "read_inputs",
    "term_of",
    "waiting",
    "want",
    "want_daily",
    "want_where_unpriced",
]
