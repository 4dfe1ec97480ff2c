"""From what it was worth to what it is worth: which part of the change came from prices, which from money that moved.

`core` adds up and is pure; `store` reads the daily rows, and `months` keeps what whole months came to. Never the ledger itself. What each bar means: docs/bridge.md.
"""

from portfolio.bridge.core import KINDS_OF, Bar, Cell, Statement, Step, Total, statement
from portfolio.bridge.months import keep, keep_all
from portfolio.bridge.store import Bridge, bridge

__all__ = [
    "KINDS_OF",
    "Bar",
    "Bridge",
    "Cell",
    "Statement",
    "Step",
    "Total",
    "bridge",
    "keep",
    "keep_all",
    "statement",
]
