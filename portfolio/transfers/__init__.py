"""Which withdrawal arrived as which deposit, between connections of one user.

`match` judges pairs and is pure; `store` keeps what was proposed and decided. Nothing here knows costs or prices.
"""

from portfolio.transfers.match import CLOCK, WINDOW, Candidate, Moved, candidates
from portfolio.transfers.store import INWARD, OUTWARD, Undecidable, confirm, forget, reject, suggest

__all__ = [
    "CLOCK",
    "INWARD",
    "OUTWARD",
    "WINDOW",
    "Candidate",
    "Moved",
    "Undecidable",
    "candidates",
    "confirm",
    "forget",
    "reject",
    "suggest",
]
