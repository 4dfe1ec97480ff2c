"""Which purchase was sold, and what was gained: lots under five cost methods, exact to the last digit.

Pure: knows no Django, no store, no prices beyond the values that come with the movements.
"""

from portfolio.lots.engine import Gains, LotBook, open_book, settle
from portfolio.lots.order import OutOfOrder, in_order
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
    holding_term,
)

__all__ = [
    "Disposal",
    "Gains",
    "Kind",
    "Lot",
    "LotBook",
    "Match",
    "Method",
    "Movement",
    "OutOfOrder",
    "Shortfall",
    "Term",
    "holding_term",
    "in_order",
    "open_book",
    "read_movements",
    "settle",
]
