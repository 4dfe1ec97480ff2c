"""Proves each balance against the ledger: opening + postings = closing, or says in plain words why not.

`chain` adds up and is pure; `coverage` knows how far was read; `verdicts` judges; `update` keeps the rows, `prolong`
where only time went by; `alarm` asks for more reading; `summary`, `interval`, `candidates` and `leads` answer the pages.
"""

from portfolio.proofs.alarm import Alarm, alarm
from portfolio.proofs.candidates import Candidate, Reason
from portfolio.proofs.interval import Interval, interval
from portfolio.proofs.leads import leads
from portfolio.proofs.prolong import prolong
from portfolio.proofs.summary import Chain, Part, chains, parts, worst
from portfolio.proofs.update import Proved, derive, update

__all__ = [
    "Alarm",
    "Candidate",
    "Chain",
    "Interval",
    "Part",
    "Proved",
    "Reason",
    "alarm",
    "chains",
    "derive",
    "interval",
    "leads",
    "parts",
    "prolong",
    "update",
    "worst",
]
