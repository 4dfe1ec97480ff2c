"""Which purchase was sold, and what was gained: lots under five cost methods, exact to the last digit.

Pure: knows no Django, no store, no prices beyond the values that come with the movements.
"""

from portfolio.lots.engine import Gains, LookBackBook, LotBook, open_book, settle
from portfolio.lots.kept import Changes, KeptShelf
from portfolio.lots.order import OutOfOrder, in_order
from portfolio.lots.pools import Part
from portfolio.lots.reader import read_movements
from portfolio.lots.records import (
    Disposal,
    Kind,
    Lot,
    Match,
    Method,
    Movement,
    Shortfall,
    Term,
    Worked,
    holding_term,
)
from portfolio.lots.shelf import Key, Shelf
from portfolio.lots.uk import Claim, UkBook

__all__ = [
    "Changes",
    "Claim",
    "Disposal",
    "Gains",
    "KeptShelf",
    "Key",
    "Kind",
    "LookBackBook",
    "Lot",
    "LotBook",
    "Match",
    "Method",
    "Movement",
    "OutOfOrder",
    "Part",
    "Shelf",
    "Shortfall",
    "Term",
    "UkBook",
    "Worked",
    "holding_term",
    "in_order",
    "open_book",
    "read_movements",
    "settle",
]
