"""Proves each balance against the ledger: opening + postings = closing, or says in plain words why not.

`chain` adds up and is pure; `coverage` knows how far was read; `verdicts` judges; `update` keeps the rows; `alarm`
asks for more reading.
"""

from portfolio.proofs.alarm import Alarm, alarm
from portfolio.proofs.update import Proved, derive, update

__all__ = ["Alarm", "Proved", "alarm", "derive", "update"]
